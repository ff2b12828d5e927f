"""Nobody is promoted without a whole, fresh enough copy of all that it takes over."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.events import (
    FailoverChanged,
    Output,
    Promote,
    StatusChanged,
    TermBegun,
    TransferResult,
    TransferState,
)
from hasim.model import Cause, Status
from hasim.oracle.case import Case, Exchange, Noted
from hasim.oracle.invariant import Found, Invariant


def _find(case: Case) -> Iterator[Found]:
    ordered: dict[int, TransferState] = {}
    fetches = case.settings.failover.transfer != "none"
    for exchange, out, planned in _outputs(case):
        if isinstance(out, TransferState):
            ordered[out.failover] = out
            if not fetches and out.failover not in planned:
                text = "is to fetch state, though it is promoted with what it has"
                yield Found(exchange.t_ns, out.target, text)
        elif isinstance(out, Promote):
            if any(isinstance(other, TermBegun) for other in exchange.outputs):
                continue  # ordered again
            if not fetches and not planned.get(out.failover):
                continue
            # Where nobody passes, the best may be promoted however far it is behind.
            may_lag = case.settings.failover.if_none == "promote" and not planned.get(out.failover)
            most_ns = None if may_lag else case.settings.failover.max_lag_ns
            problem = _problem(out, ordered.get(out.failover), exchange.item, most_ns)
            if problem:
                yield Found(exchange.t_ns, out.target, f"promoted, but {problem}")


def _outputs(case: Case) -> Iterator[tuple[Exchange, Output, Noted[bool]]]:
    """Every output, and which failovers are planned then; those fetch state in any case.

    False: its owner has failed since, which makes it one that is not planned, or will.
    """
    planned, owner = Noted[bool](), dict[int, str]()
    for exchange, out in planned.along(case):
        if isinstance(out, FailoverChanged):
            owner[out.failover] = out.master
            if out.trigger == "planned":
                planned[out.failover] = True
            elif out.trigger == "owner-failed" or out.old == "":
                planned.pop(out.failover, None)
        elif isinstance(out, StatusChanged) and out.new is Status.FAILED:
            planned.update({one: False for one in planned if owner[one] == out.master})
        yield exchange, out, planned


def _problem(order: Promote, asked: TransferState | None, item: object, most_ns: int | None) -> str:
    if asked is None or not isinstance(item, TransferResult):
        return "nothing was transferred"
    if (item.order, item.target, item.term) != (asked.order, order.target, asked.term):
        return f"what was transferred went to {item.target} by order {item.order}"
    if item.cause is not Cause.OK:
        return f"the transfer ended with {item.cause.value}"
    copies = {copy.partition: copy for copy in item.copies}
    for partition in order.partitions:
        copy = copies.get(partition)
        if copy is None:
            return f"{partition} is missing"
        if copy.received_bytes != copy.source_bytes:
            return f"{partition} has {copy.received_bytes} of {copy.source_bytes} bytes"
        if copy.received_checksum != copy.source_checksum:
            return f"the checksum of {partition} differs"
        if most_ns is not None and copy.behind_ns > most_ns:
            return f"{partition} is {copy.behind_ns} ns behind, {most_ns} ns at most"
    return ""


def _sources(case: Case) -> Iterator[Found]:
    owner: dict[int, str] = {}
    for exchange, out, planned in _outputs(case):
        if isinstance(out, FailoverChanged):
            owner[out.failover] = out.master
        elif isinstance(out, TransferState):
            dead = "" if out.failover in planned else owner.get(out.failover, "")
            if dead and _is_well(case, dead, exchange.t_ns):
                dead = ""  # it was fenced, and is well again
            for source in out.sources:
                if source in (dead, out.target):
                    text = f"failover {out.failover} reads from it"
                    why = "its owner, which has failed" if source == dead else "the target itself"
                    yield Found(exchange.t_ns, source, f"{text}: {why}")


def _is_well(case: Case, master: str, t_ns: int) -> bool:
    """Whether it is declared healthy, by one verdict or the other of that instant."""
    status = case.status[master]
    return Status.HEALTHY in (status.just_before(t_ns), status.at(t_ns))


WHOLE_COPIES = Invariant(
    "whole-copies",
    "Nobody is promoted before the transfer that was ordered for it has ended well: every "
    "partition arrived, of the size and checksum that its source states, and no older than "
    "max_lag, unless nobody passes and `if_none` is `promote`. With `transfer: none` "
    "nothing is ordered, but by planned switchovers.",
    "A new owner serves torn or missing state.",
    _find,
    "observer",
)
LIVE_SOURCES = Invariant(
    "live-sources",
    "State is read from masters that can answer: not from an owner that has failed, unless it is "
    "declared healthy again, nor from the target itself.",
    "A transfer waits for a dead master, or takes its state for fresh.",
    _sources,
    "observer",
)
