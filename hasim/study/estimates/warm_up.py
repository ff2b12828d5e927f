"""MSER-5 over the replications of a cell: one end of the warm-up for all of them.

The rule looks at the mean latency of each of 500 parts of the run, over all replications, as
Welch's plot does. Of each replication by itself it would cut where chance has a queue be
long early on, and so add a bias: the mean wait of M/M/1 at 90 % load, over 2000 messages from an
empty start, is 6 % low, 11 % with an end of the warm-up for each run, 3 % with one for all 400 (see
tests/study/estimates/test_warm_up.py; Hoad, Robinson, Davies 2010 average likewise).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hasim import sketch
from hasim.measures import Measured
from hasim.measures.balance import Balance, over_windows
from hasim.measures.load import Latencies, load
from hasim.mser import mser5

MOST_EMPTY = 0.2
"""With more parts of the run that have no answer in any replication, there is nothing to see."""


@dataclass(frozen=True, slots=True)
class CutOff:
    """What was left out of a cell's load: the messages that arrived before `end_s` (seconds).

    `cut` of the `offered` messages of all replications; `rule` is ``mser-5``, or ``set`` for
    a duration. `too_short`: MSER-5 found no end in the first half of the run, and nothing was cut.
    """

    rule: str
    end_s: float
    cut: int
    offered: int
    too_short: bool


def cut_off(runs: Sequence[Measured]) -> CutOff | None:
    """What is left out of the load of a cell; None if nothing is to be."""
    if not runs or not runs[0].blocks:
        return None
    blocks, too_short = _blocks_to_cut(runs)
    offered = sum(block.messages for run in runs for block in run.blocks)
    cut = sum(block.messages for run in runs for block in run.blocks[:blocks])
    rule = "mser-5" if runs[0].blocks[0].answered else "set"
    return CutOff(rule, runs[0].blocks[blocks].start_s, cut, offered, too_short)


def steady(runs: Sequence[Measured]) -> Sequence[Measured]:
    """The same replications with the load after the warm-up."""
    if not runs or not runs[0].blocks:
        return runs
    blocks, _ = _blocks_to_cut(runs)
    return [without(run, blocks) for run in runs] if blocks else runs


def _blocks_to_cut(runs: Sequence[Measured]) -> tuple[int, bool]:
    """How many blocks are the warm-up, and whether the run is too short to tell."""
    if not runs[0].blocks[0].answered:  # a set duration: the first block
        return 1, False
    sums = [0.0] * sum(len(block.answered) for block in runs[0].blocks)
    counts = [0] * len(sums)
    for run in runs:
        place = 0
        for block in run.blocks:
            for latency_s, answered in zip(block.latency_s, block.answered, strict=True):
                sums[place] += latency_s
                counts[place] += answered
                place += 1
    known = [s / n for s, n in zip(sums, counts, strict=True) if n]
    if len(known) < (1 - MOST_EMPTY) * len(sums):
        return 0, True
    means, last = [], known[0]
    for total, n in zip(sums, counts, strict=True):
        last = total / n if n else last  # a part without an answer: as before
        means.append(last)
    found = mser5(means)
    return min(found.cut // len(runs[0].blocks[0].answered), len(runs[0].blocks) - 1), (
        found.too_short
    )


def without(run: Measured, blocks: int) -> Measured:
    """A replication without the load of its first `blocks`, of which it has more."""
    rest = run.blocks[blocks:]
    counts = (
        sum(block.messages for block in rest),
        sum(block.in_time for block in rest),
        sum(block.attempts for block in rest),
    )
    chosen = [sum(column) for column in zip(*(block.chosen for block in rest), strict=True)]
    window_s = run.horizon_s - rest[0].start_s
    workers = [row.workers for row in run.masters]
    rows = [row for block in rest for row in block.latencies]
    kinds = dict.fromkeys((row.klass, row.accuracy) for row in rows)
    latencies = tuple(
        Latencies(
            klass=klass,
            accuracy=accuracy,
            cells=sketch.merge(r.cells for r in rows if (r.klass, r.accuracy) == (klass, accuracy)),
        )
        for klass, accuracy in kinds
    )
    return replace(
        run,
        latencies=latencies,
        load=load(
            workers, chosen, counts, window_s, (run.load.probes_per_s, run.load.check_bytes_per_s)
        ),
        balance=_balance(run, rest[0].start_s, counts[0], sum(chosen), latencies),
    )


def _balance(
    run: Measured, since_s: float, messages: int, attempts: int, latencies: Sequence[Latencies]
) -> Balance:
    """The balance of the whole windows after `since_s`, and the rates from then on."""
    window_s = run.horizon_s - since_s
    steady_windows = [window for window in run.windows if window.start_s >= since_s]
    return Balance(
        **over_windows(steady_windows),
        offered_per_s=messages / window_s,
        attempts_per_s=attempts / window_s,
        throughput_per_s=sum(sketch.count(row.cells) for row in latencies) / window_s,
        switches_per_min=run.balance.switches_per_min,
    )


def note_of(found: Sequence[CutOff | None]) -> str:
    """A sentence for readers of the results, of all cells; empty if nothing was to be cut."""
    known = [one for one in found if one is not None]
    if not known:
        return ""
    rules = " and ".join(sorted({one.rule for one in known}))
    ends = sorted(one.end_s for one in known)
    span = f"{ends[0]:.3g}" if ends[0] == ends[-1] else f"{ends[0]:.3g} to {ends[-1]:.3g}"
    offered = sum(one.offered for one in known)
    share = sum(one.cut for one in known) / offered if offered else 0.0
    text = (
        f"Load (latency, attempts, rates, balance) leaves out a warm-up ({rules}): the first "
        f"{span} s, {share:.1%} of the messages."
    )
    short = sum(one.too_short for one in known)
    if not short:
        return text
    why = (
        f"{short} of {len(known)} cells are too short for MSER-5 to find the end of a warm-up, and "
        f"nothing is left out there: a longer horizon or more replications are needed."
    )
    return why if short == len(known) else f"{text} {why}"
