"""False failovers a year of a whole scenario, by two methods, or why there is no number."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from hasim.services.detection.confirm.alone import AloneSettings
from hasim.services.detection.evidence.heartbeats import HeartbeatSettings
from hasim.services.detection.evidence.messages import MessageSettings
from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.services.detection.settings import DetectionSettings
from hasim.simulation.network import Jitter, Network, master_endpoint, observer_endpoint
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.places import place_named, place_of
from hasim.simulation.streams import generator
from hasim.study.estimates.statistics import LEVEL, Interval, t_interval
from hasim.study.execution import executor
from hasim.study.rare.combine import scaled, total
from hasim.study.rare.falsely.branching import sampled as branched
from hasim.study.rare.falsely.noise import Noise
from hasim.study.rare.falsely.splitting import Sampled, quiet_of, split, tilt
from hasim.study.rare.falsely.surroundings import Surroundings, surroundings_of, unheard
from hasim.study.rare.falsely.watching import Watching
from hasim.units import YEAR, seconds

REPLICATES = 10
"""Independent replicates, at least: Student's t over fewer says little."""
MOST_REPLICATES = 60
HALF_WIDTH = 0.20
"""Replicates are added until the interval is so narrow, relative to the estimate."""
EFFORT, PATHS, MESSAGES_EFFORT = 200, 1000, 100
"""States on each level of a splitting, and cycles of a tilting, of one replicate; states on each
level where messages are evidence."""
WARM_UP, PLAIN, KEPT = 1200, 1600, 400
"""Crossings before the plain run (windows of detectors fill), of it, and quiet ones kept."""
HEARD = ProbeSettings | HeartbeatSettings | MessageSettings
LEAST_HITS = 50
HEAVIEST = 0.05
"""A number that fewer declarations carry, or one of them so largely, is not told."""
SECONDS = seconds(YEAR)


Both = tuple[Sampled, Sampled]
"""By the first method, and by the second."""


@dataclass(frozen=True)
class Watched:
    """Masters whose paths to the observer are alike: so many, and what watches each."""

    names: tuple[str, ...]
    detection: DetectionSettings
    noise: Noise

    @property
    def silent(self) -> bool:
        """Whether nothing is ever lost or late."""
        return self.noise.silent

    def sampled(self, draws: np.random.Generator) -> Both:
        """One replicate, of one of the masters."""
        watching = Watching(self.detection, self.noise, draws)
        quiet = quiet_of(watching, WARM_UP, PLAIN, KEPT)
        if not quiet.moments:
            return Sampled(math.nan, ()), Sampled(math.nan, ())
        return split(watching, quiet, EFFORT, draws), tilt(watching, quiet, PATHS, draws)


@dataclass(frozen=True)
class Exchanging:
    """All masters of a tier whose messages are evidence, and what is around them."""

    names: ClassVar[tuple[str, ...]] = ("all",)
    around: Surroundings

    @property
    def silent(self) -> bool:
        """Whether nothing is ever lost or late."""
        return all(noise.silent for noise in self.around.noises.values())

    def sampled(self, draws: np.random.Generator) -> Both:
        """One replicate, of all masters together."""
        return branched(self.around, MESSAGES_EFFORT, draws)


@dataclass(frozen=True)
class FalseFailovers:
    """The rate of false failovers (a year, of all masters), where it can be told.

    `per_year` is by splitting and `check` by the second method (tilting; where messages are
    evidence, splitting by another promise), each with its interval; both None where
    there is nothing to estimate. `hits` are the declarations behind the first, `heaviest` the
    largest share that one of them has in it. `refused` says why the number is none to go by, or
    is empty. `noise` says on what it rests.
    """

    per_year: Interval | None
    check: Interval | None
    hits: int
    heaviest: float
    refused: str
    noise: str

    @property
    def told(self) -> Interval | None:
        """The estimate, unless it is refused."""
        return None if self.refused else self.per_year


def false_failovers(
    world: WorldSettings,
    recorded: Recorded,
    *,
    seed: int,
    half_width: float = HALF_WIDTH,
    jobs: int | None = None,
    cluster: executor.Connection | None = None,
    level: float = LEVEL,
    progress: Callable[[int, int], None] | None = None,
) -> FalseFailovers:
    """Failovers that a year begins by declaring a healthy master, while no fault is active.

    Given the noise of the network as the scenario states it: independent loss, bursts, jitter.
    Counted after confirmation, summed over the masters that own a partition (of a tier without
    state: over all). The same seed gives the same numbers with any `jobs`. `progress` is told how
    many replicates are done, and of how many so far: more are wanted where the interval is wide.
    """
    why = uncovered(world)
    if why:
        return FalseFailovers(None, None, 0, 0.0, why, _words(world))
    groups = [group for tier in world.apart for group in _groups(tier, recorded)]
    if all(group.silent for group in groups):
        why = "no noise is stated (loss, bursts, jitter): nothing is ever lost or late"
        return FalseFailovers(None, None, 0, 0.0, why, _words(world))
    found = [_Group(group, []) for group in groups]
    work = _Replicate(tuple(groups), seed)
    while True:
        wanted = {
            number: list(range(len(one.replicates), one.next_count))
            for number, one in enumerate(found)
            if one.wants(half_width, level)
        }
        if not wanted:
            break
        known = sum(len(one.replicates) for one in found)
        total = known + sum(map(len, wanted.values()))

        def sink(outcome: tuple[int, int, Sampled, Sampled], total: int = total) -> None:
            found[outcome[0]].replicates.append(outcome)
            if progress is not None:
                progress(sum(len(one.replicates) for one in found), total)

        executor.execute(work, wanted, sink, jobs=jobs, cluster=cluster)
        for one in found:
            one.replicates.sort(key=lambda outcome: outcome[1])
    return _together(found, _words(world), level)


@dataclass(frozen=True)
class _Replicate:
    """The work of the executor: one replicate of both methods for one group of masters."""

    groups: tuple[Watched | Exchanging, ...]
    seed: int

    def __call__(self, group: int, number: int) -> tuple[int, int, Sampled, Sampled]:
        own = self.groups[group]
        draws = generator(self.seed, number, f"rare:false:{own.names[0]}")
        return group, number, *own.sampled(draws)


@dataclass
class _Group:
    watched: Watched | Exchanging
    replicates: list[tuple[int, int, Sampled, Sampled]]

    @property
    def next_count(self) -> int:
        """How many replicates to have next."""
        return max(REPLICATES, len(self.replicates) + len(self.replicates) // 2)

    def wants(self, half_width: float, level: float) -> bool:
        """Whether more of them are of use."""
        if len(self.replicates) < REPLICATES:
            return True
        found = self.interval(2, level)
        value = found.value or 0.0
        narrow = found.high - found.low <= 2 * half_width * value
        # Nothing was seen, or never quiet: more of the same tells no more.
        return not narrow and value > 0.0 and len(self.replicates) < MOST_REPLICATES

    def interval(self, method: Literal[2, 3], level: float) -> Interval:
        """Declarations a year of all masters of the group."""
        rates = [outcome[method].rate_per_s for outcome in self.replicates]
        found = t_interval(rates, level)
        bounded = dataclasses.replace(found, low=max(0.0, found.low))
        return scaled(bounded, SECONDS * len(self.watched.names))


def _together(found: Sequence[_Group], noise: str, level: float) -> FalseFailovers:
    rate = total(one.interval(2, level) for one in found)
    check = total(one.interval(3, level) for one in found)
    hits, heaviest = 0, 0.0
    for one in found:
        weights = [w for _, _, sampled, _ in one.replicates for w in sampled.weights]
        hits += len(weights)
        heaviest = max(heaviest, max(weights, default=0.0) / (sum(weights) or 1.0))
    return FalseFailovers(rate, check, hits, heaviest, _doubt(rate, check, hits, heaviest), noise)


def _doubt(rate: Interval, check: Interval, hits: int, heaviest: float) -> str:
    """Why the number is none to go by, or nothing."""
    if rate.value is None or math.isnan(rate.value):
        return "the noise never lets the detector be quiet: a plain run (hasim run) tells the rate"
    if hits < LEAST_HITS:
        return f"only {hits} declarations were seen, {LEAST_HITS} are needed"
    if heaviest > HEAVIEST:
        return (
            f"one declaration carries {heaviest:.0%} of the number, {HEAVIEST:.0%} at most may be"
        )
    if rate.low > check.high or check.low > rate.high:
        return (
            f"two methods disagree beyond their intervals: {rate.value:.3g} a year, and "
            f"{check.value or 0.0:.3g}"
        )
    return ""


def uncovered(world: WorldSettings) -> str:
    """What the method does not cover, or nothing."""
    for tier in world.apart:
        detection = tier.detection
        if not all(isinstance(source, HEARD) for source in detection.evidence):
            return "it covers probes, heartbeats and messages as evidence: a plain run all others"
        if _by_messages(tier) and (why := unheard(world)):
            return why
        if not isinstance(detection.confirm, AloneSettings):
            return "it covers one observer that decides alone: a plain run tells of several"
        if detection.probes and any(m.health in ("deep", "write") for m in tier.masters):
            return "deep checks depend on the load: a plain run tells how often they fail"
    return ""


def _groups(tier: WorldSettings, recorded: Recorded) -> list[Watched | Exchanging]:
    """The masters of a tier by their distance from the observer; all, if messages are evidence."""
    if _by_messages(tier):
        return [Exchanging(surroundings_of(tier, recorded))]
    site = tier.observer.region or tier.masters[0].region
    observer = observer_endpoint("observer")
    places = {master_endpoint(m.id): place_of(m) for m in tier.masters}
    places[observer] = place_named(site)
    network = Network(tier.network, recorded, places, seed=0, replication=0)
    owners = [master.id for master in tier.owners] or [master.id for master in tier.masters]
    by_rtt: dict[int, list[str]] = {}
    for name in owners:
        by_rtt.setdefault(network.rtt_ns(observer, master_endpoint(name)), []).append(name)
    jitter = Jitter(tier.network, recorded)
    return [
        Watched(
            tuple(names),
            tier.detection,
            Noise(rtt_ns // 2, tier.network.loss, tier.network.bursts, jitter),
        )
        for rtt_ns, names in by_rtt.items()
    ]


def _by_messages(tier: WorldSettings) -> bool:
    return any(isinstance(source, MessageSettings) for source in tier.detection.evidence)


def _words(world: WorldSettings) -> str:
    """The noise that the scenario states."""
    network = world.network
    found = []
    if network.loss:
        found.append(f"independent loss of {network.loss:.3g} each way")
    if network.bursts is not None and network.bursts.share:
        found.append(f"bursts that lose {network.bursts.share:.3g} of all packets")
    if network.jitter is not None:
        found.append("jitter")
    return ", ".join(found) or "none"
