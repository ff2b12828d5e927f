"""The addresses of a gateway's clients: what kept each with the old master, and its chances."""

from __future__ import annotations

from typing import Any

from hasim.model import Cause, RoutingTable
from hasim.services.balancing import BalancingSettings
from hasim.services.gateway.addresses import OPENS
from hasim.services.gateway.attempts import Message
from hasim.services.gateway.directory import Directory
from hasim.services.gateway.service import GatewayService
from hasim.services.gateway.settings import ClientSettings
from hasim.settings.validation import from_plain
from hasim.units import SECOND
from tests.services.bench import cluster

S = SECOND


def message(client: int = 0, partition: str | None = None) -> Message:
    return Message(0, partition, vip=False, key=None, give_up_ns=60 * S, client=client)


def directory(asked: list[int] | None = None, **habits: Any) -> tuple[GatewayService, Directory]:
    """Clients of two masters; all uniforms are one half, and which were asked for is noted."""
    gateway = GatewayService(BalancingSettings(algorithm="round-robin"), cluster(2), "local")
    settings = from_plain(ClientSettings, {"number": 2, **habits})

    def chance(number: int) -> float:
        if asked is not None:
            asked.append(number)
        return 0.5

    return gateway, Directory(settings, gateway, chance)


def left(gateway: GatewayService, now: int) -> None:
    """From now on nobody is to send to m1."""
    gateway.apply_routing(now, RoutingTable(2, ("m2",), (), "round-robin"))


def test_a_connection_that_is_still_used_keeps_its_client_until_its_life_is_over() -> None:
    """Opened at 0, the first one is half its life of 40 s old: until 20; it sends again at 25."""
    gateway, clients = directory(connections={"lifetime": "40s"})
    assert clients.use(0, message(), "m1") == OPENS
    left(gateway, 5 * S)
    assert clients.known_to(15 * S, message()) == "m1"
    assert clients.known_to(25 * S, message()) is None
    followed = clients.follows(25 * S, message(), 7, "m2")
    assert followed is not None
    assert (followed.attempt, followed.since_ns) == (7, 5 * S)
    spent = (followed.name_ns, followed.pool_ns, followed.stay_ns, followed.pause_ns)
    assert spent == (0, 15 * S, 0, 5 * S)


def test_a_connection_that_breaks_kept_its_client_until_then() -> None:
    gateway, clients = directory(connections={"lifetime": "40s"})
    clients.use(0, message(), "m1")
    left(gateway, 5 * S)
    clients.failed(12 * S, message(), "m1", Cause.RESET)
    followed = clients.follows(14 * S, message(), 7, "m2")
    assert followed is not None
    spent = (followed.name_ns, followed.pool_ns, followed.stay_ns, followed.pause_ns)
    assert spent == (0, 0, 7 * S, 2 * S)


def test_who_stays_follows_nothing() -> None:
    """Neither who sends for the first time, nor who sends where it has sent before."""
    gateway, clients = directory(dns={"ttl": "10s"})
    assert clients.follows(0, message(), 0, "m1") is None
    clients.use(0, message(), "m1")
    left(gateway, 1 * S)
    assert clients.follows(2 * S, message(), 1, "m1") is None
    assert clients.follows(2 * S, message(), 1, "m2") is not None


def test_no_chance_is_used_twice() -> None:
    """Each client and target has two uniforms, for its name and for its connection."""
    asked: list[int] = []
    _, clients = directory(asked, dns={"ttl": "10s"}, connections={"lifetime": "40s"})
    for client in range(3):
        for partition in (None, "p1", "p2"):
            clients.use(0, message(client, partition), "m1")
    assert sorted(asked) == [*range(18)]
