"""The kinds of faults that are noise: somebody or something stands still for a moment.

A declaration because of one is a mistake, and no repair crew is busy with it: it passes by itself.
"""

from __future__ import annotations

from typing import Literal

from hasim.settings import settings
from hasim.simulation.settings.faults.fault import Cure, Ends, Fault, Masters, Reach


class _Noise(Fault):
    """It passes by itself."""

    @property
    def needs_repair(self) -> bool:
        """Nobody is called."""
        return False


@settings
class Stall(_Noise):
    """A master stands still for a moment, such as for garbage collection; its work goes on after.

    What comes meanwhile waits. Whoever stands still for longer than clients wait does not serve.
    """

    kind: Literal["stall"]

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """One more reason to stand still."""

        def change(method: str) -> None:
            for master in masters:
                getattr(master.stalls, method)(lasting_ns)
                master.update_condition()

        change("append")
        return lambda: change("remove")


@settings
class LinkStall(_Noise):
    """The links of a master hold all packets for a moment, and deliver them when it is over."""

    kind: Literal["link-stall"]
    scope: Ends = "all"
    """Between the master and everybody, only its clients, or only the monitor (control plane)."""

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """Hold their packets."""
        return reach.on_links(masters, ends=self.scope, holds_ns=lasting_ns)


@settings
class ObserverStall(_Noise):
    """The control plane stands still for a moment: what it is told, it hears when that is over.

    It strikes every observer, and has no target.
    """

    kind: Literal["observer-stall"]

    @property
    def strikes_masters(self) -> bool:
        """No master notices."""
        return False

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """Stop them."""
        return reach.stall_observers()
