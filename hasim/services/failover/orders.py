"""Orders and their answers: what is told apart from what was heard before, or asked by nobody."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from hasim.events import (
    Demote,
    DemoteResult,
    DiscardTransfer,
    Fence,
    FenceResult,
    Promote,
    PromoteResult,
    TransferResult,
    TransferState,
)

AnyOrder = Fence | TransferState | DiscardTransfer | Promote | Demote
AnyAnswer = FenceResult | TransferResult | PromoteResult | DemoteResult
T = TypeVar("T", bound=AnyOrder)

ANSWERS: dict[type, type[AnyAnswer]] = {
    Fence: FenceResult,
    TransferState: TransferResult,
    Promote: PromoteResult,
    Demote: DemoteResult,
}
"""What answers an order; one that is not in it is answered by nobody."""
MOST_OPEN = 1000
"""So many orders may await their answers: those that were waited for longest are given up."""


@dataclass(slots=True)
class OpenOrder:
    """An order that nobody has answered: what answers it, and what that must repeat."""

    number: int
    answer: str
    repeats: tuple[int, str, int]
    """The failover, the master, the epoch (0 if it has none)."""


class Orders:
    """Numbers each order, and takes one answer to each; `issued` is the number of the last one.

    All are given under the present `term`, and an answer to one of another term is none.

    An answer speaks for what was ordered before its order, and for nothing later: that a master
    was powered off says nothing of a promotion that it was given since.
    """

    def __init__(self, issued: int = 0, open_: Iterable[OpenOrder] = ()) -> None:
        self.issued = issued
        self.term = 1
        self._open = {order.number: order for order in open_}

    @property
    def open(self) -> list[OpenOrder]:
        """The orders that await an answer, oldest first."""
        return list(self._open.values())

    @property
    def concern(self) -> frozenset[int]:
        """The failovers for which somebody may yet answer."""
        return frozenset(order.repeats[0] for order in self._open.values())

    def issue(self, order: T) -> T:
        """The same order with the next number; its answer will have that, too."""
        self.issued += 1
        answer = ANSWERS.get(type(order))
        if answer is not None:
            self._open[self.issued] = OpenOrder(self.issued, answer.__name__, _repeated(order))
            if len(self._open) > MOST_OPEN:
                del self._open[next(iter(self._open))]
        return dataclasses.replace(order, order=self.issued, term=self.term)

    def begin(self, term: int) -> None:
        """Orders of earlier terms await no answer any more; the numbers go on."""
        self.term = term
        self._open.clear()

    def settle(self, answer: AnyAnswer) -> str:
        """Take an answer; an empty text, or why it answers nothing and shall change nothing."""
        if answer.term != self.term:
            return f"foreign: of term {answer.term}, the present one is {self.term}"
        asked = self._open.get(answer.order)
        if asked is None:
            if 1 <= answer.order <= self.issued:
                return f"doubled or late: order {answer.order} awaits no answer any more"
            return f"foreign: there was no order {answer.order}, {self.issued} was the last"
        if (type(answer).__name__, _repeated(answer)) != (asked.answer, asked.repeats):
            failover, master, epoch = asked.repeats
            under = f" under epoch {epoch}" if epoch else ""
            return (
                f"foreign: what answers order {asked.number} is a {asked.answer} of {master} "
                f"for failover {failover}{under}"
            )
        del self._open[asked.number]
        return ""


def _repeated(message: AnyOrder | AnyAnswer) -> tuple[int, str, int]:
    """What an order and its answer have in common."""
    about = message.master if isinstance(message, Fence | FenceResult) else message.target
    return message.failover, about, getattr(message, "epoch", 0)
