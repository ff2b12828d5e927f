"""Whose copies an acknowledgement waits for, and what becomes of that when they are away."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from hasim.simulation.changes import Changes
from hasim.simulation.clock import COMPLETION, Call
from hasim.simulation.masters.commits import FOREVER
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.partitions import Replication
from hasim.simulation.masters.state import PartitionState
from hasim.simulation.settings import ReplicationSettings
from hasim.simulation.settings.acknowledging import Asynchronous, SemiSynchronous, Synchronous
from hasim.truth import Acknowledging, Truth

Key = tuple[str, str]
"""A master, and a partition whose writes it accepts."""


class Waiting(NamedTuple):
    """How long writes of a partition wait (ns), and for whom: with FOREVER, for more than those."""

    wait_ns: int
    standbys: tuple[str, ...]


class Synchrony:
    """Looked at whenever something changes: how long the writes of each master wait for copies.

    A standby counts while its stream is connected and has caught up. Whoever accepts writes of a
    partition that has moved on has no standbys. `shortened` are those that no longer wait for as
    many as they should: after a timeout (semi-synchronous), or since the list has shrunk.
    """

    def __init__(
        self,
        settings: ReplicationSettings,
        mode: SemiSynchronous | Synchronous,
        replication: Replication,
        changes: Changes,
        record: Callable[[Truth], None],
    ) -> None:
        self._env, self._mode, self._replication = replication.env, mode, replication
        self._changes, self._record = changes, record
        self._applied = isinstance(mode, Synchronous) and mode.level == "applied"
        self._work_ns = settings.apply_ns if self._applied else 0
        if isinstance(mode, Synchronous) and mode.level != "received":
            self._work_ns += mode.flush_ns
        self._give_up_ns = mode.timeout_ns if isinstance(mode, SemiSynchronous) else FOREVER
        self._shortened: set[Key] = set()
        self._short_ns: dict[Key, int] = {}
        """Since when those are too few that a master should wait for."""
        self._known: dict[Key, Waiting] = {}
        self._waited: dict[Key, tuple[str, ...]] = {}
        """For whom writes were waited for when some were acknowledged last."""
        self.told: Callable[[SimMaster], None] = lambda master: None
        """Called when a master waits for others than before."""
        self._looks: set[int] = set()
        self._busy = False
        for master in replication.masters.values():
            master.in_vain = partial(self.in_vain, master.id)

    def changed(self) -> None:
        """Masters, roles, links or streams are not what they were."""
        if self._busy:
            return
        self._busy = True
        for master in self._replication.masters.values():
            found = [self._look(master, partition) for partition in master.primaries]
            longest_ns = max((waiting.wait_ns for waiting in found), default=0)
            master.wait_for_copies(longest_ns, self._give_up_ns)
        self._busy = False

    def waits_for(self, master: str, partition: str) -> tuple[str, ...]:
        """The standbys for which a master waits, or waited last before too few were there."""
        return self._waited.get((master, partition), ())

    def in_vain(self, master: str) -> None:
        """A write has waited for as long as writes do: this master waits for nobody any more."""
        self._shortened |= {key for key in self._short_ns if key[0] == master}
        self._changes.changed()

    def _look(self, master: SimMaster, partition: str) -> Waiting:
        key, state = (master.id, partition), self._replication.partitions.states[partition]
        owns = state.owner == master.id
        found = self._waiting(key, state, self._listed(state) if owns else ())
        if found != self._known.get(key):
            self._known[key] = found
            held = found.wait_ns >= FOREVER
            self._record(Acknowledging(partition, master.id, found.standbys, held))
            if not held:
                self._waited[key] = found.standbys
                self.told(master)
            if owns:
                waited = frozenset(() if held else found.standbys)
                state.wait_for(self._env.now, waited, applied=self._applied)
        return found

    def _listed(self, state: PartitionState) -> tuple[str, ...]:
        named = self._mode.standbys if isinstance(self._mode, Synchronous) else ()
        return tuple(
            standby
            for standby in state.streams
            if standby != state.owner and (not named or standby in named)
        )

    def _waiting(self, key: Key, state: PartitionState, listed: tuple[str, ...]) -> Waiting:
        ready = sorted(
            (wait_ns, standby)
            for standby in listed
            if (wait_ns := self._wait_ns(state, standby)) is not None
        )
        wanted = self._wanted(listed)
        if wanted <= len(ready):
            self._shortened.discard(key)
            self._short_ns.pop(key, None)
        elif key not in self._shortened:
            self._is_short(key, listed)
        if key in self._shortened:
            wanted = min(wanted, len(ready)) if isinstance(self._mode, Synchronous) else 0
        names = tuple(standby for _, standby in ready[:wanted])
        if len(names) < wanted:
            return Waiting(FOREVER, names)
        return Waiting(ready[wanted - 1][0] if wanted else 0, names)

    def _wanted(self, listed: tuple[str, ...]) -> int:
        """How many are waited for: one at least, as nobody counts for a copy of nothing."""
        if isinstance(self._mode, SemiSynchronous):
            return self._mode.replicas
        return self._mode.any or max(1, len(listed))

    def _wait_ns(self, state: PartitionState, standby: str) -> int | None:
        """How long a write takes to a standby and its word back; None: it does not count now."""
        stream, now = state.streams[standby], self._env.now
        if not stream.connected:
            return None
        if now < stream.caught_up_ns:
            self._look_at(stream.caught_up_ns)
            return None
        round_trip_ns = self._replication.round_trip_ns(state.owner, standby)
        if round_trip_ns is None:
            return None
        # One that takes no time is waited for all the same, as it may break.
        wait_ns = max(1, round_trip_ns + stream.extra_ns + self._work_ns)
        return wait_ns if wait_ns <= self._give_up_ns else None

    def _is_short(self, key: Key, listed: tuple[str, ...]) -> None:
        """Too few are there: as the mode says, that is waited out, or it is not."""
        since_ns = self._short_ns.setdefault(key, self._env.now)
        mode = self._mode
        if isinstance(mode, SemiSynchronous):
            heard = [name for name in listed if not self._replication.closed(key[0], name)]
            if not mode.wait_no_replica and len(heard) < mode.replicas:
                self._shortened.add(key)
        elif mode.if_missing == "shrink":
            due_ns = since_ns + mode.shrink_after_ns
            if self._env.now >= due_ns:
                self._shortened.add(key)
            else:
                self._look_at(due_ns)

    def _look_at(self, time_ns: int) -> None:
        """Look again at a time, once."""
        if time_ns not in self._looks:
            self._looks.add(time_ns)
            Call(self._env, time_ns - self._env.now, COMPLETION, self._look_again, time_ns)

    def _look_again(self, event: Call) -> None:
        self._looks.discard(event.load)
        self._changes.changed()


def synchrony_of(
    settings: ReplicationSettings,
    replication: Replication,
    changes: Changes,
    record: Callable[[Truth], None],
) -> Synchrony | None:
    """That of a tier in which acknowledgements wait for anybody."""
    mode = settings.acknowledge
    if isinstance(mode, Asynchronous):
        return None
    return Synchrony(settings, mode, replication, changes, record)
