"""Each invariant holds in a run, and bites when the record of that run is made to break it."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hasim.events import (
    AlertChanged,
    FailoverChanged,
    Fence,
    FenceResult,
    GatewayReport,
    OwnerChanged,
    Promote,
    PublishRouting,
    RoutingAck,
    RoutingConverged,
    SendProbe,
    ServiceFailed,
    StatusChanged,
    TransferResult,
    TransferState,
)
from hasim.journal import Body, Journal, Lane, Record
from hasim.model import Cause, Diagnosis, Severity, Status
from hasim.oracle import INVARIANTS, check
from hasim.services.failover import ConfirmedSettings, FailoverSettings
from hasim.services.gateway.settings import RetryLayer
from hasim.services.monitoring.settings import MonitorSettings
from hasim.simulation.laws import Constant
from hasim.simulation.settings import FencingDeviceSettings, RetrySettings, WorldSettings
from hasim.simulation.settings.faults import Crash, Hang
from hasim.truth import (
    Acknowledging,
    AttemptRollup,
    MasterFenced,
    MessageRecord,
    PartitionServed,
    TrafficRollup,
    Writers,
    WritesHeld,
    WritesLost,
)
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation.worlds import after, lasting, run, traffic, world

SHORT = FailoverSettings(
    fencing=ConfirmedSettings(timeout_ns=SECOND, attempts=2, backoff_ns=500 * MILLISECOND),
    transfer_timeout_ns=SECOND,
    promote_timeout_ns=SECOND,
    demote_timeout_ns=SECOND,
    redirect_timeout_ns=SECOND,
    verify_timeout_ns=SECOND,
    retry_interval_ns=SECOND,
)


def made() -> WorldSettings:
    """A crash and a hang, each of an owner, and a long quiet end."""
    return world(
        90,
        count=3,
        traffic=traffic(
            8,
            owned=0.5,
            timeout_ns=SECOND,
            retry=RetrySettings(attempts=2, inner=RetryLayer(attempts=1), budget=0.5),
        ),
        faults=(
            Crash(kind="crash", target="m1", at=after(10), for_=lasting(8)),
            Hang(kind="hang", target="m2", at=after(30), for_=lasting(5)),
        ),
        detection=detection(
            evidence=["probe", "messages"],
            interval_ns=SECOND,
            fast_interval_ns=500 * MILLISECOND,
            timeout_ns=500 * MILLISECOND,
        ),
        failover=SHORT,
        fencing_device=FencingDeviceSettings(
            latency=Constant(mean_ns=200 * MILLISECOND), restart=Constant(mean_ns=2 * SECOND)
        ),
        monitor=MonitorSettings(hold_ns=3 * SECOND),
        probes="single",
    )


@pytest.fixture(scope="module")
def sound() -> Journal:
    return run(made(), messages=True)


class Tampered:
    """A copy of a journal, into which lies are written."""

    def __init__(self, journal: Journal) -> None:
        self.journal = Journal(journal.header, list(journal.records))
        self.observer = journal.observer()

    def places(self, kind: type, **values: Any) -> Iterator[int]:
        for place, record in enumerate(self.journal.records):
            has = isinstance(record.body, kind)
            if has and all(getattr(record.body, n) == v for n, v in values.items()):
                yield place

    def body(self, place: int) -> Any:
        """What a record says, of whatever kind it is."""
        return self.journal.records[place].body

    def change(self, kind: type, new: dict[str, Any], **values: Any) -> None:
        """The first record like this says something else."""
        place = next(self.places(kind, **values))
        record = self.journal.records[place]
        body = dataclasses.replace(self.body(place), **new)
        self.journal.records[place] = record._replace(body=body)

    def drop(self, kind: type, **values: Any) -> None:
        """All records like this are gone."""
        gone = set(self.places(kind, **values))
        kept = [r for place, r in enumerate(self.journal.records) if place not in gone]
        self.journal.records[:] = kept

    def add(self, t_s: float, lane: Lane, body: Body) -> None:
        """One more record, after all of its time."""
        t_ns = round(t_s * SECOND)
        by = "" if lane == "truth" else self.observer
        self.journal.records.append(Record(t_ns, lane, body, by))
        self.journal.records.sort(key=lambda record: record.t_ns)

    def double(self, kind: type, **values: Any) -> None:
        """The first record like this stands there twice."""
        place = next(self.places(kind, **values))
        self.journal.records.insert(place, self.journal.records[place])


def forgotten_write(lie: Tampered) -> None:
    """The backup loses a second of writes, although every one of them waited for it."""
    place = next(lie.places(Promote))
    t_ns, order = lie.journal.records[place].t_ns, lie.body(place)
    (partition,) = order.partitions
    waits = Acknowledging(partition, "m1", (order.target,), False)
    lie.journal.records.insert(0, Record(0, "truth", waits, ""))
    lost = WritesLost(partition, order.failover, 8, 8 * 4096, SECOND, lie.observer)
    lie.add(t_ns / SECOND + 0.2, "truth", lost)


def torn(lie: Tampered) -> None:
    place = next(lie.places(TransferResult))
    (copy, *more) = lie.body(place).copies
    torn = dataclasses.replace(copy, received_checksum=copy.source_checksum + 1)
    lie.change(TransferResult, {"copies": (torn, *more)})


def from_the_dead(lie: Tampered) -> None:
    lie.change(TransferState, {"sources": ("m1", "m3")})


def after_routing(lie: Tampered) -> None:
    """A gateway that is told to use a master that has just failed."""
    place = next(lie.places(PublishRouting))
    table = lie.body(place).table
    lie.change(PublishRouting, {"table": dataclasses.replace(table, eligible=("m1", "m2", "m3"))})


def older_term(lie: Tampered) -> None:
    lie.change(Promote, {"term": 0})


def leak(lie: Tampered) -> None:
    place = max(lie.places(GatewayReport))
    record = lie.journal.records[place]
    (row, *more) = lie.body(place).masters
    body = dataclasses.replace(
        lie.body(place),
        masters=(dataclasses.replace(row, in_flight=999), *more),
    )
    lie.journal.records[place] = record._replace(body=body)


def promoted_by_another(lie: Tampered) -> None:
    """A second control plane promotes m3 under the very epoch, and no one's own course shows it."""
    place = next(lie.places(Promote))
    record = lie.journal.records[place]
    order = dataclasses.replace(lie.body(place), target="m3")
    lie.journal.records.insert(place + 1, record._replace(body=order, observer="another"))


def same_again(lie: Tampered) -> None:
    lie.drop(AttemptRollup)
    lie.change(MessageRecord, {"attempts": 2}, partition="", outcome="ok")


def overtaken_by_itself(lie: Tampered) -> None:
    """More second attempts were cancelled at m1 than messages were answered anywhere else."""
    lie.add(90, "truth", AttemptRollup("m1", Cause.CANCELLED, 10**6))


def nobody_is_left(lie: Tampered) -> None:
    lie.journal.header = header = copy.deepcopy(lie.journal.header)
    header["observers"][lie.observer]["settings"]["balancing"]["outliers"] = {"max_ejected": "34%"}
    place = list(lie.places(MessageRecord, partition="", outcome="ok"))[-1]
    record = lie.journal.records[place]
    body = dataclasses.replace(lie.body(place), outcome="unroutable", master="")
    lie.journal.records[place] = record._replace(body=body)


def lost_timer(lie: Tampered) -> None:
    late = [r for r in lie.journal.records if r.t_ns > 40 * SECOND]
    lie.journal.records[:] = [
        r
        for r in lie.journal.records
        if r.t_ns <= 40 * SECOND or r.lane == "truth" or r not in late
    ]


def forgotten_backup(lie: Tampered) -> None:
    change = FailoverChanged(77, "m1", ("p1",), "", "declared", "declare", "", "")
    lie.add(60, "event", change)
    step = dataclasses.replace(change, old="declared", new="selecting", trigger="no-fencing")
    lie.add(60, "event", step)
    waits = dataclasses.replace(change, old="selecting", new="waiting", trigger="no-candidate")
    lie.add(60, "event", waits)


def stays(lie: Tampered) -> None:
    """m3 is declared failed while it takes over."""
    place = next(lie.places(FailoverChanged, new="transferring"))
    record = lie.journal.records[place]
    candidate = record.body.candidate  # type: ignore[union-attr]
    verdict = StatusChanged(candidate, Status.HEALTHY, Status.FAILED, Diagnosis.NONE, "a lie")
    lie.journal.records.insert(place + 1, record._replace(body=verdict))


def unfit(lie: Tampered) -> None:
    """The chosen one was declared failed just before."""
    place = next(lie.places(FailoverChanged, trigger="selected"))
    record = lie.journal.records[place]
    candidate = record.body.candidate  # type: ignore[union-attr]
    verdict = StatusChanged(candidate, Status.HEALTHY, Status.FAILED, Diagnosis.NONE, "a lie")
    lie.journal.records.insert(place, record._replace(body=verdict))


def taken_away(lie: Tampered) -> None:
    gone = StatusChanged("m3", Status.HEALTHY, Status.MAINTENANCE, Diagnosis.NONE, "a lie")
    lie.add(5, "event", gone)


def to_an_old_owner(lie: Tampered) -> None:
    """A message of p1 that arrived long after that had moved."""
    late = next(
        place
        for place in lie.places(MessageRecord, partition="p1")
        if lie.journal.records[place].body.arrived_ns > 25 * SECOND  # type: ignore[union-attr]
    )
    record = lie.journal.records[late]
    body = dataclasses.replace(record.body, master="m1")  # type: ignore[type-var]
    lie.journal.records[late] = record._replace(body=body)


def called_off(lie: Tampered) -> None:
    change = FailoverChanged(77, "m1", ("p1",), "", "declared", "declare", "", "")
    lie.add(60, "event", change)
    why = {"old": "held", "new": "cancelled", "trigger": "owner-recovered"}
    lie.add(
        60, "event", StatusChanged("m1", Status.HEALTHY, Status.FAILED, Diagnosis.NONE, "a lie")
    )
    lie.add(60, "event", dataclasses.replace(change, **why))


def given_up(lie: Tampered) -> None:
    gone = StatusChanged("m1", Status.HEALTHY, Status.FAILED, Diagnosis.NONE, "a lie")
    lie.add(50, "event", gone)
    why = ("fencing", "failed", "give-up", "", "")
    lie.add(60, "event", FailoverChanged(77, "m1", ("p1",), *why))


LIES: dict[str, Callable[[Tampered], None]] = {
    "one-primary": lambda lie: lie.add(50, "truth", Writers("p1", ("m1", "m3"))),
    "no-needless-power-off": lambda lie: lie.add(60, "truth", MasterFenced("m3", 9, lie.observer)),
    "service-restored": lambda lie: lie.add(
        50, "truth", PartitionServed("p3", False, "m3", "no-primary")
    ),
    "acknowledged-kept": forgotten_write,
    "writes-conserved": lambda lie: lie.change(WritesHeld, {"held": 10**6}),
    "messages-conserved": lambda lie: lie.change(TrafficRollup, {"messages": 10**6}, outcome="ok"),
    "fit-candidates": unfit,
    "epochs-grow": lambda lie: lie.change(Promote, {"epoch": 1}),
    "epochs-of-one": promoted_by_another,
    "owners-confirm": lambda lie: lie.change(OwnerChanged, {"epoch": 77}),
    "stale-owners-are-told": lambda lie: lie.add(50, "truth", Writers("p1", ("m1", "m3"))),
    "whole-copies": torn,
    "live-sources": from_the_dead,
    "confirmed-off": lambda lie: lie.change(FenceResult, {"confirmed": False}),
    "fencing-attempts": lambda lie: [lie.double(Fence) for _ in range(2)] and None,
    "legal-steps": lambda lie: lie.change(FailoverChanged, {"trigger": "hunch"}),
    "failovers-go-on": forgotten_backup,
    "failovers-are-tried-again": given_up,
    "failed-candidates-are-left": stays,
    "called-off-with-reason": called_off,
    "answers-pair-up": lambda lie: lie.double(TransferResult),
    "terms-grow": older_term,
    "verdicts-follow": lambda lie: lie.drop(StatusChanged, new=Status.SUSPECT),
    "checks-go-on": lost_timer,
    "members-are-probed": taken_away,
    "routing-follows": after_routing,
    "routing-converges": lambda lie: lie.change(RoutingConverged, {"version": 99}),
    "routing-repeats": lambda lie: lie.drop(RoutingAck),
    "eligible-alone": to_an_old_owner,
    "somebody-is-left": nobody_is_left,
    "retries-elsewhere": same_again,
    "hedges-elsewhere": overtaken_by_itself,
    "attempts-bounded": lambda lie: lie.change(MessageRecord, {"attempts": 3}),
    "in-flight-is-real": leak,
    "alerts-end": lambda lie: lie.drop(AlertChanged, severity=Severity.RESOLVED),
    "services-at-work": lambda lie: lie.add(5, "event", ServiceFailed("monitor", "a lie")),
    "time-forward": lambda lie: lie.journal.records.append(lie.journal.records[0]),
    "no-clairvoyance": lambda lie: lie.drop(SendProbe, probe=3),
}


def test_all_hold_in_a_run(sound: Journal) -> None:
    assert check(sound) == []
    assert list(sound.of(OwnerChanged))


def test_each_invariant_has_a_lie_that_it_sees() -> None:
    assert set(LIES) == set(INVARIANTS.shipped)


@pytest.mark.parametrize("name", LIES)
def test_an_invariant_bites(name: str, sound: Journal) -> None:
    lie = Tampered(sound)
    LIES[name](lie)
    breaches = check(lie.journal, [INVARIANTS.known[name]])
    assert {breach.invariant for breach in breaches} == {name}
    assert all(breach.text and breach.subject for breach in breaches)
