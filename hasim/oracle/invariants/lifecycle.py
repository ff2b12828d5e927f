"""Each failover keeps to the table of its lifecycle."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from hasim.events import FailoverChanged, Restart, TakeSnapshot
from hasim.measures.courses import TERMINAL
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.services.failover.lifecycle import LIFECYCLE

Lifecycle = Mapping[str, Mapping[str, str]]


def illegal(case: Case, lifecycle: Lifecycle = LIFECYCLE) -> Iterator[Found]:
    """Each step that is not in the table ``{state: {trigger: state}}``."""
    restored = list(_restored(case))
    for course in case.facts.courses:
        state, last_ns, begun_ns, ahead = "", 0, 0, deque(restored)
        for t_ns, change in course.changes:
            while ahead and ahead[0][0] <= t_ns:  # once each, also if all is of one instant
                restart_ns, kept_ns = ahead.popleft()
                # It goes on where the snapshot was taken; one of a process in which nothing was
                # done has what that began with.
                if last_ns <= restart_ns and not last_ns <= begun_ns <= kept_ns:
                    state = course.state.at(kept_ns)
                begun_ns = restart_ns
            last_ns = t_ns
            problem = _problem(course.master, state, change, lifecycle)
            if problem:
                yield Found(t_ns, f"failover {change.failover}", problem)
            state = change.new


def _restored(case: Case) -> Iterator[tuple[int, int]]:
    """When a process began with a snapshot, and when that was taken (ns)."""
    kept_ns = 0
    for exchange in case.telling:
        if isinstance(exchange.item, TakeSnapshot):
            kept_ns = exchange.t_ns
        elif isinstance(exchange.item, Restart) and exchange.item.from_snapshot and kept_ns:
            yield exchange.t_ns, kept_ns


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
