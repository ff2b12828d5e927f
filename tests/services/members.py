"""Masters and gateways as a control plane meets them: they have roles, tables, and terms."""

from __future__ import annotations

from hasim.events import (
    AskGateway,
    AskMaster,
    Demote,
    DemoteResult,
    DiscardTransfer,
    Effect,
    Fence,
    GatewayHello,
    Input,
    MasterState,
    ProbeReply,
    Promote,
    PromoteResult,
    PublishRouting,
    RoutingAck,
    SendProbe,
    TransferResult,
    TransferState,
)
from hasim.model import Cause, Cluster, Ownership, RoutingTable
from tests.services.bench import Bench, fenced, whole


class Members:
    """Answers a control plane's orders and questions as masters and gateways do.

    `cut` are those from whom nothing comes back, `hung` those that do nothing either.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.terms = dict.fromkeys([*(m.id for m in cluster.masters), *cluster.gateways], 1)
        self.roles: dict[str, dict[str, int]] = {m.id: {} for m in cluster.masters}
        self.floors: dict[str, dict[str, int]] = {m.id: {} for m in cluster.masters}
        for partition in cluster.partitions:
            self.roles[partition.owner][partition.id] = 1
        owners = tuple(Ownership(p.id, p.owner, 1) for p in cluster.partitions)
        names = tuple(master.id for master in cluster.masters)
        self.tables = {g: RoutingTable(1, names, owners, "round-robin") for g in cluster.gateways}
        self.claims = dict.fromkeys(self.terms, "")
        self.cut: set[str] = set()
        self.hung: set[str] = set()
        self.ever: set[tuple[str, int, str]] = set()
        """(partition, epoch, master) of every promotion that was obeyed."""

    def serve(self, bench: Bench) -> None:
        """Answer this bench's control plane from now on."""
        for kind in (SendProbe, AskMaster, AskGateway, Fence, TransferState, Promote, Demote):
            bench.overrides[kind] = self.answer
        bench.overrides[PublishRouting] = self.answer

    def writers(self, partition: str) -> set[str]:
        """Who accepts its writes."""
        return {master for master, roles in self.roles.items() if partition in roles}

    def answer(self, effect: Effect) -> Input | None:
        """What comes back, if anything does."""
        about = next(
            getattr(effect, f) for f in ("gateway", "target", "master") if hasattr(effect, f)
        )
        if isinstance(effect, Fence):  # over a line of its own
            self.roles[effect.master].clear()
            return fenced(effect)
        if about in self.hung:
            return None
        made = self._obey(effect, about)
        return None if about in self.cut else made

    def _hears(self, name: str, term: int) -> bool:
        if term < self.terms[name]:
            return False
        self.terms[name] = term
        return True

    def _grants(self, name: str, term: int, claim: str) -> None:
        if term > self.terms[name]:
            self.terms[name], self.claims[name] = term, claim

    def _obey(self, effect: Effect, name: str) -> Input | None:
        match effect:
            case SendProbe(master, probe):
                return ProbeReply(master, probe, Cause.OK)
            case AskMaster(master, term, claim):
                self._grants(master, term, claim)
                known = {**self.floors[master], **self.roles[master]}
                knows = tuple(
                    Ownership(p, master if p in self.roles[master] else "", epoch)
                    for p, epoch in known.items()
                )
                return MasterState(master, self.terms[master], knows, self.claims[master])
            case AskGateway(gateway, term, claim):
                self._grants(gateway, term, claim)
                table = self.tables[gateway]
                known = (1, table.version, self.terms[gateway], table.owners, self.claims[gateway])
                return GatewayHello(gateway, *known)
            case TransferState():
                if not self._hears(name, effect.term):
                    return self._refused(effect)
                answer = whole(effect)
                return TransferResult(
                    answer.failover, name, Cause.OK, answer.copies, answer.order, effect.term
                )
            case Promote():
                return self._promote(effect)
            case Demote():
                if not self._hears(name, effect.term):
                    return self._refused(effect)
                for partition in effect.partitions:
                    self.floors[name][partition] = effect.epoch
                    if self.roles[name].get(partition, effect.epoch) < effect.epoch:
                        del self.roles[name][partition]
                return DemoteResult(
                    effect.failover, name, Cause.OK, effect.epoch, effect.order, effect.term
                )
            case PublishRouting(gateway, table):
                newest = self.tables[gateway]
                newer = (table.term, table.version) > (newest.term, newest.version)
                if self._hears(gateway, table.term) and newer:
                    self.tables[gateway] = table
                return RoutingAck(gateway, self.tables[gateway].version, 1, self.terms[gateway])
            case DiscardTransfer() | _:
                return None

    def _refused(self, effect: TransferState | Demote) -> Input:
        term = self.terms[effect.target]
        if isinstance(effect, TransferState):
            return TransferResult(
                effect.failover, effect.target, Cause.REJECTED, (), effect.order, term
            )
        return DemoteResult(
            effect.failover, effect.target, Cause.REJECTED, effect.epoch, effect.order, term
        )

    def _promote(self, effect: Promote) -> Input:
        name, epoch = effect.target, effect.epoch
        obeyed = self._hears(name, effect.term)
        if not obeyed or any(epoch < self.floors[name].get(p, 0) for p in effect.partitions):
            return PromoteResult(
                effect.failover, name, Cause.REJECTED, epoch, effect.order, self.terms[name]
            )
        for partition in effect.partitions:
            self.roles[name][partition] = self.floors[name][partition] = epoch
            self.ever.add((partition, epoch, name))
        return PromoteResult(effect.failover, name, Cause.OK, epoch, effect.order, effect.term)
