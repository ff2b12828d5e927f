"""Operations at run time, and what the balance of load did around each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hasim.events import (
    OPERATIONS,
    PublishRouting,
    RollBackFailover,
    RoutingConverged,
    SwitchAlgorithm,
    SwitchOver,
)
from hasim.measures.facts import Facts
from hasim.truth import LoadSample
from hasim.units import SECOND, seconds

BEFORE_NS, AFTER_NS = 20 * SECOND, 120 * SECOND
"""What is looked at before and after an operation."""
NAMES = {
    "StartMaintenance": "maintenance",
    "StopMaintenance": "end-maintenance",
    "DrainMaster": "drain",
    "UndrainMaster": "undrain",
    "AddMaster": "add",
    "RemoveMaster": "remove",
    "SwitchAlgorithm": "switch-algorithm",
    "RecordFailure": "declare-failed",
    "RecordRecovery": "declare-healthy",
    "CheckMaster": "check",
    "ExecuteFailover": "fail-over",
    "RollBackFailover": "roll-back",
    "ConfirmOff": "confirm-off",
    "SwitchOver": "switchover",
    "AcknowledgeFailover": "acknowledge",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRow:
    """One operation: `operation` numbers those of a run from 1, by time.

    `subject` is the master (and to whom it hands over), the algorithm that was switched to, or the
    failover. `routed_s` is the time until every gateway uses the first routing table that was
    published in what is looked at after it: 120 s, or up to the next operation. None: none was.
    """

    operation: int
    done_at_s: float
    do: str
    subject: str
    routed_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransientRow:
    """One second around an operation, as one master saw it.

    `offset_s` is the start of the second since the operation; `sent` counts the attempts
    sent to the master in it, `lost` the messages of the whole run's traffic that ended
    without an answer in it (the same for each master).
    """

    operation: int
    offset_s: float
    master: str
    sent: int
    lost: int


def operations_of(facts: Facts) -> list[OperationRow]:
    """The operations of a run, by time."""
    ordered = _ordered(facts)
    return [
        OperationRow(
            operation=number,
            done_at_s=seconds(t_ns),
            do=NAMES[type(body).__name__],
            subject=_subject(body),
            routed_s=_routed_s(facts, t_ns, min((t for t, _ in ordered if t > t_ns), default=None)),
        )
        for number, (t_ns, body) in enumerate(ordered, 1)
    ]


def transients_of(facts: Facts) -> list[TransientRow]:
    """The seconds around each operation, from the one before it to the one after it at most."""
    times = [t_ns for t_ns, _ in _ordered(facts)]
    samples = dict(facts.records.of(LoadSample))
    rows = []
    for number, t_ns in enumerate(times, 1):
        first = max((t for t in times if t < t_ns), default=0)
        last = min((t for t in times if t > t_ns), default=facts.horizon_ns)
        for start_ns, sample in samples.items():
            following = samples.get(start_ns + SECOND)
            inside = first <= start_ns and start_ns + SECOND <= last
            near = -BEFORE_NS <= start_ns - t_ns < AFTER_NS
            if following is None or not inside or not near or (start_ns - t_ns) % SECOND:
                continue
            rows += [
                TransientRow(
                    operation=number,
                    offset_s=seconds(start_ns - t_ns),
                    master=master.id,
                    sent=following.sent[place] - sample.sent[place],
                    lost=following.lost - sample.lost,
                )
                for place, master in enumerate(facts.records.masters)
            ]
    return rows


def _subject(body: Any) -> str:
    if isinstance(body, RollBackFailover):
        return f"failover {body.failover}"
    if isinstance(body, SwitchOver):
        return f"{body.master or ', '.join(body.partitions)} to {body.to}"
    return body.algorithm if isinstance(body, SwitchAlgorithm) else str(body.master)


def _ordered(facts: Facts) -> list[tuple[int, Any]]:
    found: list[tuple[int, Any]] = [item for kind in OPERATIONS for item in facts.records.of(kind)]
    return sorted(found, key=lambda item: item[0])


def _routed_s(facts: Facts, t_ns: int, next_ns: int | None) -> float | None:
    """The first table published since, until it has converged; not one of what came later."""
    end_ns = t_ns + AFTER_NS if next_ns is None else min(next_ns, t_ns + AFTER_NS)
    published = (b for t, b in facts.records.of(PublishRouting) if t_ns <= t < end_ns)
    first = next(published, None)
    if first is None:
        return None
    version = first.table.version
    converged = (
        t for t, b in facts.records.of(RoutingConverged) if t >= t_ns and b.version >= version
    )
    done = next(converged, None)
    return None if done is None else seconds(done - t_ns)
