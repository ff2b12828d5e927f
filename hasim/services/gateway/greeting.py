"""A gateway that has started says so, until it is sent a routing table."""

from __future__ import annotations

from typing import Any

from hasim.events import GatewayHello, SendHello


class Greeting:
    """Says hello at the start and every `interval_ns` after it: hellos get lost like all packets.

    `incarnation` is that of the process, see `GatewayHello`.
    """

    def __init__(self, gateway: str, incarnation: int, interval_ns: int) -> None:
        self.incarnation = incarnation
        self._gateway = gateway
        self._interval_ns = interval_ns
        self._due_ns: int | None = None

    def say(self, now: int, version: int) -> list[SendHello]:
        """Say hello now, and go on until `heard`."""
        self._due_ns = now + self._interval_ns
        return [SendHello(GatewayHello(self._gateway, self.incarnation, version))]

    def heard(self) -> None:
        """A routing table has come: the control plane knows."""
        self._due_ns = None

    def wake(self, now: int, version: int) -> list[SendHello]:
        """Say it again, if that is due."""
        return [] if self._due_ns is None or now < self._due_ns else self.say(now, version)

    def next_wakeup(self) -> int | None:
        """When to say it again (nanoseconds)."""
        return self._due_ns

    def freeze(self) -> dict[str, Any]:
        """The state as plain data."""
        return {"incarnation": self.incarnation, "due_ns": self._due_ns}

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `freeze` gave."""
        self.incarnation, self._due_ns = data["incarnation"], data["due_ns"]
