"""Answers to orders, on their way to a control plane: they may be lost, or come twice."""

from __future__ import annotations

from hasim.events import (
    DemoteResult,
    FenceResult,
    GatewayHello,
    Input,
    MasterState,
    PromoteResult,
    RoutingAck,
    TransferResult,
)

ANSWERS: frozenset[type[Input]] = frozenset(
    {
        *(FenceResult, TransferResult, PromoteResult, DemoteResult),
        *(MasterState, GatewayHello, RoutingAck),
    }
)
"""What answers an order or a question; checks, leases and reports are none of them."""


class Answers:
    """What faults do to the answers of one control plane; several faults may overlap."""

    def __init__(self) -> None:
        self.lost = 0
        """As many faults lose them."""
        self.again_ns: list[int] = []
        """After each of these times they come once more (nanoseconds)."""

    @property
    def struck(self) -> bool:
        """Whether any fault concerns them."""
        return bool(self.lost or self.again_ns)

    @staticmethod
    def concern(item: Input) -> bool:
        """Whether an input is one of them."""
        return type(item) in ANSWERS

    def strike(self, again_ns: int) -> None:
        """From now on they are lost (0), or come once more after so long (nanoseconds)."""
        if again_ns:
            self.again_ns.append(again_ns)
        else:
            self.lost += 1

    def heal(self, again_ns: int) -> None:
        """The same is over."""
        if again_ns:
            self.again_ns.remove(again_ns)
        else:
            self.lost -= 1
