"""Who is taken for powered off has been, and the device is not asked more often than it may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hasim.events import (
    ConfirmOff,
    DemoteResult,
    FailoverChanged,
    Fence,
    FenceResult,
    GrantLease,
    LeaseAsked,
    MasterState,
    TermBegun,
)
from hasim.model import Cause
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.services.failover.fencing.confirmed import ConfirmedSettings
from hasim.services.failover.fencing.lease import LeaseFencingSettings

OFF = ("fenced", "one-fenced")
ANEW = ("fence", "owner-failed", "unconfirmed", *OFF)


def _confirmed(case: Case) -> Iterator[Found]:
    lease = case.settings.failover.fencing
    granted_ns = dict.fromkeys(case.masters, 0)
    for exchange, out in case.outputs:
        if isinstance(out, TermBegun):  # before it, somebody else may have granted leases
            granted_ns = dict.fromkeys(granted_ns, exchange.t_ns)
        elif isinstance(out, GrantLease):
            granted_ns[out.master] = exchange.t_ns
        elif isinstance(out, FailoverChanged) and out.trigger in OFF:
            item = exchange.item
            off = isinstance(item, ConfirmOff) or (isinstance(item, FenceResult) and item.confirmed)
            stopped = isinstance(item, DemoteResult) and item.cause is Cause.OK
            stopped |= isinstance(item, MasterState)  # it says what it accepts
            if isinstance(lease, LeaseFencingSettings):
                lasted_ns = exchange.t_ns - min(granted_ns.values())
                off |= isinstance(item, LeaseAsked) or lasted_ns >= lease.ttl_ns + lease.margin_ns
            if not (off or stopped):
                text = f"{out.reason}: nobody has confirmed that"
                yield Found(exchange.t_ns, f"failover {out.failover}", text)


def _attempts(case: Case) -> Iterator[Found]:
    fencing = case.settings.failover.fencing
    most = fencing.attempts if isinstance(fencing, ConfirmedSettings) else 1
    orders = Counter[int]()
    for exchange in case.telling:
        if any(isinstance(out, TermBegun) for out in exchange.outputs):
            continue  # what was under way is ordered once more, under the new term
        for out in exchange.outputs:
            if isinstance(out, FailoverChanged) and out.trigger in ANEW:
                orders[out.failover] = 0
            elif isinstance(out, Fence):
                orders[out.failover] += 1
                if orders[out.failover] > most:
                    text = f"order {orders[out.failover]} to power it off, {most} at most"
                    yield Found(exchange.t_ns, out.master, text)


CONFIRMED_OFF = Invariant(
    "confirmed-off",
    "A master is taken for fenced only when the device or an operator has confirmed that it is "
    "off, the master itself that it has stepped down, or when its lease is over.",
    "A backup is promoted beside an owner that still accepts writes.",
    _confirmed,
    "observer",
)
FENCING_ATTEMPTS = Invariant(
    "fencing-attempts",
    "A failover orders a power-off no more than `attempts` times before it gives up.",
    "A setting does not mean what it says.",
    _attempts,
    "observer",
)
