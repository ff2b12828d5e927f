"""A journal told by hand: records by time in seconds, with a header like a simulated run's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hasim.events import FailoverChanged, OwnerChanged, StatusChanged
from hasim.journal import Body, Journal, Lane, Record
from hasim.model import Diagnosis, Status
from hasim.truth import (
    FaultCured,
    FaultStarted,
    MasterFenced,
    MasterRestarted,
    PartitionAnswered,
    PartitionServed,
    StatelessServed,
    Writers,
)
from hasim.units import nanoseconds

LIFECYCLE: dict[str, dict[str, str]] = {
    "": {"declare": "declared"},
    "declared": {"fence": "fencing", "no-fencing": "selecting"},
    "fencing": {"fenced": "selecting", "give-up": "failed"},
    "selecting": {"selected": "transferring", "no-candidate": "waiting"},
    "transferring": {"transferred": "promoting", "torn": "rolling-back"},
    "promoting": {"promoted": "redirecting", "refused": "rolling-back"},
    "rolling-back": {"rolled-back": "selecting"},
    "waiting": {"candidate-appeared": "selecting", "owner-recovered": "cancelled"},
    "redirecting": {"redirected": "verifying", "timed-out": "verifying"},
    "verifying": {"verified": "completed"},
}
OBSERVER = "observer"
HAPPY = ("fencing", "selecting", "transferring", "promoting", "redirecting", "completed")


def _verified(steps: Iterable[tuple[float, str]]) -> Iterator[tuple[float, str]]:
    """The steps, with the verification, which takes no time, before the end."""
    for t_s, new in steps:
        if new == "completed":
            yield t_s, "verifying"
        yield t_s, new


def header(horizon_s: float, fencing: str = "confirmed", replication: int = 0) -> dict[str, Any]:
    masters = [
        {"id": name, "region": "west", "priority": rank, "workers": 4}
        for rank, name in enumerate("abc", 1)
    ]
    about = {"site": "west", "settings": {}, "late_window_ns": 25 * 10**8}
    about["one_primary"] = fencing == "confirmed"
    about["recovery_ns"] = 4 * 10**9
    return {
        "scenario": "by-hand",
        "cell": {},
        "replication": replication,
        "seed": 7,
        "horizon_ns": nanoseconds(horizon_s),
        "cluster": {
            "masters": masters,
            "partitions": [{"id": f"p{n}", "owner": m} for n, m in enumerate("abc", 1)],
            "gateways": ["west"],
            "rtt_ns": [[0, 0, 0]],
        },
        "observers": {OBSERVER: about},
        "traffic": {"timeout_ns": 2 * 10**9, "deadline_ns": 5 * 10**9},
        "hasim": "0",
    }


class Story:
    """Three masters a, b, c, each owning p1, p2, p3; the late window is 2.5 s, a recovery 4 s."""

    def __init__(
        self, horizon_s: float = 100.0, fencing: str = "confirmed", replication: int = 0
    ) -> None:
        self.header = header(horizon_s, fencing, replication)
        self.told: list[Record] = []
        self.owner = {"p1": "a", "p2": "b", "p3": "c"}
        for partition, owner in self.owner.items():
            self.truth(0, Writers(partition, (owner,)))
            self.up(0, partition)
        self.truth(0, StatelessServed(True))
        self.states: dict[int, str] = {}

    def tell(self, t_s: float, lane: Lane, body: Body) -> None:
        by = "" if lane == "truth" else OBSERVER
        self.told.append(Record(nanoseconds(t_s), lane, body, by))

    def truth(self, t_s: float, body: Body) -> None:
        self.tell(t_s, "truth", body)

    def event(self, t_s: float, body: Body) -> None:
        self.tell(t_s, "event", body)

    def fault(
        self,
        number: int,
        masters: str,
        start_s: float,
        end_s: float | None,
        kind: str = "crash",
        impairing: bool = True,
    ) -> None:
        self.truth(start_s, FaultStarted(number, kind, tuple(masters), impairing, ""))
        if end_s is not None:
            self.truth(end_s, FaultCured(number))

    def status(self, t_s: float, master: str, new: Status) -> None:
        self.event(t_s, StatusChanged(master, Status.UNKNOWN, new, Diagnosis.NONE, "by hand"))

    def declare(self, master: str, t_s: float, until_s: float | None = None) -> None:
        self.status(t_s, master, Status.FAILED)
        if until_s is not None:
            self.status(until_s, master, Status.RECOVERING)
            self.status(until_s, master, Status.HEALTHY)

    def down(self, t_s: float, partition: str) -> None:
        self.truth(t_s, PartitionServed(partition, False, self.owner[partition], "owner down"))

    def up(self, t_s: float, partition: str, owner: str = "") -> None:
        self.owner[partition] = owner or self.owner[partition]
        self.truth(t_s, PartitionServed(partition, True, self.owner[partition], ""))

    def answered(self, t_s: float, partition: str) -> None:
        self.truth(t_s, PartitionAnswered(partition))

    def fenced(self, master: str, failover: int, t_s: float, restarted_s: float | None) -> None:
        self.truth(t_s, MasterFenced(master, failover, OBSERVER))
        if restarted_s is not None:
            self.truth(restarted_s, MasterRestarted(master))

    def failover(
        self,
        number: int,
        master: str,
        steps: Iterable[tuple[float, str]],
        partitions: tuple[str, ...] = ("p1",),
        candidate: str = "b",
    ) -> None:
        """States and when they were entered; may be called again to go on."""
        for t_s, new in _verified(steps):
            old = self.states.get(number, "")
            triggers = [t for t, to in LIFECYCLE.get(old, {}).items() if to == new]
            chosen = candidate if new in ("transferring", "promoting", "redirecting") else ""
            trigger = triggers[0] if triggers else "none"
            self.event(
                t_s, FailoverChanged(number, master, partitions, old, new, trigger, chosen, "")
            )
            self.states[number] = new

    def promoted(self, t_s: float, partition: str, owner: str, failover: int, epoch: int) -> None:
        self.event(t_s, OwnerChanged(partition, owner, epoch, failover))
        self.truth(t_s, Writers(partition, (owner,)))

    def journal(self) -> Journal:
        return Journal(self.header, sorted(self.told, key=lambda r: r.t_ns))


def happy(story: Story, number: int, master: str, times_s: Iterable[float], **more: Any) -> None:
    """A failover that goes well: declared, then the happy path, at these times."""
    story.failover(number, master, zip(times_s, ("declared", *HAPPY), strict=False), **more)
