"""A failover is called off only if its owner is healthy and owns what was to be moved."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.events import FailoverChanged, OwnerChanged, TermBegun
from hasim.model import Status
from hasim.oracle.case import Case, follow
from hasim.oracle.invariant import Found, Invariant


def _find(case: Case) -> Iterator[Found]:
    status = dict(case.unheard)
    owner = {partition.id: partition.owner for partition in case.facts.records.partitions}
    for exchange, out in case.deeds:
        follow(status, exchange, out)
        if isinstance(out, OwnerChanged):
            owner[out.partition] = out.owner
        elif isinstance(out, TermBegun):
            owner.update({one.partition: one.owner for one in out.owners})
        elif isinstance(out, FailoverChanged) and out.trigger == "owner-recovered":
            foreign = [p for p in out.partitions if owner[p] != out.master]
            name = f"failover {out.failover}"
            # A verdict that is withheld has not reached the failover.
            known = Status.HEALTHY if case.withholds else status[out.master]
            if known is not Status.HEALTHY and out.new == "cancelled":
                text = f"called off, but {out.master} is {status[out.master].value}"
                yield Found(exchange.t_ns, name, text)
            elif foreign:
                text = f"called off, but {out.master} does not own {', '.join(foreign)}"
                yield Found(exchange.t_ns, name, text)


OWNER_RECOVERED = Invariant(
    "called-off-with-reason",
    "A failover is called off because its owner has recovered only if that is declared healthy "
    "and is the owner of all that was to be moved.",
    "Partitions are left with a master that does not serve them.",
    _find,
    "observer",
)
