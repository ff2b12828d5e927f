"""Promotions and demotions: who accepts the writes of a partition from now on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from hasim.events import AskMaster, Demote, DemoteResult, MasterState, Promote, PromoteResult
from hasim.model import Cause
from hasim.simulation.changes import Changes
from hasim.simulation.clock import COMPLETION, Call
from hasim.simulation.control.post import Post
from hasim.simulation.durations import Durations
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.partitions import Partitions
from hasim.simulation.masters.tokens import Tokens
from hasim.simulation.masters.traps import Traps
from hasim.truth import Truth, WritesLost


class Roles:
    """Carries out `Promote` and `Demote` at their targets, which are of these `masters`."""

    def __init__(
        self,
        post: Post,
        masters: Mapping[str, SimMaster],
        takes: Durations,
        partitions: Partitions,
        traps: Traps,
        changes: Changes,
        record: Callable[[Truth], None],
        tokens: Tokens | None,
    ) -> None:
        self._env = post.env
        self._post = post
        self._masters = masters
        self._takes = takes
        self._partitions = partitions
        self._traps = traps
        self._changes = changes
        self._record = record
        self._tokens = tokens

    def promote(self, target: SimMaster, effect: Promote) -> None:
        """The order has come to its target."""
        if target.answering and not (target.obeys(effect.term) and target.may_lead):
            self._promotion_ended(target, effect, Cause.REJECTED)
        elif target.answering and self._traps.kills(target.id):
            self._promotion_ended(target, effect, Cause.RESET)
        elif target.refusing:
            self._promotion_ended(target, effect, Cause.REFUSED)
        elif target.answering:
            load = (target, effect, target.life)
            states = [self._partitions.states[partition] for partition in effect.partitions]
            takes_ns = self._takes.next_ns(target.id)
            if effect.apply:
                takes_ns += max(s.unapplied_ns(self._env.now, target.id) for s in states)
            Call(self._env, takes_ns, COMPLETION, self._promoted, load)

    def _promoted(self, event: Call) -> None:
        target, effect, life = event.load
        if not target.answering or target.life != life:
            return
        # It may have granted a later term meanwhile, and said that it accepts nothing.
        obeys = target.obeys(effect.term)
        cause = self._keep_token(target, effect) if obeys else Cause.REJECTED
        if cause is Cause.OK:
            cause = target.promote(effect.partitions, effect.epoch)
        for partition in effect.partitions if cause is Cause.OK else ():
            state = self._partitions.states[partition]
            if not effect.apply:
                state.discard_unapplied(self._env.now, target.id)
            self._own(target, partition, effect.failover)
        # The master told of its role before the states had their new owner.
        self._changes.changed()
        self._promotion_ended(target, effect, cause)

    def _own(self, master: SimMaster, partition: str, failover: int) -> None:
        """A master owns a partition from now on; what its copy does not have is lost."""
        state = self._partitions.states[partition]
        order = (self._post.observer, failover)
        lag_to = partial(self._partitions.lag_ns, master.id)
        lost, age_ns = state.change_owner(self._env.now, master.id, order, lag_to)
        if lost:
            size = lost * state.write_bytes
            self._record(WritesLost(partition, failover, lost, size, age_ns, order[0]))

    def _keep_token(self, target: SimMaster, effect: Promote) -> Cause:
        """Whether a majority takes the token of the promotion, where there are tokens."""
        tokens, epoch = self._tokens, effect.epoch
        if tokens is None:
            return Cause.OK
        if not all(tokens.majority(target, p, epoch) for p in effect.partitions):
            return Cause.ERROR
        for partition in effect.partitions:
            tokens.take(target, partition, epoch)
        return Cause.OK

    def _promotion_ended(self, target: SimMaster, effect: Promote, cause: Cause) -> None:
        answer = PromoteResult(
            effect.failover, target.id, cause, effect.epoch, effect.order, target.term
        )
        self._post.answer(target, answer)

    def ask(self, target: SimMaster, effect: AskMaster) -> None:
        """The question has come to the master; a dead process says nothing."""
        if target.answering:
            target.grant(effect.term, effect.claim)
            self._post.answer(
                target, MasterState(target.id, target.term, target.known(), target.claim)
            )

    def demote(self, target: SimMaster, effect: Demote) -> None:
        """The order has come to its target."""
        if target.refusing:
            cause = Cause.REFUSED
        elif target.answering and not target.obeys(effect.term):
            cause = Cause.REJECTED
        elif target.answering:
            target.demote(effect.partitions, effect.epoch)
            for partition in effect.partitions:
                self._left(target, partition, effect.failover)
            cause = Cause.OK
        else:
            return
        answer = DemoteResult(
            effect.failover, target.id, cause, effect.epoch, effect.order, target.term
        )
        self._post.answer(target, answer)

    def _left(self, target: SimMaster, partition: str, failover: int) -> None:
        """Who has stopped owns it no more if another one accepts its writes: that one does again.

        So it is where nobody is fenced and a promotion is taken back; with tokens that other one
        has been deposed. What it acknowledged beside the first counts as lost, though it has it:
        which of several did is not kept.
        """
        writers = [m for m in self._masters.values() if m.answering and partition in m.primaries]
        owned = self._partitions.owner_of(partition) == target.id
        if owned and writers and self._tokens is None:
            heir = max(writers, key=lambda master: master.primaries[partition])
            self._own(heir, partition, failover)
            self._changes.changed()
