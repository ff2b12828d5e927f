"""Where clients send: what a name has told them, and the connections that they keep.

Plain functions over an `Address`, which stand once for all who need them: the dispatcher calls
them, and the compiled data plane compiles the very same functions over records with the same
fields. A client has an address for each partition, and one for stateless messages. Masters go by
their numbers, NOWHERE is none of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from hasim.model import Cause
from hasim.services.gateway.rules import NEVER
from hasim.services.gateway.settings import ClientSettings
from hasim.services.watch import causes_set

NOWHERE = -1
OPENS = -1
"""In place of the time when a connection was opened: the attempt opens one."""
CLOSING = causes_set(
    (Cause.REFUSED, Cause.RESET, Cause.TIMEOUT, Cause.CONNECT_TIMEOUT, Cause.NOT_OWNER)
)
"""What ends a connection, for its client; an error is an answer like any other."""


@dataclass(slots=True)
class Address:
    """Of one client, for one partition or for stateless messages; times in nanoseconds.

    `known`: the master that the name stands for, until `known_until_ns`. `open`: the one that it
    is connected to, since `open_since_ns`, for use until `open_until_ns`; NOWHERE if it broke, at
    `open_until_ns`. `last`: where it has sent to last.
    """

    known: int = NOWHERE
    known_until_ns: int = 0
    open: int = NOWHERE
    open_since_ns: int = 0
    open_until_ns: int = 0
    last: int = NOWHERE


@dataclass(slots=True)
class Habits:
    """What all clients do, as numbers.

    `ttl_ns`: how long a name is known (0: it is asked each time), and `kept_ns` by the first
    `keepers` of a gateway's `clients`. `lifetime_ns`: how long a connection is used (0: none is
    kept); `tests`: it is tested before it is used.
    """

    clients: int
    ttl_ns: int
    keepers: int
    kept_ns: int
    lifetime_ns: int
    tests: int


def habits_of(settings: ClientSettings | None) -> Habits:
    """Those of the settings; no clients if there are none."""
    if settings is None:
        return Habits(0, 0, 0, 0, 0, 0)
    dns, kept = settings.dns, settings.connections
    return Habits(
        clients=settings.number,
        ttl_ns=dns.ttl_ns if dns else 0,
        keepers=round(dns.keepers * settings.number) if dns else 0,
        kept_ns=(dns.kept_ns or NEVER) if dns else 0,
        lifetime_ns=(kept.lifetime_ns or NEVER) if kept else 0,
        tests=int(kept.validate) if kept else 0,
    )


def connected_to(address: Address, now: int) -> int:
    """The master of the connection that is in use, or NOWHERE."""
    return address.open if now < address.open_until_ns else NOWHERE


def named(address: Address, now: int) -> int:
    """The master that the name is known to stand for, or NOWHERE: then it must be asked."""
    return address.known if now < address.known_until_ns else NOWHERE


def learn(address: Address, habits: Habits, now: int, client: int, master: int, u: float) -> None:
    """The name has been asked, and stands for a master.

    `client` is its number at its gateway. For the first time, the answer is one that was got
    some time ago: the share `u` of the time for which it holds is left.
    """
    ttl_ns = habits.kept_ns if client < habits.keepers else habits.ttl_ns
    if address.known == NOWHERE:
        ttl_ns = int(ttl_ns * u)
    address.known, address.known_until_ns = master, now + ttl_ns


def connect(address: Address, habits: Habits, now: int, master: int, u: float) -> None:
    """A connection is opened, if any are kept; the first one is as old as a share of its life."""
    if habits.lifetime_ns > 0:
        first = address.open_until_ns == 0
        left_ns = int(habits.lifetime_ns * u) if first else habits.lifetime_ns
        address.open, address.open_since_ns = master, now
        address.open_until_ns = min(now + left_ns, NEVER)


def close(address: Address, master: int, now: int) -> None:
    """The connection to a master has broken, if that is where the client is connected to."""
    if address.open == master and now < address.open_until_ns:
        address.open, address.open_until_ns = NOWHERE, now


def by_name(address: Address, since_ns: int, now: int) -> int:
    """Of the time since routing has changed: as long as the name stood for the old master still.

    Of a client that sends elsewhere now, before it learns or connects anew. Nobody leaves before
    the name lets him; what a connection adds to it is `by_connection`, and the rest is the wait
    for something to send.
    """
    return max(min(address.known_until_ns, now) - since_ns, 0)


def by_connection(address: Address, since_ns: int, now: int) -> int:
    """And after that, as long as it kept its connection to the old master.

    Until that was old, or until it broke (`open` is NOWHERE): the client stayed until an error.
    """
    free_ns = max(address.known_until_ns, since_ns)
    return max(min(address.open_until_ns, now) - free_ns, 0)
