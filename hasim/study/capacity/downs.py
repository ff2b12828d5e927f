"""Which masters are down: so many of the largest, those of a place, or some by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hasim.settings.validation import nearest
from hasim.simulation.settings import MasterSettings, WorldSettings
from hasim.simulation.settings.places import LEVELS, is_place, lies_in, place_of, places_at
from hasim.study.advising.terms import AdviceError
from hasim.units import SECOND

USUAL = ("0", "1", "2")
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Down:
    """Masters that are down together, and what they are called."""

    label: str
    masters: tuple[str, ...]


def downs_of(world: WorldSettings, asked: Sequence[str] = ()) -> tuple[Down, ...]:
    """What is asked for: ``2``, ``zone``, ``zone:eu/a``, ``ams-1+ams-2``.

    Without anything, the usual ones: none, one, two and the largest zone (region, without zones),
    as long as a master is left. Raises AdviceError.
    """
    if asked:
        return tuple(_asked(world, text) for text in asked)
    found: list[Down] = []
    for down in _usual(world):
        others = {frozenset(one.masters) for one in found}
        if _works(world, down) and frozenset(down.masters) not in others:
            found.append(down)
    return tuple(found)


def nominal_per_s(master: MasterSettings) -> float:
    """The messages a second that its workers can do at most, by the mean service time."""
    return master.workers * SECOND / max(1.0, mean_service_ns(master))


def mean_service_ns(master: MasterSettings) -> float:
    """The mean service time, a second where it is recorded: traces are read where they are used."""
    return float(getattr(master.service, "mean_ns", SECOND))


def _usual(world: WorldSettings) -> Iterator[Down]:
    for count in USUAL:
        yield _largest(world, int(count))
    for level in ("zone", "region"):
        if len(_places(world, level)) > 1:
            yield _largest_place(world, level)
            return


def _asked(world: WorldSettings, text: str) -> Down:
    masters = world.all_masters
    if text.isdigit():
        down = _largest(world, int(text))
        if len(down.masters) < int(text):
            raise AdviceError(f"--down {text}: there are {len(masters)} masters")
    elif text in LEVELS:
        if not _places(world, text):
            raise AdviceError(f"--down {text}: no master has a {text}")
        down = _largest_place(world, text)
    elif is_place(text):
        inside = tuple(m.id for m in masters if lies_in(place_of(m), text))
        if not inside:
            known = [place for level in LEVELS for place in _places(world, level)]
            raise AdviceError(f"--down {text}: no master is there{nearest(text, known)}")
        down = Down(text, inside)
    else:
        ids, known = tuple(text.split("+")), [m.id for m in masters]
        for name in ids:
            if name not in known:
                raise AdviceError(
                    f"--down {name}: expected a number, a place such as zone:a, or masters such "
                    f"as {'+'.join(known[:2])}{nearest(name, known)}"
                )
        down = Down(text, ids)
    if not _works(world, down):
        raise AdviceError(f"--down {text}: no master would be left to carry any load")
    return down


def _works(world: WorldSettings, down: Down) -> bool:
    """Whether each tier has a master left."""
    return all(
        any(m.id not in down.masters and not m.absent for m in tier.masters) for tier in world.chain
    )


def _largest(world: WorldSettings, count: int) -> Down:
    """The largest masters of each tier, since a system must carry on without any of them."""
    ids: list[str] = []
    for tier in world.chain:
        there = [m for m in tier.masters if not m.absent]
        largest = sorted(there, key=lambda m: (-nominal_per_s(m), m.priority))
        ids += [m.id for m in largest[:count]]
    word = WORDS[count] if count < len(WORDS) else str(count)
    each = " of each tier" if world.tiers and count else ""
    return Down("none" if not count else f"{word}{each}", tuple(ids))


def _places(world: WorldSettings, level: str) -> list[str]:
    return list(dict.fromkeys(places_at(level, map(place_of, world.all_masters))))


def _largest_place(world: WorldSettings, level: str) -> Down:
    def inside(place: str) -> list[MasterSettings]:
        return [m for m in world.all_masters if lies_in(place_of(m), place)]

    found = max(_places(world, level), key=lambda p: sum(map(nominal_per_s, inside(p))))
    return Down(found, tuple(m.id for m in inside(found)))
