"""Only who is part of the cluster is probed."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.events import CheckMaster, SendProbe
from hasim.model import Status
from hasim.oracle.case import Case, follow
from hasim.oracle.invariant import Found, Invariant


def _find(case: Case) -> Iterator[Found]:
    status = dict(case.unheard)
    for exchange, out in case.outputs:
        follow(status, exchange, out)
        if isinstance(out, SendProbe) and not isinstance(exchange.item, CheckMaster):
            if status[out.master] is not Status.MAINTENANCE:
                continue
            text = f"probe {out.probe} is sent to it, which is out of service"
            yield Found(exchange.t_ns, out.master, text)


MEMBERS_ALONE = Invariant(
    "members-are-probed",
    "No master that is absent, removed or in maintenance is probed, unless an operator asks.",
    "A master that is meant to be away is declared failed, and alerts wake somebody.",
    _find,
    "observer",
)
