"""Who looks again when the true state of a world, or a gateway's routing, has changed."""

from __future__ import annotations

from collections.abc import Callable

Look = Callable[[], None]


class Changes:
    """Tells the parts that follow a change, in an order that is stated once.

    `on_change` follow whatever is true: conditions and roles of masters, links. `on_reroute`
    follow a gateway that uses another routing table, while masters and network are what they
    were. The order matters, since a part looks at what those before it have set right.
    """

    def __init__(self) -> None:
        self.on_change: tuple[Look, ...] = ()
        self.on_reroute: tuple[Look, ...] = ()

    def changed(self) -> None:
        """The true state is not what it was."""
        for look in self.on_change:
            look()

    def rerouted(self) -> None:
        """A gateway uses another routing table."""
        for look in self.on_reroute:
            look()
