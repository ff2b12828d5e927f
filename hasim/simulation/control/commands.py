"""What a control plane orders, carried out in the simulated world."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hasim.events import (
    AskGateway,
    AskMaster,
    AskOpinion,
    CancelFence,
    Demote,
    DiscardTransfer,
    Effect,
    Fence,
    GiveOpinion,
    GrantLease,
    ObserverTold,
    OpinionAsked,
    OpinionGiven,
    Promote,
    PublishRouting,
    SendGossip,
    SendProbe,
    TellObserver,
    TransferState,
)
from hasim.simulation.clients.rerouting import Rerouting
from hasim.simulation.clock import COMPLETION
from hasim.simulation.control.fencing import FencingDevice
from hasim.simulation.control.gossip import Agents
from hasim.simulation.control.post import Post
from hasim.simulation.control.probes import Probes
from hasim.simulation.control.roles import Roles
from hasim.simulation.control.transfers import Transfers
from hasim.simulation.masters.master import SimMaster


class Commands:
    """Performs the effects of one observer; every answer comes back as an input, if it does."""

    def __init__(
        self,
        post: Post,
        masters: dict[str, SimMaster],
        probes: Probes,
        device: FencingDevice,
        transfers: Transfers,
        roles: Roles,
        rerouting: Rerouting,
    ) -> None:
        self.probes = probes
        self._post = post
        self._masters = masters
        self._device = device
        self._transfers = transfers
        self._roles = roles
        self._rerouting = rerouting
        self.peers: dict[str, Post] = {}
        """The posts of all observers of the cluster, by name: set before the start."""
        self.granted: Callable[[SimMaster, GrantLease], None] = lambda target, effect: None
        """What a master does with a lease, where fencing goes by them: set before the start."""
        self.agents: Agents | None = None
        """The other members of the gossip, if there is one."""

    def perform(self, effect: Effect) -> None:
        """Put one effect on its way."""
        if type(effect) is SendProbe:  # nearly all are
            self.probes.send(effect)
            return
        match effect:
            case Fence() | CancelFence():
                self._device.take(effect, self._post)
            case AskMaster() | GrantLease():
                target = self._masters[effect.master]
                self._post.order(target, partial(self._tell, target, effect))
            case AskGateway():
                self._ask(effect)
            case TransferState():
                target = self._masters[effect.target]
                self._post.order(target, lambda: self._transfers.begin(target, effect))
            case Promote():
                target = self._masters[effect.target]
                self._post.order(target, lambda: self._roles.promote(target, effect))
            case Demote():
                target = self._masters[effect.target]
                self._post.order(target, lambda: self._roles.demote(target, effect))
            case PublishRouting():
                self._publish(effect)
            case AskOpinion() | GiveOpinion() | TellObserver() | SendGossip():
                self._speak(effect)
            case DiscardTransfer():
                pass  # a staged copy that was never committed leaves nothing behind
            case _:
                raise TypeError(f"the control plane cannot order {effect!r}")

    def _tell(self, target: SimMaster, effect: AskMaster | GrantLease) -> None:
        if isinstance(effect, AskMaster):
            self._roles.ask(target, effect)
        else:
            self.granted(target, effect)

    def _ask(self, effect: AskGateway) -> None:
        endpoint = self._rerouting.endpoint_of(effect.gateway)

        def arrive() -> None:
            hello = self._rerouting.ask(effect)
            if hello is not None:
                self._post.bring(endpoint, hello)

        self._post.send(endpoint, COMPLETION, arrive)

    def _speak(self, effect: AskOpinion | GiveOpinion | TellObserver | SendGossip) -> None:
        """Something for another observer, or for a member of the gossip."""
        own = self._post
        match effect:
            case SendGossip():
                assert self.agents is not None
                self.agents.send(own.observer, own.endpoint, effect.member, effect.packet)
            case AskOpinion() if effect.peer in self._masters:
                witness = self._masters[effect.peer]
                own.order(witness, lambda: self._testify(witness, effect))
            case AskOpinion():
                asked = OpinionAsked(own.observer, effect.master, effect.number)
                self.peers[effect.peer].bring(own.endpoint, asked)
            case GiveOpinion():
                given = OpinionGiven(
                    own.observer, effect.master, effect.number, effect.down, effect.seen_ns
                )
                self.peers[effect.peer].bring(own.endpoint, given)
            case TellObserver(peer, word, ballot, master, ok):
                told = ObserverTold(own.observer, word, ballot, master, ok)
                self.peers[peer].bring(own.endpoint, told)

    def _testify(self, standby: SimMaster, effect: AskOpinion) -> None:
        """A standby says whether replication from a master is broken."""
        broken = self._transfers.replication.testimony(effect.master, standby.id)
        if standby.answering and broken is not None:
            given = OpinionGiven(standby.id, effect.master, effect.number, broken)
            self._post.answer(standby, given)

    def _publish(self, effect: PublishRouting) -> None:
        endpoint = self._rerouting.endpoint_of(effect.gateway)

        def arrive() -> None:
            ack = self._rerouting.take_up(effect.gateway, effect.table)
            if ack is not None:
                self._post.bring(endpoint, ack)

        self._post.send(endpoint, COMPLETION, arrive)
