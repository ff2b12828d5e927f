"""Gateways send to whom their routing says, and a retry goes to somebody else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from hasim.events import GatewayHello, PublishRouting, RoutingAck
from hasim.measures.spans import Span
from hasim.model import SERVED, Cause, Ownership, RoutingTable
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.truth import AttemptRollup, FaultCured, FaultStarted, MessageRecord

NOBODY = (Cause.UNROUTABLE.value, Cause.OVERFLOW.value)
CAUSES = frozenset(cause.value for cause in Cause)


class Tables:
    """Which routing tables a gateway may use between two moments."""

    def __init__(self, case: Case) -> None:
        self._published: dict[str, list[tuple[int, RoutingTable]]] = defaultdict(list)
        self._known: dict[str, list[tuple[int, tuple[int, int]]]] = defaultdict(list)
        self._struck: dict[str, list[int]] = defaultdict(list)
        first, told = _first(case), _Told(case)
        for gateway in case.journal.header["cluster"]["gateways"]:
            self._published[gateway].append((0, first))
            self._known[gateway].append((0, (first.term, first.version)))
        for exchange in case.exchanges:
            item = exchange.item
            if isinstance(item, RoutingAck) and told.by_the_living(exchange.t_ns, item):
                self._known[item.gateway].append((exchange.t_ns, (item.term, item.version)))
            elif isinstance(item, GatewayHello):
                self._struck[item.gateway].append(exchange.t_ns)
            for out in exchange.outputs:
                if isinstance(out, PublishRouting):
                    self._published[out.gateway].append((exchange.t_ns, out.table))
        for t_ns, fault in case.facts.records.of(FaultStarted):
            for gateway in fault.others:
                self._struck[gateway].append(t_ns)

    def between(self, gateway: str, start_ns: int, end_ns: int) -> list[RoutingTable]:
        """All that it may have used, if that is known; it keeps what it has acknowledged."""
        struck_ns = max((t for t in self._struck[gateway] if t <= end_ns), default=-1)
        # Who refuses a table names the term that it obeys, which need not be that of its own table:
        # it is none that was sent by then.
        sent: dict[tuple[int, int], int] = {}
        for t_ns, table in self._published[gateway]:
            sent.setdefault((table.term, table.version), t_ns)
        known = [
            version
            for t_ns, version in self._known[gateway]
            if struck_ns < t_ns < start_ns and sent.get(version, t_ns + 1) <= t_ns
        ]
        least = max(known, default=None)
        if least is None:
            return []
        return [
            table
            for t_ns, table in self._published[gateway]
            if t_ns <= end_ns and (table.term, table.version) >= least
        ]


class _Told:
    """What a gateway says comes late now and then, and from a process that is no more."""

    def __init__(self, case: Case) -> None:
        self._crashes = [
            (t_ns, fault.others)
            for t_ns, fault in case.facts.records.of(FaultStarted)
            if fault.kind == "gateway-crash"
        ]
        self._said = dict.fromkeys(case.journal.header["cluster"]["gateways"], (1, 0))

    def by_the_living(self, t_ns: int, ack: RoutingAck) -> bool:
        """Whether it has not crashed since it first spoke as this incarnation."""
        incarnation, since_ns = self._said[ack.gateway]
        if ack.incarnation > incarnation:
            self._said[ack.gateway] = ack.incarnation, t_ns
            return True
        died = any(ack.gateway in who and since_ns <= at <= t_ns for at, who in self._crashes)
        return ack.incarnation == incarnation and not died


def _first(case: Case) -> RoutingTable:
    """What every gateway knows without being told: the cluster as it is at the start."""
    here = tuple(name for name, master in case.masters.items() if not master.absent)
    away = tuple(name for name, master in case.masters.items() if master.absent)
    owners = tuple(Ownership(p.id, p.owner, 1) for p in case.facts.records.partitions)
    return RoutingTable(1, here, owners, case.settings.balancing.algorithm, (), away)


def _find(case: Case) -> Iterator[Found]:
    asked = case.journal.header.get("requests")
    if asked is None or asked["keeps"] or case.settings.balancing.panic_threshold:
        return
    tables = Tables(case)
    for _, message in case.facts.records.of(MessageRecord):
        if not message.master:
            continue
        end_ns = message.ended_ns or case.horizon_ns
        usable = tables.between(message.gateway, message.arrived_ns, end_ns)
        if usable and not any(_allowed(table, message) for table in usable):
            text = f"message {message.message} went to it: {_why(message)}"
            yield Found(message.arrived_ns, message.master, text)


def _allowed(table: RoutingTable, message: MessageRecord) -> bool:
    if message.master not in table.eligible:
        return False
    if not message.partition:
        return message.master not in table.draining
    owners = (one.owner for one in table.owners if one.partition == message.partition)
    return message.master in owners


def _why(message: MessageRecord) -> str:
    if message.partition:
        return f"it is not eligible, or does not own {message.partition}, in any routing in use"
    return "it is not eligible in any routing in use"


def _elsewhere(case: Case) -> Iterator[Found]:
    """Of the attempts of a message that ended at a master every second one failed elsewhere.

    So there are no more of them than failures at all others, but for those that no attempt
    followed. A gateway that is down fails attempts itself, which are at no master: messages of
    that time are not looked at.
    """
    asked = case.journal.header.get("requests")
    balancing = case.settings.balancing
    guarded = balancing.outliers or balancing.breaker or balancing.panic_threshold
    limited = balancing.limits.max_concurrency or balancing.limits.max_requests
    if asked is None or not asked["elsewhere"] or asked["keeps"] or guarded or limited:
        return  # clients that keep a master go to it again
    followed: Counter[str] = Counter()
    for _, row in case.facts.records.of(AttemptRollup):
        if row.cause not in SERVED:
            followed[row.master] += row.attempts
    tables, again, away = Tables(case), Counter[str](), _away(case)
    for _, message in case.facts.records.of(MessageRecord):
        end_ns = message.ended_ns or case.horizon_ns
        down = any(s.start_ns <= end_ns and message.arrived_ns <= s.end_ns for s in away)
        if down or not message.master or message.outcome in NOBODY:
            continue
        if message.outcome in CAUSES and message.outcome not in SERVED:
            followed[message.master] -= 1
        if message.attempts > 1 and not message.partition and not _alone(case, tables, message):
            again[message.master] += message.attempts // 2
    for master, count in sorted(again.items()):
        others = followed.total() - followed[master]
        if count > others:
            text = f"{count} retries ended at it, and only {others} attempts failed elsewhere"
            yield Found(case.horizon_ns, master, text)


def _away(case: Case) -> list[Span]:
    """When a gateway was down, or had no table yet: until the first that it has acknowledged."""
    records = case.facts.records
    cured = {cured.fault: t_ns for t_ns, cured in records.of(FaultCured)}
    known = [t_ns for t_ns, _ in records.of(RoutingAck)]
    away = []
    for t_ns, fault in records.of(FaultStarted):
        if fault.kind == "gateway-crash":
            back_ns = cured.get(fault.fault, case.horizon_ns)
            away.append(Span(t_ns, min((t for t in known if t > back_ns), default=case.horizon_ns)))
    return away


def _alone(case: Case, tables: Tables, message: MessageRecord) -> bool:
    """Whether at some time perhaps no other master could have been chosen."""
    end_ns = message.ended_ns or case.horizon_ns
    usable = tables.between(message.gateway, message.arrived_ns, end_ns)
    return min((len({*one.eligible} - {*one.draining}) for one in usable), default=0) < 2


ELIGIBLE_ALONE = Invariant(
    "eligible-alone",
    "Without panic no message goes to a master that is not eligible in any routing that its "
    "gateway may use, and an owned one only to the owner (looked at where single messages are "
    "kept).",
    "Clients meet masters that are known not to serve.",
    _find,
)
RETRIES_ELSEWHERE = Invariant(
    "retries-elsewhere",
    "With `retry.master: another` a retry goes to another master than the attempt that failed, as "
    "long as there is one (looked at where single messages are kept).",
    "A retry meets the same failure again.",
    _elsewhere,
)
