"""`measure`: one journal to the measures of its run; of several tiers, to those of the chain."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TypeVar

from hasim.journal import Journal
from hasim.measures.alerts import alerts_of
from hasim.measures.availability import cut_of, downs_of, enough_of, partitions_of, whole_of
from hasim.measures.balance import balance_of, windows_of
from hasim.measures.churn import churn_of
from hasim.measures.clients import FollowRow, HeldRow, clients_of, followed_of, held_of
from hasim.measures.facts import Facts, facts_of
from hasim.measures.failovers import Failover, failovers_of
from hasim.measures.incidents import Incident, incidents_of
from hasim.measures.leaderless import leaderless_of
from hasim.measures.load import blocks_of, latencies_of, load_of, masters_of, messages_of
from hasim.measures.measured import Measured
from hasim.measures.minutes import minutes_of
from hasim.measures.operations import operations_of, transients_of
from hasim.measures.paging import faults_of, pages_of
from hasim.measures.quality import mistakes_of
from hasim.measures.queues import queues_of
from hasim.measures.stretches import stretches_of
from hasim.measures.tiers import tier_row
from hasim.measures.users import users_of
from hasim.units import seconds

Answering = TypeVar("Answering", Failover, FollowRow, HeldRow)
"""A row that may answer to an incident."""


def measure(journal: Journal, observer: str | None = None) -> Measured:
    """Measure one run: what really happened, and how one observer saw and handled it.

    `observer` is its name (None: the first that the journal names). Of several tiers each is
    measured as its own observer saw it, or the one that is named if it is this tier's: messages
    and balance are those of the first, the others' incidents, failovers, masters and the like
    stand with its own, and the service is up while all of them are.

    Raises JournalError for one that the journal does not have or does not describe, KeyError if
    the header lacks another field that the measures need.
    """
    if not journal.tiers:
        return _led(_measured(facts_of(journal, observer)), [journal])
    if observer is not None:
        journal.observer(observer)
    tiers = [journal.of_tier(name) for name in journal.tiers]
    every = [facts_of(own, observer if observer in own.observers else None) for own in tiers]
    return _led(_joined(journal.tiers, every, [_measured(facts) for facts in every]), tiers)


def _led(measured: Measured, journals: Sequence[Journal]) -> Measured:
    """With the time for which no control plane acted, of each tier."""
    found = [leaderless_of(journal) for journal in journals]
    return dataclasses.replace(
        measured,
        leaders_lost=sum(one.times for one in found),
        leaderless_s=seconds(sum(one.total_ns for one in found)),
    )


def _measured(facts: Facts) -> Measured:
    header = facts.records.header
    cut = cut_of([facts])
    mistakes = mistakes_of(facts)
    masters = masters_of(facts, mistakes)
    messages = messages_of(facts)
    incidents = incidents_of(facts)
    faults = faults_of(facts, incidents)
    windows, blocks = windows_of(facts), tuple(blocks_of(facts))
    return Measured(
        scenario=header["scenario"],
        cell=header["cell"],
        replication=header["replication"],
        seed=header["seed"],
        horizon_s=seconds(facts.horizon_ns),
        deadline_s=seconds(header["traffic"]["deadline_ns"]),
        service=whole_of([facts], cut),
        load=load_of(facts, masters, messages),
        balance=balance_of(facts, windows),
        k_of_n=enough_of([facts]),
        incidents=tuple(incidents),
        failovers=tuple(failovers_of(facts)),
        mistakes=tuple(mistakes),
        partitions=tuple(partitions_of(facts, cut)),
        masters=tuple(masters),
        messages=tuple(messages),
        latencies=tuple(latencies_of(facts)),
        blocks=blocks,
        alerts=tuple(alerts_of(facts)),
        operations=tuple(operations_of(facts)),
        transients=tuple(transients_of(facts)),
        churn=tuple(churn_of(facts)),
        clients=tuple(clients_of(facts)),
        followed=tuple(followed_of(facts)),
        held=tuple(held_of(facts)),
        queues=tuple(queues_of(facts)),
        faults=tuple(faults),
        needless_pages=len(pages_of(facts)) - sum(row.pages for row in faults),
        downs=tuple(downs_of(cut)),
        stretches=tuple(stretches_of((), [facts], cut)),
        minutes=minutes_of(facts),
        users=tuple(users_of(facts)),
        windows=tuple(windows) if blocks else (),
    )


def _joined(names: Sequence[str], every: Sequence[Facts], found: Sequence[Measured]) -> Measured:
    """What the tiers come to together."""
    first, cut = found[0], cut_of(every)
    incidents: list[Incident] = []
    failovers: list[Failover] = []
    followed: list[FollowRow] = []
    held: list[HeldRow] = []
    for one in found:
        before = len(incidents)
        incidents += [dataclasses.replace(i, number=i.number + before) for i in one.incidents]
        failovers += _renumbered(one.failovers, before)
        followed += _renumbered(one.followed, before)
        held += _renumbered(one.held, before)
    return dataclasses.replace(
        first,
        service=whole_of(every, cut),
        k_of_n=enough_of(every),
        faults=tuple(row for one in found for row in one.faults if row.masters)
        + tuple(row for row in first.faults if not row.masters),
        needless_pages=sum(one.needless_pages for one in found),
        downs=tuple(downs_of(cut)),
        stretches=tuple(stretches_of(names, every, cut)),
        incidents=tuple(incidents),
        failovers=tuple(failovers),
        followed=tuple(followed),
        held=tuple(held),
        mistakes=tuple(row for one in found for row in one.mistakes),
        partitions=tuple(row for one in found for row in one.partitions),
        masters=tuple(row for one in found for row in one.masters),
        queues=tuple(row for one in found for row in one.queues),
        alerts=tuple(row for one in found for row in one.alerts),
        operations=tuple(row for one in found for row in one.operations),
        churn=tuple(row for one in found for row in one.churn),
        tiers=tuple(
            tier_row(name, one.service, len(one.failovers), one.messages, one.latencies)
            for name, one in zip(names, found, strict=True)
        ),
    )


def _renumbered(rows: Sequence[Answering], before: int) -> Iterator[Answering]:
    """Rows of a tier, before whose incidents there are others."""
    for row in rows:
        number = row.incident
        yield row if number is None else dataclasses.replace(row, incident=number + before)
