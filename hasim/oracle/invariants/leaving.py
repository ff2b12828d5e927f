"""A candidate that fails is left at once."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.events import FailoverChanged, MasterState, StatusChanged, TermBegun
from hasim.model import Status
from hasim.oracle.case import Case, Noted
from hasim.oracle.invariant import Found, Invariant

AT_WORK = ("catching-up", "handing-over", "transferring", "promoting")


def _find(case: Case) -> Iterator[Found]:
    if case.withholds:
        return
    state = Noted[FailoverChanged]()
    items = (exchange.item for exchange in case.exchanges)
    said = {(item.term, item.master) for item in items if isinstance(item, MasterState)}
    for exchange in case.telling:
        state.follow(exchange)
        failed = set[str]()
        for out in exchange.outputs:
            if isinstance(out, StatusChanged):
                failed.discard(out.master)
                if out.new is Status.FAILED:
                    failed.add(out.master)
            elif isinstance(out, FailoverChanged):
                state[out.failover] = out
            elif isinstance(out, TermBegun):
                # Who has answered is checked first.
                failed -= {master for master in failed if (out.term, master) in said}
        for number, last in state.items() if failed and exchange.acts else ():
            if last.candidate in failed - {last.master} and last.new in AT_WORK:
                text = f"failover {number} is {last.new} with it, although it was declared failed"
                yield Found(exchange.t_ns, last.candidate, text)


FAILED_ARE_LEFT = Invariant(
    "failed-candidates-are-left",
    "A candidate that is declared failed while it takes over is left at once; if it answers a "
    "control plane that begins, as soon as that has checked it.",
    "A failover waits for a master that is known to be dead.",
    _find,
    "observer",
)
