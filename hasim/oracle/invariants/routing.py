"""Gateways are told what the control plane holds of masters and owners, until they have it."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.events import (
    GatewayHello,
    GatewayReport,
    OwnerChanged,
    PublishRouting,
    RoutingAck,
    RoutingConverged,
    StatusChanged,
    TermBegun,
)
from hasim.model import RoutingTable, Status
from hasim.oracle.case import Case, follow
from hasim.oracle.invariant import Found, Invariant

OUT = (Status.FAILED, Status.RECOVERING)


def _follows(case: Case) -> Iterator[Found]:
    """Look at the newest table after each exchange in which a verdict or an owner has changed."""
    status = dict(case.unheard)
    owner = {partition.id: partition.owner for partition in case.facts.records.partitions}
    table: RoutingTable | None = None
    eligible = {name for name, master in case.masters.items() if not master.absent}
    for exchange in case.exchanges:
        news = False
        for out in exchange.outputs:
            follow(status, exchange, out)
            if isinstance(out, StatusChanged):
                news = True
            elif isinstance(out, OwnerChanged):
                owner[out.partition] = out.owner
                news = True
            elif isinstance(out, TermBegun):
                owner.update({one.partition: one.owner for one in out.owners})
            elif isinstance(out, PublishRouting):
                if table is not None and (out.table.term, out.table.version) < (
                    table.term,
                    table.version,
                ):
                    text = f"version {out.table.version} follows version {table.version}"
                    yield Found(exchange.t_ns, out.gateway, text)
                table, eligible, news = out.table, set(out.table.eligible), True
        if news and exchange.acts:
            for master in sorted(m for m in eligible if status[m] in OUT):
                text = f"{status[master].value}, and gateways are told to use it"
                yield Found(exchange.t_ns, master, text)
            left = {m for m in case.masters if status[m] is Status.HEALTHY} - eligible
            for master in sorted(left):
                yield Found(exchange.t_ns, master, "healthy, and gateways are told not to use it")
            for one in table.owners if table is not None else ():
                if one.owner != owner[one.partition]:
                    text = f"gateways are told {one.owner}, the owner is {owner[one.partition]}"
                    yield Found(exchange.t_ns, one.partition, text)


def _converges(case: Case) -> Iterator[Found]:
    gateways = case.journal.header["cluster"]["gateways"]
    acknowledged = dict.fromkeys(gateways, (1, 1))
    incarnation = dict.fromkeys(gateways, 1)
    for exchange in case.exchanges:
        item = exchange.item
        if isinstance(item, GatewayHello | GatewayReport):
            if item.incarnation > incarnation.get(item.gateway, 1):
                incarnation[item.gateway] = item.incarnation
                acknowledged[item.gateway] = (0, 0)
        elif isinstance(item, RoutingAck) and item.incarnation == incarnation[item.gateway]:
            known = acknowledged[item.gateway]
            acknowledged[item.gateway] = max(known, (item.term, item.version))
        for out in exchange.outputs:
            if isinstance(out, RoutingConverged):
                behind = [g for g, (_, version) in acknowledged.items() if version < out.version]
                if behind:
                    text = f"version {out.version} has not reached {', '.join(behind)}"
                    yield Found(exchange.t_ns, "routing", text)


def _repeats(case: Case) -> Iterator[Found]:
    every_ns = case.settings.balancing.resend_interval_ns
    sent: dict[str, tuple[int, RoutingTable]] = {}

    def overdue(t_ns: int) -> Iterator[Found]:
        for gateway, (sent_ns, table) in list(sent.items()):
            if t_ns - sent_ns > every_ns and not case.is_disturbed(sent_ns, t_ns):
                text = f"version {table.version} was not sent again for {t_ns - sent_ns} ns"
                yield Found(sent_ns, gateway, text)
                del sent[gateway]

    newest: dict[str, tuple[int, RoutingTable]] = {}
    began: dict[str, int] = {}
    for exchange in case.exchanges:
        yield from overdue(exchange.t_ns)
        item = exchange.item
        if isinstance(item, GatewayHello) and item.incarnation > began.get(item.gateway, 1):
            # Another process of a gateway knows nothing of what it was sent before.
            began[item.gateway] = item.incarnation
            if exchange.acts and item.gateway in newest:
                sent[item.gateway] = exchange.t_ns, newest[item.gateway][1]
        elif isinstance(item, RoutingAck) and item.gateway in sent:
            table = sent[item.gateway][1]
            if (item.term, item.version) == (table.term, table.version):
                del sent[item.gateway]
        for out in exchange.outputs:
            if isinstance(out, PublishRouting):
                newest[out.gateway] = sent[out.gateway] = exchange.t_ns, out.table
    yield from overdue(case.horizon_ns)


ROUTING_FOLLOWS = Invariant(
    "routing-follows",
    "Gateways are told to use every master that is declared healthy, none that is failed or "
    "recovering, and the owners that were confirmed; versions never run back.",
    "Messages are sent to a master that is known to have failed, or to an old owner.",
    _follows,
)
ROUTING_CONVERGES = Invariant(
    "routing-converges",
    "Routing has converged only when each gateway, as it runs now, has acknowledged that version.",
    "A failover ends as redirected while a gateway still sends to the old owner.",
    _converges,
)
ROUTING_REPEATS = Invariant(
    "routing-repeats",
    "A routing table is sent again to a gateway that has not acknowledged it in time.",
    "One lost packet leaves a gateway with old routing for ever.",
    _repeats,
)
