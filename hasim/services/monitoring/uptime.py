"""The bookkeeping of observed downtime, and of the error budget that it uses up."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, field


@dataclass(slots=True)
class Downtime:
    """Accumulated downtime in nanoseconds; `since_ns` is the start of a present outage."""

    closed_ns: int = 0
    since_ns: int | None = None

    def total_ns(self, now: int) -> int:
        """Downtime until `now`, which is not before the last change."""
        return self.closed_ns + (0 if self.since_ns is None else max(0, now - self.since_ns))

    def mark(self, now: int, *, down: bool) -> None:
        """From `now` on it is down, or up; saying what is already so changes nothing."""
        if down and self.since_ns is None:
            self.since_ns = now
        elif not down and self.since_ns is not None:
            self.closed_ns, self.since_ns = self.total_ns(now), None


@dataclass(slots=True)
class UptimeBook:
    """Downtime of each partition, and of the service: down while any partition is unserved.

    The error budget is stated for consecutive periods of `period_ns`, the first
    of which begins at `started_ns`; it starts afresh with each.
    """

    started_ns: int
    period_ns: int
    allowed_ns: int
    service: Downtime = field(default_factory=Downtime)
    partitions: dict[str, Downtime] = field(default_factory=dict)
    period_start_ns: int = 0
    down_before_period_ns: int = 0
    down: set[str] = field(init=False, repr=False, compare=False)
    """The partitions that are down."""

    def __post_init__(self) -> None:
        self.down = {p for p, known in self.partitions.items() if known.since_ns is not None}

    @classmethod
    def start(
        cls, now: int, objective: float, period_ns: int, partitions: Iterable[str]
    ) -> UptimeBook:
        """A book that is opened at `now`: everything up, no budget used."""
        return cls(
            started_ns=now,
            period_ns=period_ns,
            allowed_ns=round((1.0 - objective) * period_ns),
            partitions={partition: Downtime() for partition in partitions},
            period_start_ns=now,
        )

    def update(self, now: int, unserved: Set[str]) -> None:
        """From `now` on exactly the partitions `unserved` are down."""
        self.turn_period(now)
        for partition in self.down ^ unserved:
            self.partitions[partition].mark(now, down=partition in unserved)
        self.down = set(unserved)
        self.service.mark(now, down=bool(unserved))

    def turn_period(self, now: int) -> None:
        """Begin the period that `now` lies in, if it is a new one."""
        if now < self.period_start_ns + self.period_ns:
            return
        start = self._period_start(now)
        if start > self.period_start_ns:
            self.down_before_period_ns = self.service.total_ns(start)
            self.period_start_ns = start

    def used_ns(self, now: int) -> int:
        """Downtime in the period that `now` lies in."""
        if now < self.period_start_ns + self.period_ns:
            return self.service.total_ns(now) - self.down_before_period_ns
        start = self._period_start(now)
        return self.service.total_ns(now) - self.service.total_ns(start)

    def exhausted(self, now: int) -> bool:
        """Whether the error budget of the present period is used up."""
        return self.used_ns(now) >= self._limit_ns

    def exhausted_at(self, now: int) -> int | None:
        """When the present outage will use up a period's budget, or None if nothing is down."""
        if self.service.since_ns is None:
            return None
        at = now + max(0, self._limit_ns - self.used_ns(now))
        end = self.period_end(now)
        return at if at <= end else end + self._limit_ns

    def period_end(self, now: int) -> int:
        """When the present period ends."""
        return self._period_start(now) + self.period_ns

    def uptime(self, now: int) -> float:
        """Share of time since the start in which every partition was served; 1.0 at the start."""
        return _share_up(self.service.total_ns(now), now - self.started_ns)

    def period_uptime(self, now: int) -> float:
        """The same share since the present period began."""
        return _share_up(self.used_ns(now), now - self._period_start(now))

    def mean_uptime(self, now: int) -> float:
        """Mean over the partitions of the share of time in which each was served."""
        if not self.partitions:
            return 1.0
        elapsed = now - self.started_ns
        shares = [_share_up(d.total_ns(now), elapsed) for d in self.partitions.values()]
        return sum(shares) / len(shares)

    @property
    def _limit_ns(self) -> int:
        # An objective of 100 % allows nothing: the first nanosecond uses it up.
        return max(1, self.allowed_ns)

    def _period_start(self, now: int) -> int:
        return self.started_ns + (now - self.started_ns) // self.period_ns * self.period_ns


def _share_up(down_ns: int, elapsed_ns: int) -> float:
    return 1.0 - down_ns / elapsed_ns if elapsed_ns > 0 else 1.0
