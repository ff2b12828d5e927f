"""Every invariant, looked at in one journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hasim.deployed import ControlPlaneSettings
from hasim.journal import Journal
from hasim.measures.acting import as_acted
from hasim.oracle.case import Case
from hasim.oracle.invariant import Breach, Invariant
from hasim.oracle.registry import INVARIANTS

DIALOGUES = {"alerts-end", "routing-follows", "routing-converges", "routing-repeats", "terms-grow"}
"""What one control plane says to gateways and people. Where several act in turn they are looked at
together, and what one has said is none of the next one's."""


def check(journal: Journal, invariants: Iterable[Invariant] | None = None) -> list[Breach]:
    """Every breach that a journal shows, by time; of all known invariants, or of these alone.

    Of several tiers each is looked at as if it were alone. Single messages are looked at where
    they were kept.
    """
    chosen = list(INVARIANTS.known.values() if invariants is None else invariants)
    tiers = [journal.of_tier(name) for name in journal.tiers] or [journal]
    read: dict[str, ControlPlaneSettings] = {}
    found = {breach for tier in tiers for breach in _of_tier(tier, chosen, read)}
    return sorted(found, key=lambda b: (b.t_ns, b.invariant, b.subject, b.text))


def _of_tier(
    journal: Journal, invariants: list[Invariant], read: dict[str, ControlPlaneSettings]
) -> Iterator[Breach]:
    acted = as_acted(journal)
    alone = acted is journal
    if not alone:
        whole = [each for each in invariants if each.each != "observer"]
        yield from _of_tier(acted, [each for each in whole if each.name not in DIALOGUES], read)
    for place, observer in enumerate(journal.observers):
        case = Case(journal, observer, read)
        acts = alone and journal.header["observers"][observer].get("acts", True)
        for invariant in invariants:
            wanted = {"run": alone and place == 0, "acting": acts, "observer": True}
            for found in invariant.find(case) if wanted[invariant.each] else ():
                yield Breach(invariant.name, *found)
