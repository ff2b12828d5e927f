"""A control plane acts under terms that grow, and never under an older one."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.events import Demote, Fence, Promote, PublishRouting, TermBegun, TransferState
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant


def _find(case: Case) -> Iterator[Found]:
    term = 1
    for exchange, out in case.deeds:
        told: int | None = None
        if isinstance(out, TermBegun):
            if out.term <= term:
                text = f"term {out.term} begins after term {term}"
                yield Found(exchange.t_ns, case.observer, text)
            term = out.term
        elif isinstance(out, Fence | TransferState | Promote | Demote):
            told = out.term
        elif isinstance(out, PublishRouting):
            told = out.table.term
        if told is not None and told != term:
            text = f"{type(out).__name__} under term {told}, it acts under {term}"
            yield Found(exchange.t_ns, case.observer, text)
        if told is not None and not exchange.acts:
            text = f"{type(out).__name__}, although it does not act before a majority has answered"
            yield Found(exchange.t_ns, case.observer, text)


TERMS_GROW = Invariant(
    "terms-grow",
    "Each term of a control plane is above all earlier ones, and what it orders and publishes is "
    "of the present one; it does neither before a majority has granted it.",
    "Two control planes order against each other.",
    _find,
)
