"""Each promotion is ordered under an epoch above all earlier ones, the first included."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.events import Input, MasterState, OwnerChanged, Promote, PromoteResult
from hasim.model import Cause
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant

FIRST = 1
"""The epoch under which each partition is owned at the start."""


def _find(case: Case) -> Iterator[Found]:
    ordered = [
        (t_ns, partition, order.target, order.epoch)
        for t_ns, order in case.facts.records.of(Promote)
        for partition in order.partitions
    ]
    owned = [
        (t_ns, change.partition, change.owner, change.epoch)
        for t_ns, change in case.facts.records.of(OwnerChanged)
    ]
    for changes in (ordered, owned):
        latest: dict[str, int] = {}
        for t_ns, partition, whose, epoch in changes:
            before = latest.get(partition, FIRST)
            if epoch <= before:
                yield Found(t_ns, partition, f"epoch {epoch} of {whose} follows epoch {before}")
            latest[partition] = epoch


def _shared(case: Case) -> Iterator[Found]:
    """By all control planes together: what two of them order is in no one's own course."""
    promoted: dict[tuple[str, int, int], str] = {}
    for t_ns, order in case.journal.of(Promote):
        for partition in order.partitions:
            first = promoted.setdefault((partition, order.term, order.epoch), order.target)
            if first != order.target:
                under = f"epoch {order.epoch} of term {order.term}"
                yield Found(
                    t_ns, partition, f"{order.target} is promoted under {under}, as {first}"
                )


def _confirmed(case: Case) -> Iterator[Found]:
    by_role = case.settings.failover.promotion == "by-role"
    ordered: dict[int, tuple[str, int]] = {}
    for exchange, out in case.deeds:
        if isinstance(out, Promote):
            ordered[out.failover] = out.target, out.epoch
        if not isinstance(out, OwnerChanged):
            continue
        said = _tells(exchange.item, out) if by_role else _answers(exchange.item, out)
        if not said or ordered.get(out.failover) != (out.owner, out.epoch):
            text = f"taken for its owner under epoch {out.epoch}, which it has not confirmed"
            yield Found(exchange.t_ns, out.partition, f"{out.owner}: {text}")


def _answers(item: Input | None, change: OwnerChanged) -> bool:
    """Whether the new owner answers the promotion."""
    if not isinstance(item, PromoteResult) or item.cause is not Cause.OK:
        return False
    told = (item.target, item.epoch, item.failover)
    return told == (change.owner, change.epoch, change.failover)


def _tells(item: Input | None, change: OwnerChanged) -> bool:
    """Whether the new owner tells that it accepts those very writes."""
    return isinstance(item, MasterState) and any(
        (own.partition, own.owner, own.epoch) == (change.partition, change.owner, change.epoch)
        for own in item.knows
        if own.owner == item.master
    )


OWNERS_CONFIRM = Invariant(
    "owners-confirm",
    "A partition has a new owner when that was ordered to be it, and has answered the promotion "
    "(with `promotion: by-role`: told its role) under that very epoch.",
    "Clients are sent to a master that never heard of its promotion, or was told to undo it.",
    _confirmed,
    "observer",
)
EPOCHS_OF_ONE = Invariant(
    "epochs-of-one",
    "No two masters are ever told to take a partition over under the same epoch of a term, whoever "
    "tells them.",
    "Each takes itself for the owner, and neither refuses what the other was told.",
    _shared,
    "run",
)
EPOCHS_GROW = Invariant(
    "epochs-grow",
    "Each promotion, and each owner, has an epoch above all earlier ones of its partition, the "
    "first one included.",
    "Masters obey the highest epoch: one that is no higher cannot overrule an old owner.",
    _find,
    "observer",
)
