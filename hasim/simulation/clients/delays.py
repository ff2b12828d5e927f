"""What names, connections and gateways made clients wait for, added up by change of routing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hasim.truth import ClientsFollowed, MessagesHeld


@dataclass(slots=True)
class Following:
    """Clients that left a master, and what had kept them, summed (nanoseconds)."""

    clients: int = 0
    most_ns: int = 0
    name_ns: int = 0
    pool_ns: int = 0
    stay_ns: int = 0
    pause_ns: int = 0

    def add(self, name_ns: int, pool_ns: int, stay_ns: int, pause_ns: int) -> None:
        """One more."""
        self.clients += 1
        self.most_ns = max(self.most_ns, name_ns + pool_ns + stay_ns + pause_ns)
        self.name_ns += name_ns
        self.pool_ns += pool_ns
        self.stay_ns += stay_ns
        self.pause_ns += pause_ns


@dataclass(slots=True)
class Holding:
    """Attempts that were held and sent: how many, the sum of the times, the longest (ns)."""

    attempts: int = 0
    total_ns: int = 0
    most_ns: int = 0

    def add(self, held_ns: int) -> None:
        """One more."""
        self.attempts += 1
        self.total_ns += held_ns
        self.most_ns = max(self.most_ns, held_ns)


@dataclass(slots=True)
class Delays:
    """Of all gateways, by the number of the gateway and the time of its change of routing.

    `follows` also by the partition, or by the master that stateless messages left (the other one is
    empty); `holds` by the partition, and the time is that of the table by which they were sent.
    """

    follows: dict[tuple[int, int, str, str], Following] = field(default_factory=dict)
    holds: dict[tuple[int, int, str], Holding] = field(default_factory=dict)

    def following(self, gateway: int, since_ns: int, left: str, partition: str) -> Following:
        """Those who left a master, or the old owner of a partition, by a change of routing."""
        return self.follows.setdefault((gateway, since_ns, left, partition), Following())

    def holding(self, gateway: int, tabled_ns: int, partition: str) -> Holding:
        """Those who were sent by a routing table."""
        return self.holds.setdefault((gateway, tabled_ns, partition), Holding())

    def records(self, gateways: Sequence[str]) -> Iterator[ClientsFollowed | MessagesHeld]:
        """All of them, in order."""
        for (gateway, since_ns, left, partition), of in sorted(self.follows.items(), key=_place):
            yield ClientsFollowed(
                gateways[gateway],
                left,
                partition,
                since_ns,
                of.clients,
                of.most_ns,
                name_ns=of.name_ns,
                pool_ns=of.pool_ns,
                stay_ns=of.stay_ns,
                pause_ns=of.pause_ns,
            )
        for (gateway, tabled_ns, partition), held in sorted(self.holds.items(), key=_place):
            yield MessagesHeld(
                gateways[gateway], partition, tabled_ns, held.attempts, held.total_ns, held.most_ns
            )


def _place(item: tuple[tuple[int | str, ...], object]) -> tuple[int | str, ...]:
    return item[0]
