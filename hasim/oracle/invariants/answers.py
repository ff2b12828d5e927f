"""Orders and answers pair up: what is believed answers an order, and each is answered once."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.events import (
    Demote,
    DemoteResult,
    Fence,
    FenceResult,
    InputRefused,
    Promote,
    PromoteResult,
    TermBegun,
    TransferResult,
    TransferState,
)
from hasim.oracle.case import Case, Exchange
from hasim.oracle.invariant import Found, Invariant

Order = Fence | TransferState | Promote | Demote
Answer = FenceResult | TransferResult | PromoteResult | DemoteResult
ANSWERS = {
    Fence: FenceResult,
    TransferState: TransferResult,
    Promote: PromoteResult,
    Demote: DemoteResult,
}


def _find(case: Case) -> Iterator[Found]:
    given: dict[tuple[int, int], Order] = {}
    answered: set[tuple[int, int]] = set()
    term = 1
    for exchange in case.exchanges:
        item = exchange.item
        if isinstance(item, Answer) and exchange.acts and not _refused(exchange):
            key = (item.term, item.order)
            name = f"order {item.order}"
            if item.term != term:
                yield Found(exchange.t_ns, name, f"{item} is of another term than {term}")
            elif key not in given:
                yield Found(exchange.t_ns, name, f"{item} answers nothing that was ordered")
            elif key in answered:
                yield Found(exchange.t_ns, name, f"{item} is the second answer")
            elif not _fits(given[key], item):
                yield Found(exchange.t_ns, name, f"{item} does not answer {given[key]}")
            answered.add(key)
        for out in exchange.outputs:
            if isinstance(out, TermBegun):
                term = out.term
            elif isinstance(out, Order):
                key = (out.term, out.order)
                if key in given:
                    yield Found(exchange.t_ns, f"order {out.order}", "the number is given twice")
                given[key] = out


def _refused(exchange: Exchange) -> bool:
    kind = type(exchange.item).__name__
    return any(isinstance(o, InputRefused) and o.input == kind for o in exchange.outputs)


def _fits(order: Order, answer: Answer) -> bool:
    if ANSWERS[type(order)] is not type(answer) or order.failover != answer.failover:
        return False
    asked = order.master if isinstance(order, Fence) else order.target
    told = answer.master if isinstance(answer, FenceResult) else answer.target
    return asked == told and getattr(order, "epoch", 0) == getattr(answer, "epoch", 0)


PAIRED = Invariant(
    "answers-pair-up",
    "An answer that is believed answers an order of the present term: the same number, failover, "
    "master and epoch, and it is the first answer to it. No number is given twice.",
    "A late, doubled or foreign answer moves a failover that has not come so far.",
    _find,
    "observer",
)
