"""The words for clients that follow a change of routing, and for messages that were held."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.journal import Journal
from hasim.measures.clients import FollowRow, HeldRow, followed_of, held_of
from hasim.measures.facts import facts_of
from hasim.report import format
from hasim.report.story import Line
from hasim.truth import ClientsFollowed, MessagesHeld
from hasim.units import nanoseconds

KEPT = {
    "name_s": "names",
    "pool_s": "pools",
    "stay_s": "staying with it until an error",
    "pause_s": "nothing to send",
}
"""What keeps clients, by column."""


def followers(journal: Journal, master: str, start_ns: int, observer: str) -> Iterator[Line]:
    """A line for each gateway and change of routing that answered to an incident.

    The incident is that of `master`, which began at `start_ns`. Each line stands where the last
    client followed, or where the table was applied by which messages that were held were sent.
    """
    if not any(journal.of(ClientsFollowed, MessagesHeld)):
        return
    facts = facts_of(journal, observer)
    numbers = {
        episode.number for episode in facts.episodes_of[master] if episode.span.start_ns == start_ns
    }
    for row in followed_of(facts):
        if row.incident in numbers:
            yield _followed(row)
    for held in held_of(facts):
        if held.incident in numbers:
            yield _held(held)


def _followed(row: FollowRow) -> Line:
    who = f"{row.clients} client{'s' if row.clients > 1 else ''} of {row.gateway}"
    where = f"messages elsewhere than to {row.left}"
    if row.partition:
        where = f"messages of {row.partition} to its new owner"
    mean = format.seconds(row.total_s / row.clients)
    parts = ", ".join(
        f"{words} {format.seconds(getattr(row, column) / row.clients)}"
        for column, words in KEPT.items()
        if getattr(row, column) > 0
    )
    last_ns = nanoseconds(row.changed_at_s) + nanoseconds(row.most_s)
    text = (
        f"the last of {who} sends {where}, "
        f"{format.seconds(row.most_s)} after the change of routing; mean {mean} ({parts})"
    )
    return Line(last_ns, "truth", text)


def _held(row: HeldRow) -> Line:
    what = f" of {row.partition}" if row.partition else ""
    some = f"{row.attempts} message{'s' if row.attempts > 1 else ''}{what}"
    mean, most = format.seconds(row.held_s / row.attempts), format.seconds(row.most_s)
    text = f"{row.gateway} sends {some} that it has held for {mean} on average, {most} at most"
    return Line(nanoseconds(row.tabled_at_s), "truth", text)
