"""Only who is fit is chosen to take over, and is promoted."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.events import FailoverChanged, Promote
from hasim.model import Status
from hasim.oracle.case import Case, Noted, follow
from hasim.oracle.invariant import Found, Invariant

CHOSEN = ("selected", "catch-up")
ANEW = ("declare", "candidate-appeared", "owner-failed")
"""With these those that were tried get another chance."""
ENDED = ("completed", "cancelled", "failed")


def _find(case: Case) -> Iterator[Found]:
    status = dict(case.unheard)
    running = Noted[FailoverChanged]()
    # Where nobody passes, those that were tried get another chance if that is wanted.
    chances = 2 if case.settings.failover.if_none == "promote" else 1
    tried = Noted[tuple[str, ...]]()
    planned = Noted[bool]()
    for exchange in case.exchanges:
        running.follow(exchange)
        tried.follow(exchange)
        planned.follow(exchange)
        for out in exchange.outputs:
            follow(status, exchange, out)
            if isinstance(out, FailoverChanged):
                if out.trigger in ("planned", "owner-failed"):
                    planned[out.failover] = out.trigger == "planned"
                before = () if out.trigger in ANEW else tried.get(out.failover, ())
                if out.trigger in CHOSEN and out.candidate != out.master:
                    # What is withheld has not reached the failover.
                    known = dict.fromkeys(status, Status.HEALTHY) if case.withholds else status
                    enough = before.count(out.candidate) >= chances
                    idle = {n for n in planned if planned[n] and running[n].new == "waiting"}
                    problem = _problem(out, known, running, idle, enough)
                    if problem:
                        yield Found(exchange.t_ns, out.candidate, problem)
                    before = (*before, out.candidate)
                tried[out.failover] = before
                running[out.failover] = out
                if out.new in ENDED:
                    del running[out.failover]
                    planned.pop(out.failover, None)
            elif isinstance(out, Promote):
                course = running.get(out.failover)
                if course is not None and out.target != course.candidate:
                    text = f"promoted, but failover {out.failover} has chosen {course.candidate}"
                    yield Found(exchange.t_ns, out.target, text)


def _problem(
    chosen: FailoverChanged,
    status: dict[str, Status],
    running: dict[int, FailoverChanged],
    idle: set[int],
    tried_enough: bool,
) -> str:
    candidate, of = chosen.candidate, f"chosen by failover {chosen.failover}"
    if status[candidate] is not Status.HEALTHY:
        return f"{of}, but it is {status[candidate].value}"
    others = (one for one in running.values() if one.failover != chosen.failover)
    if candidate in {one.master for one in others if one.failover not in idle}:
        return f"{of}, but it is failed over itself"
    return f"{of} a second time" if tried_enough else ""


FIT_CANDIDATES = Invariant(
    "fit-candidates",
    "Only a master that is declared healthy, is not being failed over itself (but for a switchover "
    "that waits) and was not tried already is chosen to take over, and only the chosen one is "
    "promoted.",
    "Partitions move to a master that cannot serve them.",
    _find,
    "observer",
)
