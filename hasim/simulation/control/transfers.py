"""State transfers: the freshest copy that can be reached crosses to the candidate."""

from __future__ import annotations

from hasim.events import Copy, TransferResult, TransferState
from hasim.model import Cause
from hasim.simulation.clock import COMPLETION, Call
from hasim.simulation.control.post import Post
from hasim.simulation.durations import Durations
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.partitions import Partitions, Replication
from hasim.simulation.masters.state import NO_COPY
from hasim.simulation.masters.traps import Traps
from hasim.simulation.network import master_endpoint


class Transfers:
    """Carries out `TransferState` at its target."""

    def __init__(
        self,
        post: Post,
        partitions: Partitions,
        replication: Replication,
        traps: Traps,
        setup: Durations,
    ) -> None:
        self._env = post.env
        self._post = post
        self._network = post.network
        self._partitions = partitions
        self.replication = replication
        self._traps = traps
        self._setup = setup

    def begin(self, target: SimMaster, effect: TransferState) -> None:
        """The order has come to its target."""
        if not target.answering:
            if target.refusing:
                self._answer(target, effect, Cause.REFUSED)
            return
        if not target.obeys(effect.term):
            self._answer(target, effect, Cause.REJECTED)
            return
        sources = [self._freshest(target, partition, effect) for partition in effect.partitions]
        if any(position == NO_COPY for _, position in sources):
            self._answer(target, effect, Cause.ERROR)
            return
        delay = self._setup.next_ns(target.id)
        for partition, (source, position) in zip(effect.partitions, sources, strict=True):
            state = self._partitions.states[partition]
            held = state.position(self._env.now, target.id)
            # One partition after the other: they share the network's bandwidth.
            delay += state.transfer_ns(held, position)
            if source != target.id:
                delay += self._network.rtt_ns(master_endpoint(source), master_endpoint(target.id))
            state.hold(position)
        began = (target.life, [self._partitions.states[p].history for p in effect.partitions])
        Call(self._env, delay, COMPLETION, self._end, (target, effect, sources, began))

    def _answer(
        self,
        target: SimMaster,
        effect: TransferState,
        cause: Cause,
        copies: tuple[Copy, ...] = (),
    ) -> None:
        self._post.answer(
            target,
            TransferResult(effect.failover, target.id, cause, copies, effect.order, target.term),
        )

    def _freshest(
        self, target: SimMaster, partition: str, effect: TransferState
    ) -> tuple[str, int]:
        """The reachable copy with the highest position; the target's own wins a tie."""
        state = self._partitions.states[partition]
        best = (target.id, state.position(self._env.now, target.id))
        for source in effect.sources:
            position = state.position(self._env.now, source)
            if position > best[1] and self.replication.possible(source, target.id):
                best = (source, position)
        return best

    def _end(self, event: Call) -> None:
        target, effect, sources, (life, histories) = event.load
        if target.answering and target.life == life:
            self._hand_over(target, effect, sources, histories)
        for partition, (_, position) in zip(effect.partitions, sources, strict=True):
            self._partitions.states[partition].let_go(position)

    def _hand_over(
        self,
        target: SimMaster,
        effect: TransferState,
        sources: list[tuple[str, int]],
        histories: list[int],
    ) -> None:
        """The copies are at the target, or what is left of them."""
        torn = self._traps.tears(target.id)
        copies, whole = [], True
        for partition, history, (source, position) in zip(
            effect.partitions, histories, sources, strict=True
        ):
            state = self._partitions.states[partition]
            broken = (
                torn
                or state.history != history  # another candidate was promoted meanwhile
                or not (source == target.id or self.replication.possible(source, target.id))
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
                    state.behind_ns(source),
                )
            )
        for copy in copies if whole else ():
            state = self._partitions.states[copy.partition]
            lag_ns = self._partitions.lag_ns(state.owner, target.id)
            state.receive(target.id, copy.position, lag_ns)
            # One that had no copy before is a standby from now on.
            state.refresh(self._env.now, self.replication.streams, self.replication.extra_ns)
        # Torn copies are answered too: it is for the control plane to compare the checksums.
        self._answer(target, effect, Cause.OK, tuple(copies))
