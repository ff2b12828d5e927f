"""The addresses of a gateway's clients, and how long they take to follow when routing changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hasim.model import Cause
from hasim.services.frozen import freeze, thaw
from hasim.services.gateway.addresses import (
    CLOSING,
    NOWHERE,
    OPENS,
    Address,
    by_connection,
    by_name,
    close,
    connect,
    connected_to,
    habits_of,
    learn,
    named,
)
from hasim.services.gateway.attempts import Message
from hasim.services.gateway.effects import Followed
from hasim.services.gateway.service import GatewayService
from hasim.services.gateway.settings import ClientSettings
from hasim.services.watch import CODES, holds


class Directory:
    """An address for each client and target that has sent; an address has a place of its own.

    Clients have numbers among those of all gateways; targets are the numbers of partitions, and
    after them that of stateless messages. `chance` gives the uniform of a number: two for each
    place.
    """

    def __init__(
        self,
        settings: ClientSettings | None,
        gateway: GatewayService,
        chance: Callable[[int], float],
    ) -> None:
        self.habits = habits_of(settings)
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
        address.last = index
        return opened_ns

    def follows(self, now: int, message: Message, attempt: int, master: str) -> Followed | None:
        """What has kept a message's client, if it follows routing that changed before.

        To be asked before `use`: its address must be that of the last time.
        """
        if not self.habits.clients:
            return None
        address, standing = self._address(self._place(message)), self._gateway.standing
        if address.last in (NOWHERE, standing.index[master]):
            return None
        since_ns = self._wrong_since(address.last, message.partition)
        if since_ns < 0:
            return None
        name_ns = by_name(address, since_ns, now)
        kept_ns = by_connection(address, since_ns, now)
        broke = address.open == NOWHERE
        return Followed(
            attempt,
            standing.ids[address.last] if message.partition is None else None,
            message.partition,
            since_ns,
            name_ns=name_ns,
            pool_ns=0 if broke else kept_ns,
            stay_ns=kept_ns if broke else 0,
            pause_ns=now - since_ns - name_ns - kept_ns,
        )

    def failed(self, now: int, message: Message, master: str, cause: Cause) -> None:
        """A failure may end the connection that it came over."""
        if self.habits.clients and holds(CLOSING, CODES[cause]):
            close(self._address(self._place(message)), self._gateway.standing.index[master], now)

    def freeze(self) -> dict[str, Any]:
        """The state as plain data."""
        rows = [[place, freeze(address)] for place, address in self._addresses.items()]
        return {"addresses": rows}

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `freeze` gave."""
        self._addresses = {place: thaw(Address, row) for place, row in data["addresses"]}

    def _wrong_since(self, index: int, partition: str | None) -> int:
        """Since when such messages should not go to a master, or -1."""
        gateway = self._gateway
        return gateway.left_ns[index] if partition is None else gateway.moved_ns[partition]

    def _place(self, message: Message) -> int:
        return message.client * len(self._targets) + self._targets[message.partition]

    def _address(self, place: int) -> Address:
        return self._addresses.setdefault(place, Address())
