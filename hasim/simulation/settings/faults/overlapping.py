"""Faults of which several may be active on one master, and end independently."""

from __future__ import annotations

from hasim.simulation.settings.faults.fault import Cure, Fault, Masters


class Counted(Fault):
    """A fault that is a count on a master, so that overlapping ones end independently."""

    def count(self, masters: Masters, attribute: str) -> Cure:
        """Count an attribute up; the cure counts it down."""

        def add(amount: int) -> None:
            for master in masters:
                setattr(master, attribute, getattr(master, attribute) + amount)
                master.update_condition()

        add(1)
        return lambda: add(-1)


class Listed(Fault):
    """A fault that is one of several factors on a master."""

    def list_(self, masters: Masters, attribute: str, value: float) -> Cure:
        """Put a value into a list; the cure takes one such out."""

        def change(method: str) -> None:
            for master in masters:
                getattr(getattr(master, attribute), method)(value)
                master.update_condition()

        change("append")
        return lambda: change("remove")
