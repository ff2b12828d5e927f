"""A bench for sans-IO machines: carries out effects at once or later, without a simulator."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any

from hasim.events import (
    CancelFence,
    Copy,
    Demote,
    DemoteResult,
    Effect,
    Event,
    Fence,
    FenceResult,
    Input,
    Output,
    ProbeReply,
    Promote,
    PromoteResult,
    PublishRouting,
    RoutingAck,
    SendProbe,
    ServiceFailed,
    TransferResult,
    TransferState,
    WakeUp,
)
from hasim.journal import EVENT_TYPES
from hasim.model import Cause, Cluster, Master, Partition
from hasim.services.control_plane import ControlPlane
from hasim.services.detection import DetectionSettings
from hasim.settings import from_plain
from hasim.settings.declaring import user_name
from hasim.units import MILLISECOND, format_duration
from tests.services.saying import assert_well_formed

Answer = Callable[[Effect], Input | None]


def cluster(count: int = 3, gateways: tuple[str, ...] = ("local",)) -> Cluster:
    """Masters m1, m2, ... with priorities 1, 2, ..., each owning p1, p2, ..."""
    masters = tuple(Master(f"m{i}", "local", i, 2) for i in range(1, count + 1))
    partitions = tuple(Partition(f"p{i}", f"m{i}") for i in range(1, count + 1))
    row = tuple(10 * MILLISECOND for _ in masters)
    return Cluster(masters, partitions, gateways, tuple(row for _ in gateways))


def whole(transfer: TransferState) -> TransferResult:
    """The answer of a target that received everything."""
    copies = tuple(Copy(p, transfer.target, 7, 100, 1, 100, 1) for p in transfer.partitions)
    return TransferResult(transfer.failover, transfer.target, Cause.OK, copies, transfer.order)


def fenced(order: Fence, *, confirmed: bool = True) -> FenceResult:
    """The answer of the fencing device."""
    return FenceResult(
        order.failover, order.master, confirmed=confirmed, order=order.order, term=order.term
    )


def promoted(order: Promote, cause: Cause = Cause.OK) -> PromoteResult:
    """The answer to a promotion."""
    return PromoteResult(order.failover, order.target, cause, order.epoch, order.order, order.term)


def demoted(order: Demote, cause: Cause = Cause.OK) -> DemoteResult:
    """The answer to a demotion."""
    return DemoteResult(order.failover, order.target, cause, order.epoch, order.order, order.term)


def detection(**beside: Any) -> DetectionSettings:
    """Settings of detection as in a scenario: parts by name, their settings beside them.

    Durations may be given in nanoseconds, under names that end so: ``interval_ns``.
    """
    written = {
        user_name(name): format_duration(value) if name.endswith("_ns") else value
        for name, value in beside.items()
    }
    return from_plain(DetectionSettings, written)


class Bench:
    """Runs a control plane against masters that are up or down; every answer takes 1 ms.

    No service may raise, unless it `may_fail`.
    """

    def __init__(self, control_plane: ControlPlane, *, may_fail: bool = False) -> None:
        self.control_plane = control_plane
        self.now = 0
        self.down: dict[str, Cause | None] = {}  # master -> how it answers; None: silence
        self.overrides: dict[type, Answer] = {}
        self.outputs: list[tuple[int, Output]] = []
        self.may_fail = may_fail
        self._order = itertools.count()
        self._pending: list[tuple[int, int, Input]] = []
        self._take(control_plane.start(0))

    def events(self, *kinds: type) -> list[Event]:
        """What the services concluded, of these kinds."""
        return [out for _, out in self.outputs if isinstance(out, kinds)]

    def feed(self, item: Input) -> None:
        """Hand in one input now."""
        self._take(self.control_plane.step(self.now, item))

    def run(self, until_ns: int) -> None:
        """Let time pass."""
        while True:
            due = self._pending[0][0] if self._pending else None
            wake = self.control_plane.next_wakeup()
            times = [t for t in (due, wake) if t is not None]
            if not times or min(times) > until_ns:
                self.now = until_ns
                return
            self.now = max(self.now, min(times))
            if due is not None and due <= self.now:
                self.feed(heapq.heappop(self._pending)[2])
            else:
                self.feed(WakeUp())

    def _take(self, outputs: list[Output]) -> None:
        assert_well_formed(outputs)
        for output in outputs:
            # A plane goes on without a service that raised: no test may take that for an answer.
            assert self.may_fail or not isinstance(output, ServiceFailed), output
            self.outputs.append((self.now, output))
            if type(output) in EVENT_TYPES:
                continue
            answer = self.overrides.get(type(output), self._answer)(output)
            if answer is not None:
                item = (self.now + MILLISECOND, next(self._order), answer)
                heapq.heappush(self._pending, item)

    def _answer(self, effect: Effect) -> Input | None:
        match effect:
            case SendProbe(master, probe):
                cause = self.down.get(master, Cause.OK)
                return None if cause is None else ProbeReply(master, probe, cause)
            case CancelFence():
                return None  # it was answered at once
            case Fence():
                return fenced(effect)
            case TransferState():
                return whole(effect)
            case Promote():
                return promoted(effect)
            case Demote():
                return demoted(effect)
            case PublishRouting(gateway, table):
                return RoutingAck(gateway, table.version)
            case _:
                return None
