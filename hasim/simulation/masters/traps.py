"""What faults hold ready for the next transfer or promotion of a master."""

from __future__ import annotations

from collections.abc import Callable

Trap = Callable[[str], bool]


class Traps:
    """Set by faults, sprung by orders of the control plane."""

    def __init__(self) -> None:
        self._torn: dict[str, int] = {}
        self.promotions: list[Trap] = []
        """Each is told who is to be promoted, and says whether it has killed that master."""

    def tear(self, master: str, by: int) -> None:
        """So many more faults (or fewer, below zero) break off transfers to a master."""
        self._torn[master] = self._torn.get(master, 0) + by

    def tears(self, master: str) -> bool:
        """Whether a transfer that arrives at a master now is torn."""
        return self._torn.get(master, 0) > 0

    def kills(self, master: str) -> bool:
        """Whether a fault kills a master now that it is told to promote itself."""
        # A copy: a trap that is sprung changes the world, which may take traps away.
        return any(trap(master) for trap in list(self.promotions))
