"""Load: messages by outcome, how evenly masters shared the work, and what probing cost."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from hasim import sketch
from hasim.events import ProbeStretch, SendProbe
from hasim.measures import quality
from hasim.measures.balance import INDICES
from hasim.measures.facts import Facts
from hasim.measures.quality import Mistake
from hasim.measures.records import grouped
from hasim.measures.spans import length_ns
from hasim.measures.wire import check_bytes
from hasim.model import SERVED
from hasim.truth import (
    AttemptRollup,
    BlockSketch,
    LatencySketch,
    LoadBlock,
    TrafficRollup,
)
from hasim.units import seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """Messages of one class with one outcome (a `Cause`, or ``in_flight``).

    `settled` is False for those whose deadline lies beyond the end of the run.
    `in_time` counts those that were answered by their deadline.
    """

    klass: str
    outcome: str
    settled: bool
    messages: int
    in_time: int
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterRow:
    """One master: what befell it, and the load it took.

    `impaired_s` is time in incidents, `healthy_s` the rest, `mistaken_s` time in
    which it was declared (or fenced) by mistake. `attempts` are those sent to it,
    `answered` those that it answered in time, `probes` the health checks.
    """

    master: str
    region: str
    workers: int
    incidents: int
    impaired_s: float
    healthy_s: float
    mistakes: int
    mistaken_s: float
    attempts: int
    answered: int
    failed: int
    probes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """The latencies of the answered messages of one class, as a sketch in nanoseconds."""

    klass: str
    accuracy: float
    cells: sketch.Cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The load of a part of the run from `start_s` on, kept where a warm-up is to be left out.

    `latency_s` sums the latencies of each bin's answered messages, `answered` counts them
    (without bins, the warm-up is the first of two blocks);
    `chosen` are the attempts to each master, `latencies` the sketches of the block.
    """

    start_s: float
    latency_s: tuple[float, ...]
    answered: tuple[int, ...]
    messages: int
    in_time: int
    attempts: int
    chosen: tuple[int, ...]
    latencies: tuple[Latencies, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The balance of load over masters, per worker, and rates.

    `jain` is Jain's fairness index (sum x)^2 / (n sum x^2) of the attempts per
    worker x (Jain, Chiu, Hawe 1984: 1 is even, 1/n all on one), `peak_to_mean` their maximum
    over their mean, `least_to_mean` their minimum over it, `cv` their coefficient of variation:
    of all masters, available or not. `goodput_per_s` counts messages
    answered by their deadline. `messages` took `attempts`. `check_bytes_per_s`: see
    `hasim.measures.wire`.
    """

    jain: float | None
    peak_to_mean: float | None
    least_to_mean: float | None
    cv: float | None
    goodput_per_s: float
    messages: int
    attempts: int
    probes_per_s: float
    check_bytes_per_s: float


def messages_of(facts: Facts) -> list[MessageRow]:
    """Messages by class and outcome.

    Success leaves out what is not settled; conservation counts it.
    """
    sums: defaultdict[tuple[str, str, bool], list[int]] = defaultdict(lambda: [0, 0, 0])
    for _, rollup in facts.records.of(TrafficRollup):
        row = sums[rollup.klass, rollup.outcome, rollup.settled]
        row[0] += rollup.messages
        row[1] += rollup.in_time
        row[2] += rollup.attempts
    return [
        MessageRow(
            klass=klass,
            outcome=outcome,
            settled=settled,
            messages=number,
            in_time=in_time,
            attempts=attempts,
        )
        for (klass, outcome, settled), (number, in_time, attempts) in sorted(sums.items())
    ]


def latencies_of(facts: Facts) -> list[Latencies]:
    """The latency sketch of each class."""
    return [
        Latencies(klass=s.klass, accuracy=s.accuracy, cells=s.cells)
        for _, s in facts.records.of(LatencySketch)
    ]


def masters_of(facts: Facts, mistakes: Sequence[Mistake]) -> list[MasterRow]:
    """Each master of the cluster, in its order."""
    attempts: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for _, rollup in facts.records.of(AttemptRollup):
        attempts[rollup.master] += rollup.attempts
        if rollup.cause in SERVED:
            answered[rollup.master] += rollup.attempts
    probes = Counter(probe.master for _, probe in facts.records.of(SendProbe))
    for _, stretch in facts.records.of(ProbeStretch):
        probes[stretch.master] += stretch.sent
    mistakes_of = grouped((mistake.master, mistake) for mistake in mistakes)
    rows = []
    for master in facts.records.masters:
        own = mistakes_of[master.id]
        spans = [episode.span for episode in facts.episodes_of[master.id]]
        rows.append(
            MasterRow(
                master=master.id,
                region=master.region,
                workers=master.workers,
                incidents=len(spans),
                impaired_s=seconds(length_ns(spans)),
                healthy_s=seconds(quality.healthy_ns(facts, master.id)),
                mistakes=len(own),
                mistaken_s=sum((m.duration_s or 0.0) + (m.censored_s or 0.0) for m in own),
                attempts=attempts[master.id],
                answered=answered[master.id],
                failed=attempts[master.id] - answered[master.id],
                probes=probes[master.id],
            )
        )
    return rows


def blocks_of(facts: Facts) -> list[Block]:
    """The load by blocks, in the order of time; empty if no rule has to find the warm-up."""
    sketches: defaultdict[int, list[Latencies]] = defaultdict(list)
    for _, s in facts.records.of(BlockSketch):
        row = Latencies(klass=s.klass, accuracy=s.accuracy, cells=s.cells)
        sketches[s.start_ns].append(row)
    return [
        Block(
            start_s=seconds(block.start_ns),
            latency_s=tuple(map(seconds, block.latency_ns)),
            answered=tuple(block.answered),
            messages=block.messages,
            in_time=block.in_time,
            attempts=block.attempts,
            chosen=tuple(block.chosen),
            latencies=tuple(sketches[block.start_ns]),
        )
        for _, block in facts.records.of(LoadBlock)
    ]


def load_of(facts: Facts, rows: Sequence[MasterRow], sent: Sequence[MessageRow]) -> Load:
    """The balance over masters, goodput and the cost of probing, of the whole run."""
    return load(
        [row.workers for row in rows],
        [row.attempts for row in rows],
        (
            sum(row.messages for row in sent),
            sum(row.in_time for row in sent),
            sum(row.attempts for row in sent),
        ),
        seconds(facts.horizon_ns),
        (
            sum(row.probes for row in rows) / seconds(facts.horizon_ns),
            check_bytes(facts.records) / seconds(facts.horizon_ns),
        ),
    )


def load(
    workers: Sequence[int],
    chosen: Sequence[int],
    counts: tuple[int, int, int],
    window_s: float,
    checks: tuple[float, float],
) -> Load:
    """The load of a window: workers of and attempts on each master; messages, in time, attempts.

    `checks`: probes, and bytes of all checks, a second.
    """
    per_worker = [count / max(own, 1) for count, own in zip(chosen, workers, strict=True)]
    messages, in_time, attempts = counts
    return Load(
        **{name: index(per_worker) for name, index in INDICES.items()},
        goodput_per_s=in_time / window_s,
        messages=messages,
        attempts=attempts,
        probes_per_s=checks[0],
        check_bytes_per_s=checks[1],
    )
