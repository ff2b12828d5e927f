"""The state of partitions: acknowledged writes, their copies, and what a failover loses."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable

from hasim.simulation.masters.writes import Writes
from hasim.units import SECOND

NO_COPY = -1
Order = tuple[str, int]
"""An observer, and the number of its failover."""


class ReplicationStream:
    """The stream of writes from a partition's owner to one standby.

    Nothing is simulated per write: the standby holds what was acknowledged
    `lag_ns` and `extra_ns` (what a fault adds) ago, as long as the stream is connected; when it
    breaks, at `broke_ns`, the position stays, and after a reconnection it jumps once the missing
    bytes have crossed. While acknowledgements wait for it (`waited`), it holds all that is
    acknowledged, from the first write on for which they did: after position `waited_from`.
    """

    def __init__(self, position: int, lag_ns: int) -> None:
        self.settled = position
        self.lag_ns = lag_ns
        self.extra_ns = 0
        self.connected = False
        self.caught_up_ns = 0
        self.broke_ns = 0
        self.waited = False
        self.waited_from = 0

    def position(self, now: int, acknowledged: Writes) -> int:
        """Writes that the standby holds; NO_COPY if it never had one."""
        if not self.connected or now < self.caught_up_ns:
            return self.settled
        return max(self.settled, acknowledged.until(now - self.behind_ns(now, acknowledged)))

    def behind_ns(self, now: int, acknowledged: Writes) -> int:
        """How long ago what it has received last was acknowledged, as long as it is connected."""
        has_all = self.waited and acknowledged.until(now) > self.waited_from
        return 0 if has_all else self.whole_ns

    def wait_for(self, now: int, acknowledged: Writes, waited: bool) -> None:
        """Acknowledgements wait for it from now on, or do so no more."""
        if waited != self.waited:
            self.settled = self.position(now, acknowledged)
            self.waited, self.waited_from = waited, acknowledged.until(now)

    @property
    def whole_ns(self) -> int:
        """The lag with all that is added to it."""
        return self.lag_ns + self.extra_ns

    def delay(self, now: int, acknowledged: Writes, extra_ns: int) -> None:
        """A fault adds so much to the lag from now on: what has arrived stays."""
        if extra_ns != self.extra_ns:
            self.settled = self.position(now, acknowledged)
            self.extra_ns = extra_ns

    def connect(self, now: int, acknowledged: Writes, connected: bool, catch_up_ns: int) -> None:
        """The link or one of its ends changed its state."""
        self.settled = self.position(now, acknowledged)
        if connected and not self.connected:
            # At the start nothing is missing.
            self.caught_up_ns = now + self.whole_ns + catch_up_ns if now else 0
        elif self.connected and not connected:
            self.broke_ns = now
        self.connected = connected


class PartitionState:
    """One partition: its acknowledged writes, and who holds how many of them.

    `history` counts changes of owner: a position means something within one history
    only. `stale` holds, by the order that had moved the partition, how many writes
    somebody acknowledged who no longer owned it, and the time of the first (ns).
    `waits_applied`: the standbys that have applied whatever is acknowledged.
    """

    def __init__(
        self,
        partition: str,
        owner: str,
        *,
        size_bytes: int,
        write_bytes: int,
        bandwidth_bytes_per_s: int,
        apply_ns: int = 0,
    ) -> None:
        self.partition = partition
        self.owner = owner
        self.size_bytes = size_bytes
        self.write_bytes = write_bytes
        self.bandwidth = bandwidth_bytes_per_s
        self.apply_ns = apply_ns
        self.acknowledged = Writes()
        self.total_acknowledged = 0
        self.history = 0
        self.moved_by: Order = ("", 0)
        self.stale: dict[Order, tuple[int, int]] = {}
        self.streams: dict[str, ReplicationStream] = {}
        self.waits_applied: frozenset[str] = frozenset()
        self._under_way: list[int] = []

    def acknowledge(self, now: int, master: str) -> None:
        """A write was acknowledged by `master`; one that no longer owns acknowledges in vain."""
        time, nothing = array("q", [now]), array("q")
        if master == self.owner:
            self.acknowledge_all(time, nothing)
        else:
            self.acknowledge_all(nothing, time)

    def acknowledge_all(self, by_owner: array[int], by_others: array[int]) -> None:
        """The same for several writes at once: the owner's in the order of their times (ns)."""
        self.total_acknowledged += len(by_owner) + len(by_others)
        if by_others:
            earliest_ns = min(by_others)
            count, first_ns = self.stale.get(self.moved_by, (0, earliest_ns))
            self.stale[self.moved_by] = (count + len(by_others), min(first_ns, earliest_ns))
        if by_owner:
            self.acknowledged.extend(by_owner)
            if self.acknowledged.long:
                self._forget(by_owner[-1])

    def _forget(self, now: int) -> None:
        """Drop the times of writes that every connected standby has applied for good.

        Standbys whose streams are broken, and transfers, hold on to a position.
        """
        connected = [stream for stream in self.streams.values() if stream.connected]
        times_ns = [now - stream.whole_ns - self.apply_ns for stream in connected]
        reached = [self.acknowledged.until(time_ns) for time_ns in times_ns]
        settled = [stream.settled for stream in self.streams.values()]
        marks = [position for position in (*settled, *self._under_way) if position >= 0]
        self.acknowledged.forget(min(reached, default=len(self.acknowledged)), marks)

    def hold(self, position: int) -> None:
        """A transfer of the copy at this position begins."""
        self._under_way.append(position)

    def let_go(self, position: int) -> None:
        """It has ended."""
        self._under_way.remove(position)

    def position(self, now: int, master: str) -> int:
        """Writes that the copy of `master` holds."""
        if master == self.owner:
            return len(self.acknowledged)
        stream = self.streams.get(master)
        return NO_COPY if stream is None else stream.position(now, self.acknowledged)

    def behind_ns(self, master: str) -> int:
        """The lag of the copy of `master`: none for the owner's own (nanoseconds)."""
        if master == self.owner or self.streams[master].waited:
            return 0
        return self.streams[master].whole_ns

    def missed_ns(self, now: int, master: str) -> int:
        """For how long the copy of `master` may have missed writes: none for the owner's own."""
        if master == self.owner:
            return 0
        stream = self.streams[master]
        if not stream.connected:
            return stream.whole_ns + now - stream.broke_ns
        return stream.behind_ns(now, self.acknowledged)

    def applied(self, now: int, master: str) -> int:
        """Writes that the copy of `master` has not only received, but applied."""
        if master == self.owner or not self.apply_ns or master in self.waits_applied:
            return self.position(now, master)
        behind_ns = self.streams[master].behind_ns(now, self.acknowledged)
        until_ns = now - behind_ns - self.apply_ns
        return min(self.position(now, master), self.acknowledged.until(until_ns))

    def wait_for(self, now: int, standbys: frozenset[str], *, applied: bool) -> None:
        """Acknowledgements wait for these from now on, and (`applied`) until they have applied."""
        for name, stream in self.streams.items():
            stream.wait_for(now, self.acknowledged, name in standbys)
        self.waits_applied = standbys if applied else frozenset()

    def unapplied_ns(self, now: int, master: str) -> int:
        """How long `master` has yet to apply what it has received (nanoseconds)."""
        stream = self.streams.get(master)
        if master == self.owner or stream is None or not self.apply_ns:
            return 0
        heard_ns = now if stream.connected else stream.broke_ns
        return max(0, heard_ns + self.apply_ns - now)

    def discard_unapplied(self, now: int, master: str) -> None:
        """What `master` has received and not applied is thrown away, as it stops replicating."""
        stream = self.streams.get(master)
        if master != self.owner and stream is not None and self.apply_ns:
            stream.settled = self.applied(now, master)
            stream.connected = False

    def bytes_at(self, position: int) -> int:
        """Size of the state at a position."""
        return self.size_bytes + position * self.write_bytes

    def missing_bytes(self, held: int, wanted: int) -> int:
        """Bytes to send to somebody who holds `held`: only the difference if it has a copy."""
        if held == NO_COPY:
            return self.bytes_at(wanted)
        return max(0, wanted - held) * self.write_bytes

    def transfer_ns(self, held: int, wanted: int) -> int:
        """Nanoseconds that the missing bytes need at the network's bandwidth."""
        return self.missing_bytes(held, wanted) * SECOND // self.bandwidth

    def replicate_to(self, master: str, lag_ns: int, *, has_copy: bool) -> None:
        """Set up the stream to a standby."""
        self.streams.setdefault(master, ReplicationStream(0 if has_copy else NO_COPY, lag_ns))

    def refresh(
        self,
        now: int,
        connected: Callable[[str, str], bool],
        extra_ns: Callable[[str], int] = lambda master: 0,
    ) -> None:
        """Links or masters changed: break or mend the streams, by what is added to their lag."""
        for master, stream in self.streams.items():
            stream.delay(now, self.acknowledged, extra_ns(master))
            up = master != self.owner and connected(self.owner, master)
            if up == stream.connected:
                continue
            held = stream.position(now, self.acknowledged)
            catch_up = self.transfer_ns(held, len(self.acknowledged))
            stream.connect(now, self.acknowledged, up, catch_up)

    def receive(self, master: str, position: int, lag_ns: int) -> None:
        """A transfer brought the copy of `master` to `position`."""
        stream = self.streams.setdefault(master, ReplicationStream(NO_COPY, lag_ns))
        stream.settled = max(stream.settled, position)

    def change_owner(
        self, now: int, master: str, order: Order, lag_to: Callable[[str], int]
    ) -> tuple[int, int]:
        """`master` owns from now on, with the copy it has, by `order`.

        `lag_to` gives the replication lag (ns) from it to another master. Returns how
        many acknowledged writes are lost, and the age of the oldest of them (ns).
        """
        self.moved_by = order
        if master == self.owner:
            return 0, 0
        position = max(0, self.position(now, master))
        self.streams[self.owner] = ReplicationStream(len(self.acknowledged), 0)
        for standby, stream in self.streams.items():
            stream.settled = min(stream.position(now, self.acknowledged), position)
            stream.connected = stream.waited = False
            stream.lag_ns = lag_to(standby)
        lost, first_ns = self.acknowledged.cut(position)
        self.waits_applied = frozenset()
        self.owner = master
        self.history += 1
        return lost, (now - first_ns if lost else 0)

    def checksum(self, position: int, size: int) -> int:
        """CRC-32 that stands for the content of a copy."""
        return zlib.crc32(f"{self.partition}/{position}/{size}".encode())
