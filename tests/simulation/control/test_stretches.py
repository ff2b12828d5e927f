"""Probes in stretches are what single probes are: in any world, to the nanosecond."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.deployed import replay_recorded
from hasim.events import ProbeReply, ProbeStretch, SendProbe, StatusChanged
from hasim.journal import Journal
from hasim.measures import measure
from hasim.model import Cause, Status
from hasim.services.control_plane import ControlPlane
from hasim.simulation.clock import FAULT, INPUT, WAKE_UP, Call
from hasim.simulation.control import stretches
from hasim.simulation.laws import Constant, Lognormal
from hasim.simulation.run import begin, simulate
from hasim.simulation.settings import (
    BurstSettings,
    FixedRtt,
    JitterLaw,
    NetworkSettings,
    PoissonArrivals,
    WorldSettings,
)
from hasim.simulation.settings.faults import (
    Crash,
    Hang,
    LatencySpike,
    NetworkPartition,
    PacketLoss,
    PowerOff,
)
from hasim.simulation.settings.operations import EndMaintenance, Maintenance, Switch
from hasim.simulation.world import World
from hasim.singles import singly
from hasim.study.gate.fingerprint import fingerprint
from hasim.study.replaying import what_if
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation import planes
from tests.simulation.worlds import Recorded, after, lasting, traffic, world

even_phases = planes.even_phases

GRID_NS = planes.GRID_NS


class Seen(NamedTuple):
    """What there is to compare: the journal, and the state of the control plane at some times."""

    journal: Journal
    states: list[Any]
    draws: dict[tuple[str, str], int]


def seen(of: WorldSettings, probes: str, asked: tuple[tuple[int, int], ...] = ()) -> Seen:
    """Run a world, and ask its control plane at these times (and ranks) how it is."""
    made = World(dataclasses.replace(of, probes=probes), Recorded(), seed=1, replication=0)
    made.journal.header = simulate(
        dataclasses.replace(of, horizon_ns=1), Recorded(), seed=1, replication=0
    ).header | {"horizon_ns": of.horizon_ns}
    (driver,) = made.drivers.values()
    states: list[Any] = []
    for at_ns, rank in asked:
        Call(made.env, at_ns, rank, lambda _: states.append(state_of(driver.control_plane)))
    begin(made)
    made.messages.run(of.horizon_ns)
    made.settle()
    states.append(state_of(driver.control_plane))
    draws = {ends: link.taken for ends, link in made.network.links.items() if link.taken}
    return Seen(made.give_journal(), states, draws)


def state_of(control_plane: ControlPlane) -> dict[str, Any]:
    """All that is frozen but when it was told something last: of stretches it is told later."""
    frozen = control_plane.freeze()
    del frozen["last_ns"]
    return frozen


def lanes(journal: Journal, *, truth: bool) -> list[Any]:
    return [record for record in journal.records if (record.lane == "truth") is truth]


def assert_alike(of: WorldSettings, asked: tuple[tuple[int, int], ...] = ()) -> Journal:
    """Both ways are one; returns the journal with stretches."""
    single, handed = seen(of, "single", asked), seen(of, "stretches", asked)
    assert not list(single.journal.of(ProbeStretch))
    one, other = lanes(single.journal, truth=False), lanes(singly(handed.journal), truth=False)
    for number, (left, right) in enumerate(zip(one, other, strict=False)):
        assert left == right, f"record {number}"
    assert len(one) == len(other)
    assert lanes(single.journal, truth=True) == lanes(handed.journal, truth=True)
    assert single.states == handed.states
    assert single.draws == handed.draws
    assert measure(single.journal) == measure(handed.journal)
    return handed.journal


rhythms = st.sampled_from(
    [
        {},
        {"rhythm": "clock"},
        {"rhythm": "clock", "interval_jitter_ns": 7 * GRID_NS, "down_interval_ns": 40 * GRID_NS},
        {"spread_checks": "20%", "down_interval_ns": 70 * GRID_NS, "fatal": ["refused"]},
        {
            "interval_jitter_percent": "50%",
            "interval_jitter_ns": GRID_NS,
            "initial_delay_ns": SECOND,
        },
        {"timeout_ns": 300 * GRID_NS, "down_interval_ns": 10 * GRID_NS},
        {"connect_timeout_ns": 4 * GRID_NS},
        {"connect_timeout_ns": 30 * GRID_NS, "rhythm": "clock"},
    ]
)
"""Beside those of every world: by the clock, with jitter, other intervals, long timeouts."""


@st.composite
def worlds(draw: Any) -> WorldSettings:
    """Any small world, in which masters are probed often enough that there are stretches."""

    def one(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    made, _ = draw(planes.worlds())
    horizon_s, masters = one(10, 40), made.masters
    plan = planes.faults(
        one(True, False), horizon_s, several=len(masters) > 1, owned=not made.stateless
    )
    return dataclasses.replace(
        made,
        horizon_ns=horizon_s * SECOND,
        masters=tuple(
            dataclasses.replace(
                m,
                health=one("shallow", "shallow", "deep", "tcp", "write"),
                health_work=one(None, Constant(mean_ns=GRID_NS), Lognormal(mean_ns=SECOND)),
            )
            for m in masters
        ),
        faults=tuple(draw(st.lists(plan, max_size=6))),
        operations=tuple(draw(st.lists(planes.operations(horizon_s, len(masters)), max_size=3))),
        network=dataclasses.replace(
            made.network,
            rtt=FixedRtt(rtt_ns=one(2, 4, 10) * GRID_NS // one(1, 7)),
            local_rtt_ns=one(0, MILLISECOND, 2 * GRID_NS),
            loss=one(0.0, 0.0, 0.01, 0.05),
            jitter=one(None, JitterLaw(cv=0.5)),
        ),
        traffic=dataclasses.replace(made.traffic, arrivals=PoissonArrivals(rate_per_s=one(2, 20))),
        detection=detection(
            **{
                "evidence": one(("probe",), ("probe", "messages")),
                "interval_ns": one(20, 33, 50, 100) * GRID_NS,
                "fast_interval_ns": one(10, 20) * GRID_NS,
                "timeout_ns": one(10, 20) * GRID_NS,
                "fall": one(1, 2, 3),
                "error_limit": one(1, 2, 5),
                "observe": one("answers", "connection"),
                "count_by": one("in-row", "in-window", "share"),
                "error_window_ns": one(50, 500) * GRID_NS,
                "error_volume": 5,
                "on_error": one("fail-check", "fast-interval", "sudden-death", "mark-down"),
                **draw(rhythms),
            }
        ),
        data_plane=one("compiled", "compiled", "reference"),
    )


@given(
    worlds(),
    st.lists(
        st.tuples(
            st.integers(0, 999).map(lambda n: n * GRID_NS),
            st.sampled_from([FAULT, INPUT, WAKE_UP]),
        ),
        max_size=3,
    ),
    st.sampled_from([1, stretches.FEWEST]),
)
@settings(max_examples=40, deadline=None)
def test_any_world_is_the_same_both_ways(
    of: WorldSettings, asked: list[tuple[int, int]], fewest: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stretches, "FEWEST", fewest)  # 1: whatever can be handed over is
        patch.setattr(stretches, "PATIENCE", 0 if fewest == 1 else stretches.PATIENCE)
        assert_alike(of, tuple(asked))


def quiet(horizon_s: float = 300, **more: Any) -> WorldSettings:
    """Three masters far from each other, probed each second."""
    more.setdefault("network", NetworkSettings(jitter=JitterLaw(cv=0.3), loss=0.001))
    more.setdefault("detection", detection(interval_ns=SECOND, fall=3))
    return world(horizon_s, traffic=traffic(20), **more)


def handed_over(journal: Journal) -> float:
    """The share of the probes that were told in stretches."""
    inside = sum(stretch.sent for _, stretch in journal.of(ProbeStretch))
    return inside / (inside + sum(1 for _ in journal.of(SendProbe)))


def test_nearly_all_probes_of_a_quiet_world_are_handed_over() -> None:
    journal = assert_alike(quiet())
    assert handed_over(journal) > 0.97
    assert {stretch.cause for _, stretch in journal.of(ProbeStretch)} == {Cause.OK}


@pytest.mark.parametrize(
    ("kind", "fault", "cause"),
    [("crash", Crash, Cause.REFUSED), ("hang", Hang, Cause.TIMEOUT), ("power-off", PowerOff, "")],
)
def test_probes_of_a_failed_master_are_handed_over_as_well(
    kind: Any, fault: Any, cause: str
) -> None:
    down = fault(kind=kind, target="m1", at=after(50), for_=lasting(200))
    journal = assert_alike(quiet(faults=(down,)))
    assert handed_over(journal) > 0.9
    failed = [s for _, s in journal.of(ProbeStretch) if s.cause is not Cause.OK]
    assert {stretch.cause for stretch in failed} == {cause or Cause.TIMEOUT, Cause.TIMEOUT}
    assert {stretch.master for stretch in failed} == {"m1"}


def test_a_probe_that_comes_late_after_the_cure_is_on_its_way_all_the_time() -> None:
    """A hang, and a network so slow that probes arrive when the master lives again."""
    faults = (
        Hang(kind="hang", target="m1", at=after(20), for_=lasting(60)),
        LatencySpike(
            kind="latency-spike", target="m1", at=after(25), for_=lasting(100), extra_ns=7 * SECOND
        ),
    )
    journal = assert_alike(quiet(faults=faults))
    late = [r for t, r in journal.of(ProbeReply) if 80 * SECOND < t < 110 * SECOND]
    assert [reply.master for reply in late].count("m1") > 3


def test_what_changes_at_one_master_leaves_the_others_probing_alone() -> None:
    faults = tuple(
        PacketLoss(kind="packet-loss", target="m1", at=after(n), for_=lasting(0.5), loss=0.01)
        for n in range(10, 290, 10)
    )
    journal = assert_alike(quiet(network=NetworkSettings(), faults=faults))
    told = [stretch.master for _, stretch in journal.of(ProbeStretch)]
    assert told.count("m2") == told.count("m3") <= 4 < told.count("m1")


def test_failed_messages_interrupt_only_what_they_speak_against() -> None:
    """At 2 % loss, single failed messages are everywhere, and two in a row are rare."""
    journal = assert_alike(quiet(network=NetworkSettings(loss=0.01)))
    assert handed_over(journal) > 0.8


def test_operations_find_the_control_plane_up_to_date() -> None:
    operations = (
        Maintenance(do="maintenance", at_ns=100 * SECOND, master="m2"),
        Switch(do="switch-algorithm", at_ns=120 * SECOND, algorithm="least-loaded"),
        EndMaintenance(do="end-maintenance", at_ns=150 * SECOND, master="m2"),
    )
    journal = assert_alike(quiet(operations=operations))
    taken_out = [t for t, c in journal.of(StatusChanged) if c.new is Status.MAINTENANCE]
    assert taken_out == [100 * SECOND]


def test_the_fingerprint_and_replays_are_the_same() -> None:
    crash = Crash(kind="crash", target="m1", at=after(50), for_=lasting(30))
    single, handed = (
        simulate(quiet(faults=(crash,), probes=probes), Recorded(), seed=1, replication=0)
        for probes in ("single", "stretches")
    )
    assert fingerprint(single) == fingerprint(handed)
    assert replay_recorded(handed).difference is None
    changes = [("detection.fall", 1), ("detection.interval", "2s")]
    assert what_if(single, changes).records == what_if(handed, changes).records


def test_probes_that_queue_at_a_master_are_not_handed_over_though_no_answer_comes_back() -> None:
    """They are served there all the same, and take their share of luck."""
    one_way = NetworkPartition(
        kind="partition", scope="monitor", direction="from", target="m1",
        at=after(20), for_=lasting(100),
    )  # fmt: skip
    masters = tuple(dataclasses.replace(m, health="deep") for m in quiet().masters)
    journal = assert_alike(quiet(masters=masters, faults=(one_way,)))
    assert handed_over(journal) < 0.1


def test_at_no_distance_probes_go_one_by_one() -> None:
    """An answer would be there before the wake-up that asks for it is over."""
    network = NetworkSettings(local_rtt_ns=0)
    assert handed_over(assert_alike(quiet(30, network=network))) == 0.0


def test_bursts_of_loss_end_stretches_and_nothing_else_does() -> None:
    bursts = BurstSettings(share=0.01, mean_ns=SECOND)
    journal = assert_alike(quiet(1000, network=NetworkSettings(bursts=bursts)))
    assert handed_over(journal) > 0.8
