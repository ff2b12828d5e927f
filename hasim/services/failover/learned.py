"""What is learned of owners, epochs and writers before a term begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hasim.events import GatewayHello, GatewayReport, MasterState, Output, ReplicaReport
from hasim.model import Ownership
from hasim.services.failover import lifecycle
from hasim.services.failover.failover import Failover
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.known import Known
from hasim.services.failover.reports import Report


def learn(
    known: Known, states: Mapping[str, MasterState], hellos: Iterable[GatewayHello]
) -> tuple[Ownership, ...]:
    """Bring what is known up to what masters and gateways have said; who owns what by that.

    A partition's owner is the master that accepts its writes under the highest epoch; if nobody
    says so, whom the gateways or the own memory name, whichever knows the later epoch. A master
    that has not answered may accept the writes of any partition, for all that is known.
    """
    heard: dict[str, list[Ownership]] = {p: [] for p in known.epochs}
    published: dict[str, list[Ownership]] = {p: [] for p in known.epochs}
    for found, said in (
        (heard, (each for state in states.values() for each in state.knows)),
        (published, (each for hello in hellos for each in hello.owners)),
    ):
        for each in said:
            if each.partition in found:
                found[each.partition].append(each)
    known.silent = {master for master in known.masters if master not in states}
    known.unsure.clear()
    return tuple(_owner(known, p, heard[p], published[p]) for p in known.epochs)


def superseded_by(known: Known, failover: Failover) -> str:
    """Whoever accepts the writes of a failover's partitions by nobody's order here, or nobody."""
    for partition in failover.partitions:
        for master, epoch in known.writers.epochs[partition].items():
            ordered = master == failover.candidate and epoch == failover.epoch
            if master not in known.silent and master != failover.master and not ordered:
                return master
    return ""


def owned_by(known: Known, failover: Failover) -> str:
    """Whoever else owns a failover's partitions by now, or nobody: its own is over then.

    Somebody else has moved them meanwhile, though nobody may accept their writes: the new owner may
    have failed since, and has a failover of its own.
    """
    owners = map(known.owners.of, failover.partitions)
    return next((o for o in owners if o not in (failover.master, failover.candidate)), "")


def owns_already(known: Known, failover: Failover) -> bool:
    """Whether a failover's candidate owns some of what it takes over, by what was learned."""
    return any(known.owners.of(p) == failover.candidate for p in failover.partitions)


def stopped_for(known: Known, failover: Failover) -> tuple[str, ...]:
    """The partitions whose writes its owner is known to accept no more: it was fenced, or told."""
    accepts = known.writers.accepts
    return tuple(p for p in failover.partitions if not accepts(failover.master, p))


def takes_again(known: Known, failover: Failover, stopped: Iterable[str]) -> str:
    """Its owner, if that accepts again what it had stopped for: by the order of somebody else."""
    accepts, owner = known.writers.accepts, failover.master
    again = owner not in known.silent and any(accepts(owner, p) for p in stopped)
    return owner if again else ""


def in_doubt(known: Known, failover: Failover, before: Mapping[str, int], *, jumped: bool) -> str:
    """Who is not heard, and may accept what somebody else has moved meanwhile; empty if nobody did.

    Somebody else may have acted since one knew last if terms were passed over (`jumped`), or if
    orders are heard of under later epochs than those known `before`, and than that under which the
    failover itself takes a promotion back. Whom one had fenced may be promoted anew by then, and
    whom one had never asked may be.
    """
    own = failover.epoch + 1 if failover.state == lifecycle.ROLLING_BACK else 0
    since = jumped or any(known.epochs[p] > max(before[p], own) for p in failover.partitions)
    silent = (m for m in known.writers.of(failover.partitions) if m in known.silent)
    return next((m for m in silent if m != failover.candidate), "") if since else ""


def orphans(known: Known, failovers: Failovers, master: str) -> tuple[str, ...]:
    """What `master` owns, does not accept the writes of, and nobody fails over.

    A failover that has promoted it already does nothing about that any more.
    """
    under_way = (f for f in failovers.active if f.state not in lifecycle.PROMOTED)
    busy = {partition for failover in under_way for partition in failover.partitions}
    return tuple(
        partition
        for partition in known.owners.owned(master)
        if partition not in busy and not known.writers.accepts(master, partition)
    )


def note(known: Known, now: int, item: ReplicaReport | GatewayReport) -> list[Output]:
    """Keep what a master says of its copies, or a gateway of the requests that are under way."""
    if isinstance(item, ReplicaReport):
        known.reports[item.master] = Report.of(now, item.copies)
        for copy in item.copies:
            # A word of an old owner that comes late is none.
            if copy.waits_for is not None and known.owners.of(copy.partition) == item.master:
                known.waited_for[copy.partition] = copy.waits_for
        return []
    for traffic in item.masters:
        known.in_flight.setdefault(traffic.master, {})[item.gateway] = traffic.in_flight
    return []


def heard_late(known: Known, state: MasterState) -> None:
    """A master says what it accepts: that is what it may accept, but for what it was told since.

    Answers are overtaken, and come twice: one that has not heard of the epoch under which the
    master may accept writes is from before. Its first role came by no order, under no epoch that
    it has heard of; what a master that was silent may accept was no more than a guess.
    """
    guessed = state.master in known.silent | known.unsure
    known.silent.discard(state.master)
    known.unsure.discard(state.master)
    claims = {each.partition: each.epoch for each in state.knows if each.owner}
    heard = {each.partition: each.epoch for each in state.knows}
    for partition, writers in known.writers.epochs.items():
        told = known.writers.told.get(partition, {})
        if partition in claims:
            epoch = claims[partition]
            writers[state.master] = max(epoch, writers.get(state.master, 0))
            known.epochs[partition] = max(known.epochs[partition], epoch)
            continue
        guess = guessed and state.master not in told
        if guess or max(1, heard.get(partition, 0)) >= writers.get(state.master, 1):
            writers.pop(state.master, None)
            told.pop(state.master, None)


def _owner(
    known: Known, partition: str, heard: list[Ownership], published: list[Ownership]
) -> Ownership:
    own_epoch = known.epochs[partition]
    epoch = max([own_epoch, *(each.epoch for each in (*heard, *published))])
    writing = [each for each in heard if each.owner]
    newest = max(published, key=lambda each: each.epoch, default=None)
    if writing:
        owner = max(writing, key=lambda each: each.epoch)
    elif newest is not None and newest.epoch >= own_epoch:
        owner = newest
    else:
        owner = Ownership(partition, known.owners.of(partition), own_epoch)
    known.owners.change(partition, owner.owner)
    known.epochs[partition] = epoch
    writers = {each.owner: each.epoch for each in writing}
    known.writers.epochs[partition] = writers | dict.fromkeys(sorted(known.silent), epoch)
    known.writers.told.pop(partition, None)
    return owner
