"""Each failover keeps to the table of its lifecycle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hasim.events import FailoverChanged
from hasim.measures.courses import TERMINAL
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.services.failover.lifecycle import LIFECYCLE

Lifecycle = Mapping[str, Mapping[str, str]]


def illegal(case: Case, lifecycle: Lifecycle = LIFECYCLE) -> Iterator[Found]:
    """Each step that is not in the table ``{state: {trigger: state}}``."""
    for course in case.facts.courses:
        state = ""
        for t_ns, change in course.changes:
            problem = _problem(course.master, state, change, lifecycle)
            if problem:
                yield Found(t_ns, f"failover {change.failover}", problem)
            state = change.new


def _problem(master: str, state: str, change: FailoverChanged, lifecycle: Lifecycle) -> str:
    step = f"{change.old!r} -> {change.new!r} on {change.trigger!r}"
    if change.master != master:
        return f"{step}: was of {master}, is of {change.master}"
    if change.old != state:
        return f"{step}, but its state was {state!r}"
    if state in TERMINAL:
        return f"{step}, after its end"
    if state == "" and change.new != "declared":
        return f"{step}: does not begin as declared"
    legal = lifecycle.get(state, {})
    return "" if legal.get(change.trigger) == change.new else f"{step}: not in the lifecycle"


LEGAL_STEPS = Invariant(
    "legal-steps",
    "Each failover begins as declared, takes only steps of the lifecycle table, and does nothing "
    "after its end.",
    "A failover skips a step, such as the verification of a transfer, or goes on after its end.",
    illegal,
    "observer",
)
