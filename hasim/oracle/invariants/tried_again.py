"""A failover that has given up is begun again after a while."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.events import FailoverChanged
from hasim.model import Status
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant


def _find(case: Case) -> Iterator[Found]:
    failover = case.settings.failover
    if failover.retry != "after-interval":
        return
    steps = [(e.t_ns, out) for e, out in case.deeds if isinstance(out, FailoverChanged)]
    for place, (t_ns, step) in enumerate(steps):
        if step.trigger != "give-up":
            continue
        due_ns = t_ns + failover.retry_interval_ns
        verdict = case.status[step.master]
        failed = verdict.at(t_ns) is Status.FAILED
        stays = failed and not any(t_ns < t <= due_ns for t in verdict.times_ns)
        if not stays or due_ns >= case.horizon_ns or case.is_disturbed(t_ns, due_ns):
            continue
        later = [(t, s) for t, s in steps[place + 1 :] if t <= due_ns and not s.old]
        if not any(begun.master == step.master for _, begun in later):
            text = f"gave up, and {step.master} is still failed after {due_ns - t_ns} ns"
            yield Found(due_ns, f"failover {step.failover}", f"{text}: none is begun")


TRIED_AGAIN = Invariant(
    "failovers-are-tried-again",
    "With `retry: after-interval` a failover that gave up is begun again "
    "after `retry_interval` if its master is still failed.",
    "One broken device, and a partition is down for ever.",
    _find,
    "observer",
)
