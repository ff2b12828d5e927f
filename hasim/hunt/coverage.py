"""What a run has reached: transitions, verdicts, diagnoses, refusals, faults in each state."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from hasim.events import (
    FailoverChanged,
    InputRefused,
    Restart,
    StatusChanged,
    TermBegun,
    TermEnded,
)
from hasim.journal import Journal
from hasim.measures.courses import TERMINAL
from hasim.model import Diagnosis, Status
from hasim.services.failover.lifecycle import LIFECYCLE
from hasim.truth import FaultStarted, WritesLost

QUIET = "quiet"
"""The state of the failover that is furthest, where there is none."""


def reached(journal: Journal) -> frozenset[str]:
    """The features that a journal shows, each as ``group: what``."""
    found: set[str] = set()
    states: dict[int, str] = {}
    for record in journal.records:
        body = record.body
        match body:
            case FailoverChanged():
                found.add(f"transition: {body.old or 'begin'} -{body.trigger}-> {body.new}")
                states[body.failover] = body.new
                if body.new in TERMINAL:
                    del states[body.failover]
            case StatusChanged():
                found.add(f"status: {body.old} -> {body.new}")
                if body.diagnosis is not Diagnosis.NONE:
                    found.add(f"diagnosis: {body.diagnosis}")
            case FaultStarted():
                for state in states.values() or (QUIET,):
                    found.add(f"fault in state: {body.kind} while {state}")
            case InputRefused():
                found.add(f"refused: {body.input}, {body.reason.partition(':')[0]}")
            case TermBegun() | TermEnded() | Restart() | WritesLost():
                found.add(f"event: {type(body).__name__}")
            case _:
                pass
    return frozenset(found)


def possible(kinds: Iterable[str]) -> dict[str, int]:
    """How many features of a group there can be, where that is known."""
    states = [state for state, row in LIFECYCLE.items() if row and state]
    return {
        "transition": sum(len(row) for row in LIFECYCLE.values()),
        "status": len(Status) * (len(Status) - 1),
        "diagnosis": len(Diagnosis) - 1,
        "fault in state": len(list(product(kinds, [*states, QUIET]))),
    }


def group(feature: str) -> str:
    """The group of a feature."""
    return feature.partition(":")[0]
