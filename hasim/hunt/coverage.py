"""What a run has reached: transitions, verdicts, diagnoses, refusals, faults in each state."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations, product

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
from hasim.services.failover import lifecycle
from hasim.services.failover.lifecycle import LIFECYCLE
from hasim.truth import FaultStarted, WritesLost

AT_ONCE = (lifecycle.DECLARED, lifecycle.SELECTING)
"""States in which no time passes, so that no fault begins in them."""
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
    return {name: len(features) for name, features in thinkable(kinds).items()}


def thinkable(kinds: Iterable[str]) -> dict[str, frozenset[str]]:
    """The features of each group of which that is known, as `reached` names them."""
    states = [state for state, row in LIFECYCLE.items() if row and state and state not in AT_ONCE]
    steps = [(old, *step) for old, row in LIFECYCLE.items() for step in row.items()]
    verdicts = permutations([status.value for status in Status], 2)
    known: dict[str, Iterable[str]] = {
        "transition": (f"{old or 'begin'} -{trigger}-> {new}" for old, trigger, new in steps),
        "status": (f"{old} -> {new}" for old, new in verdicts),
        "diagnosis": (one.value for one in Diagnosis if one is not Diagnosis.NONE),
        "fault in state": (f"{k} while {s}" for k, s in product(kinds, [*states, QUIET])),
    }
    return {name: frozenset(f"{name}: {one}" for one in every) for name, every in known.items()}


def group(feature: str) -> str:
    """The group of a feature."""
    return feature.partition(":")[0]
