"""Fencing tokens at the masters: a majority refuses what is written under an older one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hasim.services.failover.fencing.fencing import FencingSettings
from hasim.services.failover.fencing.token import TokenSettings
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.partitions import Partitions, Replication

Connected = Callable[[str, str], bool]
"""Whether packets cross from one master to another."""


class Tokens:
    """By partition, the masters that keep the token, and the latest that each has seen.

    They are the owner and the holders of copies at the start. Looked at whenever something
    changes: an owner that reaches no majority of them holds its writes, one whose token one of
    them refuses steps down. That a write asks them takes no time of its own here.
    """

    def __init__(
        self,
        masters: Mapping[str, SimMaster],
        keepers: Mapping[str, tuple[str, ...]],
        connected: Connected,
    ) -> None:
        self._masters, self._connected = masters, connected
        self._seen = {p: dict.fromkeys(names, 1) for p, names in keepers.items()}
        self._busy = False

    def majority(self, master: SimMaster, partition: str, token: int) -> bool:
        """Whether a majority of the keepers takes the token of `master`, and none refuses it."""
        seen, reached = self._seen[partition], self._reached(master, partition)
        return 2 * len(reached) > len(seen) and all(seen[keeper] <= token for keeper in reached)

    def take(self, master: SimMaster, partition: str, token: int) -> None:
        """Those that can be reached have seen the token."""
        seen = self._seen[partition]
        for keeper in self._reached(master, partition):
            seen[keeper] = max(seen[keeper], token)

    def changed(self) -> None:
        """Masters, roles or links are not what they were."""
        if self._busy:
            return
        self._busy = True
        for master in self._masters.values():
            self._look(master)
        self._busy = False

    def _look(self, master: SimMaster) -> None:
        if not master.primaries or not master.answering:
            return
        held: set[str] = set()
        for partition, token in list(master.primaries.items()):
            reached = self._reached(master, partition)
            seen = self._seen[partition]
            if any(seen[keeper] > token for keeper in reached):
                del master.primaries[partition]
            elif 2 * len(reached) <= len(seen):
                held.add(partition)
            else:
                self.take(master, partition, token)
        master.hold_writes(frozenset(held))

    def _reached(self, master: SimMaster, partition: str) -> list[str]:
        return [
            keeper
            for keeper in self._seen[partition]
            if keeper == master.id
            or (self._masters[keeper].answering and self._connected(master.id, keeper))
        ]


def tokens_of(
    fencing: FencingSettings,
    masters: Mapping[str, SimMaster],
    partitions: Partitions,
    replication: Replication,
) -> Tokens | None:
    """The tokens of a tier that is fenced by them: kept by the first owners and their standbys."""
    if not isinstance(fencing, TokenSettings):
        return None
    states = partitions.unsettled
    keepers = {name: (state.owner, *state.streams) for name, state in states.items()}
    return Tokens(masters, keepers, replication.connected)
