"""What the other observers hold of each master, as far as it is known and not too old."""

from __future__ import annotations

from dataclasses import dataclass, field

from hasim.events import OpinionGiven


@dataclass(slots=True)
class Held:
    """One observer's opinion of one master: its number, when it was heard, and whether it is bad.

    Numbers grow with each that the observer gives; an older one that comes later says nothing.
    `seen_ns`: how long before it had last seen the master, if it has, and says so.
    """

    number: int
    heard_ns: int
    down: bool
    seen_ns: int | None = None


@dataclass(slots=True)
class Opinions:
    """The latest opinion of each observer, by master and observer."""

    of: dict[str, dict[str, Held]] = field(default_factory=dict)

    def take(self, now: int, item: OpinionGiven) -> bool:
        """Take one in; whether it is news: the first, or another one than the last."""
        known = self.of.setdefault(item.master, {})
        last = known.get(item.peer)
        if last is not None and item.number <= last.number:
            return False
        known[item.peer] = Held(item.number, now, item.down, item.seen_ns)
        return last is None or last.down != item.down

    def heard_ns(self, master: str, observer: str) -> int:
        """When an observer's last opinion was heard; -1: never."""
        held = self.of.get(master, {}).get(observer)
        return -1 if held is None else held.heard_ns

    def count(self, now: int, master: str, valid_ns: int, *, down: bool) -> int:
        """How many hold it to be down (or not), by opinions that are at most so old."""
        held = self.of.get(master, {}).values()
        return sum(one.down == down and now - one.heard_ns <= valid_ns for one in held)
