"""Which masters are declared failed: what cures wait for that somebody has to ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hasim.events import Event, StatusChanged
from hasim.model import Status


class Declared:
    """Hears of every declaration of any observer, and calls whoever waits for one."""

    def __init__(self) -> None:
        self._failed: set[str] = set()
        self._waiting: list[tuple[frozenset[str], Callable[[], None]]] = []

    def hear(self, event: Event) -> None:
        """An observer has published an event."""
        if not isinstance(event, StatusChanged):
            return
        if event.new is not Status.FAILED:
            if event.new is not Status.RECOVERING:  # which is still a declared one
                self._failed.discard(event.master)
            return
        self._failed.add(event.master)
        waiting = self._waiting
        self._waiting = [one for one in waiting if event.master not in one[0]]
        for masters, then in waiting:
            if event.master in masters:
                then()

    def wait_for(self, masters: Iterable[str], then: Callable[[], None]) -> None:
        """Call `then` when one of these masters is declared failed; now, if one is."""
        concerned = frozenset(masters)
        if concerned & self._failed:
            then()
        else:
            self._waiting.append((concerned, then))
