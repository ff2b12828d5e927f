"""The addresses of a gateway's clients, and how long they take to follow when routing changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hasim.model import Cause
from hasim.services.frozen import freeze, thaw
from hasim.services.gateway.addresses import (
    CLOSING,
    NOWHERE,
    OPENS,
    Address,
    close,
    connect,
    connected_to,
    habits_of,
    learn,
    named,
)
from hasim.services.gateway.attempts import Message
from hasim.services.gateway.service import GatewayService
from hasim.services.gateway.settings import ClientSettings
from hasim.services.watch import CODES, holds


@dataclass(slots=True)
class Delay:
    """Something that took time so many times: the sum, and the longest (nanoseconds)."""

    count: int = 0
    total_ns: int = 0
    most_ns: int = 0

    def add(self, took_ns: int) -> None:
        """Once more."""
        self.count += 1
        self.total_ns += took_ns
        self.most_ns = max(self.most_ns, took_ns)


class Directory:
    """An address for each client and target that has sent; an address has a place of its own.

    Clients have numbers among those of all gateways; targets are the numbers of partitions, and
    after them that of stateless messages. `chance` gives the uniform of a number: two for each
    place. `followed` is about clients that sent to another master than the last time, since when
    that should not be sent to any more.
    """

    def __init__(
        self,
        settings: ClientSettings | None,
        gateway: GatewayService,
        chance: Callable[[int], float],
    ) -> None:
        self.habits = habits_of(settings)
        self.followed = Delay()
        self._gateway = gateway
        self._targets = {name: n for n, name in enumerate([*gateway.standing.owners, None])}
        self._chance = chance
        self._addresses: dict[int, Address] = {}

    def known_to(self, now: int, message: Message) -> str | None:
        """The master that a message's client sends to without asking; it counts as sent there."""
        if not self.habits.clients:
            return None
        address = self._address(self._place(message))
        index = connected_to(address, now)
        if index == NOWHERE:
            index = named(address, now)
        if index == NOWHERE:
            return None
        master = self._gateway.standing.ids[index]
        self._gateway.send_to(now, master)
        return master

    def use(self, now: int, message: Message, master: str) -> int:
        """A message's client sends to a master: since when its connection is open, or OPENS."""
        habits = self.habits
        if not habits.clients:
            return OPENS
        place, index = self._place(message), self._gateway.standing.index[master]
        address, opened_ns = self._address(place), OPENS
        if connected_to(address, now) == index:
            opened_ns = OPENS if habits.tests else address.open_since_ns
        else:
            if named(address, now) != index:
                number = message.client % habits.clients
                learn(address, habits, now, number, index, self._chance(2 * place))
            connect(address, habits, now, index, self._chance(2 * place + 1))
        if address.last not in (NOWHERE, index):
            wrong_ns = self._wrong_since(address.last, message.partition)
            if wrong_ns >= 0:
                self.followed.add(now - wrong_ns)
        address.last = index
        return opened_ns

    def failed(self, message: Message, master: str, cause: Cause) -> None:
        """A failure may end the connection that it came over."""
        if self.habits.clients and holds(CLOSING, CODES[cause]):
            close(self._address(self._place(message)), self._gateway.standing.index[master])

    def freeze(self) -> dict[str, Any]:
        """The state as plain data."""
        rows = [[place, freeze(address)] for place, address in self._addresses.items()]
        return {"addresses": rows, "followed": freeze(self.followed)}

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `freeze` gave."""
        self._addresses = {place: thaw(Address, row) for place, row in data["addresses"]}
        self.followed = thaw(Delay, data["followed"])

    def _wrong_since(self, index: int, partition: str | None) -> int:
        """Since when such messages should not go to a master, or -1."""
        gateway = self._gateway
        return gateway.left_ns[index] if partition is None else gateway.moved_ns[partition]

    def _place(self, message: Message) -> int:
        return message.client * len(self._targets) + self._targets[message.partition]

    def _address(self, place: int) -> Address:
        return self._addresses.setdefault(place, Address())
