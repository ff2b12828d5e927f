"""What the control plane orders, carried out in the simulated world: all of it can be lost."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from hasim.events import (
    Copy,
    Demote,
    DemoteResult,
    DiscardTransfer,
    Effect,
    Fence,
    FenceResult,
    GatewayReport,
    Input,
    Promote,
    PromoteResult,
    PublishRouting,
    SendProbe,
    TransferResult,
    TransferState,
)
from hasim.model import Cause
from hasim.simulation.clock import ARRIVAL, COMPLETION, INPUT, Call
from hasim.simulation.control.probes import Probes
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.state import NO_COPY
from hasim.simulation.network import OBSERVER, master_endpoint
from hasim.truth import MasterFenced, MasterRestarted, WritesLost

if TYPE_CHECKING:
    from hasim.simulation.world import World


class Commands:
    """Performs effects; every answer comes back as an input, if it comes back."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.env = world.env
        self.probes = Probes(world)

    def perform(self, effect: Effect) -> None:
        """Put one effect on its way."""
        if type(effect) is SendProbe:  # nearly all are
            self.probes.send(effect)
            return
        match effect:
            case Fence():
                delay = self.world.settings.fencing_device.latency_ns
                Call(self.env, delay, COMPLETION, self._fence, effect)
            case TransferState():
                self._order(effect.target, lambda m: self._transfer(m, effect))
            case Promote():
                self._order(effect.target, lambda m: self._promote(m, effect))
            case Demote():
                self._order(effect.target, lambda m: self._demote(m, effect))
            case PublishRouting():
                self._publish(effect)
            case DiscardTransfer():
                pass  # a staged copy that was never committed leaves nothing behind
            case _:
                raise TypeError(f"the control plane cannot order {effect!r}")

    def report(self, report: GatewayReport, endpoint: str) -> None:
        """A gateway's report crosses to the control plane."""
        self._input(endpoint, report)

    # -- crossings ---------------------------------------------------------------

    def _cross(self, source: str, target: str, rank: int, then: Callable[[], None]) -> None:
        delay = self.world.network.cross(source, target)
        if delay >= 0:
            Call(self.env, delay, rank, lambda _: then())

    def _to_master(self, master: str, then: Callable[[SimMaster], None]) -> None:
        target = self.world.masters[master]
        self._cross(OBSERVER, master_endpoint(master), ARRIVAL, lambda: then(target))

    def _order(self, master: str, then: Callable[[SimMaster], None]) -> None:
        """A command on a connection: it never reaches a process that started after it was sent."""
        target = self.world.masters[master]
        life = target.life

        def arrive(target: SimMaster) -> None:
            if target.life == life or target.refusing:
                then(target)

        self._to_master(target.id, arrive)

    def _answer(self, master: SimMaster, item: Input) -> None:
        self._input(master_endpoint(master.id), item)

    def _input(self, source: str, item: Input) -> None:
        delay = self.world.network.cross(source, OBSERVER)
        if delay >= 0:
            Call(self.env, delay, INPUT, self.world.driver.receive, item)

    # -- fencing -----------------------------------------------------------------

    def _fence(self, event: Call) -> None:
        effect: Fence = event.load
        world, device = self.world, self.world.settings.fencing_device
        if world.fence_fails(effect.master):
            world.driver.feed(FenceResult(effect.failover, effect.master, confirmed=False))
            return
        master = world.masters[effect.master]
        master.forget_roles()
        master.offs += 1
        world.record(MasterFenced(master.id, effect.failover))
        master.update_condition()
        Call(self.env, device.restart_ns, COMPLETION, self._restart, master)
        world.driver.feed(FenceResult(effect.failover, effect.master, confirmed=True))

    def _restart(self, event: Call) -> None:
        master: SimMaster = event.load
        master.offs -= 1
        self.world.record(MasterRestarted(master.id))
        master.update_condition()

    # -- state transfer ----------------------------------------------------------

    def _transfer(self, target: SimMaster, effect: TransferState) -> None:
        if not target.answering:
            if target.refusing:
                self._answer(target, TransferResult(effect.failover, target.id, Cause.REFUSED))
            return
        sources = [self._freshest(target, partition, effect) for partition in effect.partitions]
        if any(position == NO_COPY for _, position in sources):
            self._answer(target, TransferResult(effect.failover, target.id, Cause.ERROR))
            return
        delay = 0
        for partition, (source, position) in zip(effect.partitions, sources, strict=True):
            state = self.world.states[partition]
            held = state.position(self.env.now, target.id)
            delay += state.transfer_ns(held, position)
            if source != target.id:
                delay += self.world.network.rtt_ns(
                    master_endpoint(source), master_endpoint(target.id)
                )
            state.hold(position)
        began = (target.life, [self.world.states[p].history for p in effect.partitions])
        Call(self.env, delay, COMPLETION, self._transferred, (target, effect, sources, began))

    def _freshest(
        self, target: SimMaster, partition: str, effect: TransferState
    ) -> tuple[str, int]:
        """The reachable copy with the highest position; the target's own wins a tie."""
        world, state = self.world, self.world.states[partition]
        best = (target.id, state.position(self.env.now, target.id))
        for source in effect.sources:
            position = state.position(self.env.now, source)
            if position > best[1] and world.can_replicate(source, target.id):
                best = (source, position)
        return best

    def _transferred(self, event: Call) -> None:
        target, effect, sources, (life, histories) = event.load
        if target.answering and target.life == life:
            self._hand_over(target, effect, sources, histories)
        for partition, (_, position) in zip(effect.partitions, sources, strict=True):
            self.world.states[partition].let_go(position)

    def _hand_over(
        self,
        target: SimMaster,
        effect: TransferState,
        sources: list[tuple[str, int]],
        histories: list[int],
    ) -> None:
        """The copies are at the target, or what is left of them."""
        torn = self.world.torn_transfers.get(target.id, 0) > 0
        copies, whole = [], True
        for partition, history, (source, position) in zip(
            effect.partitions, histories, sources, strict=True
        ):
            state = self.world.states[partition]
            broken = (
                torn
                or state.history != history  # another candidate was promoted meanwhile
                or not (source == target.id or self.world.can_replicate(source, target.id))
            )
            whole = whole and not broken
            size = state.bytes_at(position)
            arrived = size // 2 if broken else size
            copies.append(
                Copy(
                    partition,
                    source,
                    position,
                    size,
                    state.checksum(position, size),
                    arrived,
                    state.checksum(position, arrived),
                )
            )
        for copy in copies if whole else ():
            state = self.world.states[copy.partition]
            state.receive(target.id, copy.position, self.world.lag_ns(state.owner, target.id))
            # One that had no copy before is a standby from now on.
            state.refresh(self.env.now, self.world.can_replicate)
        result = TransferResult(effect.failover, target.id, Cause.OK, tuple(copies))
        self._answer(target, result)

    # -- roles -------------------------------------------------------------------

    def _promote(self, target: SimMaster, effect: Promote) -> None:
        if target.answering and self.world.dies_on_promotion(target.id):
            self._answer(
                target, PromoteResult(effect.failover, target.id, Cause.RESET, effect.epoch)
            )
        elif target.refusing:
            self._answer(
                target, PromoteResult(effect.failover, target.id, Cause.REFUSED, effect.epoch)
            )
        elif target.answering:
            delay = self.world.settings.promotion.duration_ns
            Call(self.env, delay, COMPLETION, self._promoted, (target, effect, target.life))

    def _promoted(self, event: Call) -> None:
        target, effect, life = event.load
        if not target.answering or target.life != life:
            return
        world = self.world
        cause = target.promote(effect.partitions, effect.epoch)
        for partition in effect.partitions if cause is Cause.OK else ():
            state = world.states[partition]
            lost, age_ns = state.change_owner(
                self.env.now, target.id, effect.failover, partial(world.lag_ns, target.id)
            )
            if lost:
                world.record(
                    WritesLost(partition, effect.failover, lost, lost * state.write_bytes, age_ns)
                )
        world.changed()
        self._answer(target, PromoteResult(effect.failover, target.id, cause, effect.epoch))

    def _demote(self, target: SimMaster, effect: Demote) -> None:
        if target.refusing:
            self._answer(
                target, DemoteResult(effect.failover, target.id, Cause.REFUSED, effect.epoch)
            )
        elif target.answering:
            target.demote(effect.partitions, effect.epoch)
            self._answer(target, DemoteResult(effect.failover, target.id, Cause.OK, effect.epoch))

    # -- routing -----------------------------------------------------------------

    def _publish(self, effect: PublishRouting) -> None:
        gateway = self.world.gateways[effect.gateway]

        def apply() -> None:
            before = self.world.churn.before(gateway, effect.table)
            ack = gateway.balancer.apply_routing(self.env.now, effect.table)
            self.world.churn.after(gateway, before)
            self.world.rerouted()
            self.world.begin_feedback()
            self._input(gateway.endpoint, ack)

        self._cross(OBSERVER, gateway.endpoint, COMPLETION, apply)
