"""How many control events a run makes by the clock alone: probes, heartbeats, reports, periods.

Messages and faults are bounded where they are written. What repeats by the clock goes on whether
anything happens or not: each nanosecond, it would never end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hasim.settings import fields_by_user_name
from hasim.settings.validation import Where
from hasim.simulation.settings import WorldSettings
from hasim.units import format_duration

MOST_STRETCHED, MOST_SINGLE, MOST_PERIODS = 10**9, 10**8, 10**6
"""More of them take hours, and more memory than a common machine has: probes in quiet stretches;
what is done one by one; what is kept of each."""
MANY = 10**7
"""From so many on, the scenario says what they take."""
SINGLE_US, STRETCH_US = 19.0, 3.0
"""CPU time of one probe, by itself or handed over in a quiet stretch: results/scale.md."""
MANY_MASTERS, PAIR_US = 5_000, 0.12
"""From so many on they say what they take, and CPU time for each two of them, in each replication:
2.4 s for 4,000, 8.5 s for 8,000 that own a partition each, before anything has happened."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What `senders` do each `period_ns` for the whole of a run; `where` the period is written."""

    where: Where
    what: str
    period_ns: int
    senders: int
    most: int

    def times(self, horizon_ns: int) -> int:
        """How often that happens in a run."""
        return horizon_ns // self.period_ns * self.senders

    def shortest_ns(self, horizon_ns: int) -> int:
        """The shortest period that is allowed."""
        return -(-horizon_ns * self.senders // self.most)


def rhythms(world: WorldSettings) -> Iterator[Rhythm]:
    """All of a world's."""
    masters, gateways = len(world.masters), max(1, len(world.traffic.regions))
    probes = MOST_SINGLE if world.probes == "single" else MOST_STRETCHED
    for source in world.detection.evidence:
        for name, item in fields_by_user_name(type(source)).items():
            # A fast interval is kept only while a verdict is pending.
            if name == "interval" or (name.endswith("_interval") and not name.startswith("fast")):
                beats = name.startswith("heartbeat")
                what, most = ("heartbeats", MOST_SINGLE) if beats else ("probes", probes)
                each_ns = getattr(source, item.name)
                if each_ns is not None:  # else it is another one's
                    yield Rhythm(("detection", name), what, each_ns, masters, most)
    each_ns = world.balancing.report_interval_ns
    yield Rhythm(("balancing", "report_interval"), "reports", each_ns, gateways, MOST_SINGLE)
    yield Rhythm(("monitor", "period"), "periods", world.monitor.period_ns, 1, MOST_PERIODS)


def rhythm_problems(world: WorldSettings) -> Iterator[tuple[Where, str]]:
    """(where, message) for each rhythm that is too fast for its run."""
    for rhythm in rhythms(world):
        times = rhythm.times(world.horizon_ns)
        if times > rhythm.most:
            least = format_duration(rhythm.shortest_ns(world.horizon_ns))
            yield (
                rhythm.where,
                f"makes {times:.0e} {rhythm.what} in a run; the most is {rhythm.most:.0e}, an "
                f"interval of {least} here",
            )


def rhythm_remarks(world: WorldSettings) -> Iterator[str]:
    """A sentence for each rhythm that makes a replication long, and for very many masters."""
    if (masters := len(world.masters)) >= MANY_MASTERS:
        yield (
            f"{masters:,} masters take about {masters**2 * PAIR_US / 1e6:,.0f} s of one core in "
            "each replication, even if nothing happens."
        )
    for rhythm in rhythms(world):
        times = rhythm.times(world.horizon_ns)
        if times < MANY:
            continue
        each_us = SINGLE_US if world.probes == "single" else STRETCH_US
        yield (
            f"{'.'.join(map(str, rhythm.where))} makes {times:.0e} {rhythm.what} in each "
            f"replication: about {times * each_us / 1e6:,.0f} s of one core if little happens."
        )
