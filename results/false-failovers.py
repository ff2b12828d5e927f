"""False failovers that nobody can wait for, beside exact chains and plain simulation.

`python results/false-failovers.py` writes results/false-failovers.md: (a) independent loss beside
its closed form, (b) bursts beside their exact chain, and recorded jitter beside the arithmetic of
its ratios, (c) phi-accrual beside the power of its losses, and a reference of ten times the work
by another method, (d) messages as evidence; and, with `--seeds N`, how many of N intervals hold the
exact number. What is done is kept (`results/.kept`): the same command goes on after a stop.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from kept_work import KeptWork

from hasim.api import prepare
from hasim.measures import measure
from hasim.simulation.network import Jitter
from hasim.simulation.run import simulate
from hasim.simulation.streams import generator
from hasim.study.estimates.statistics import Interval, rate_interval, t_interval
from hasim.study.rare.combine import scaled
from hasim.study.rare.falsely import FalseFailovers, false_failovers
from hasim.study.rare.falsely.branching import PROMISES, calm_of
from hasim.study.rare.falsely.branching import split as branch
from hasim.study.rare.falsely.exchange import Exchange
from hasim.study.rare.falsely.noise import Noise
from hasim.study.rare.falsely.promise import Promise
from hasim.study.rare.falsely.rate import (
    KEPT,
    MESSAGES_EFFORT,
    PATHS,
    PLAIN,
    REPLICATES,
    WARM_UP,
)
from hasim.study.rare.falsely.splitting import quiet_of, tilt
from hasim.study.rare.falsely.surroundings import surroundings_of
from hasim.study.rare.falsely.watching import Watching
from hasim.units import DAY, MILLISECOND
from tests.study.rare.chains import YEAR_S, Rhythm, by_bursts, by_failing, by_loss

PROBES = {"evidence": ["probe"], "interval": "2s", "fast_interval": "500ms", "timeout": "500ms"}
RHYTHM = Rhythm(rtt=0.01, timeout=0.5, interval=2.0, fast=0.5, fall=3)
BURSTS = {"share": "0.05%", "mean": "300ms"}
BEATS = {"evidence": ["heartbeat"], "heartbeat_interval": "1s"}
PHI = {**BEATS, "detector": "phi-accrual", "threshold": 8}
RECORDED = Path(__file__).resolve().parents[1] / "scenarios" / "data" / "seattle_jitter.csv"
JITTER = {"trace": str(RECORDED), "column": "ratio", "count": "count"}
TIMEOUT_S = 0.2
"""Of probes under recorded jitter."""
TEN = 10
"""So many times the work of an estimate is that of a reference."""
PLAIN_DAYS = 40
"""Of plain simulation, in runs of a day."""


@dataclass(frozen=True)
class Case:
    """A detector under a noise; `exact` is its rate a year, None where only plain runs tell it."""

    name: str
    detection: Mapping[str, Any]
    network: Mapping[str, Any]
    exact: float | None = None
    plain: bool = False
    reference: bool = False
    repeated: int = 0
    """One in so many of the seeds are tried; 0: none, since the others take too long for that."""
    messages_per_s: float = 0.0
    """Messages to the master, if they are evidence."""
    plain_days: int = PLAIN_DAYS


def rhythm(fall: int) -> Rhythm:
    """That of the probes here."""
    return dataclasses.replace(RHYTHM, fall=fall)


def traffic_of(case: Case) -> dict[str, Any]:
    """Hardly any, or messages that are known to be lost a second later; nobody tries again."""
    if not case.messages_per_s:
        return {"arrivals": {"rate": "1/h"}}
    rate = {"rate": f"{case.messages_per_s:g}/s"}
    return {"arrivals": rate, "owned": "100%", "timeout": "1s", "retry": {"attempts": 1}}


def loaded_of(case: Case) -> Any:
    """One master at ten milliseconds from its observer."""
    return prepare(
        {
            "name": "false-failovers",
            "horizon": "1h",
            "replications": 2,
            "masters": [{"id": "a", "region": "here"}],
            "network": {"rtt": "10ms", "local_rtt": "10ms", **case.network},
            "traffic": traffic_of(case),
            "detection": dict(case.detection),
        }
    )


@functools.cache
def jittered() -> tuple[float, float]:
    """How likely a probe is late under the recorded jitter, and the mean trip if not (seconds).

    Of all pairs of a way there and one back, by the sorted ratios: sums for each way there.
    """
    ways_s = 0.005 * np.sort(_ratios())
    short = np.searchsorted(ways_s, TIMEOUT_S - ways_s, side="right")
    sums = np.concatenate([[0.0], np.cumsum(ways_s)])
    in_time = float(short.sum())
    mean_s = float((ways_s * short + sums[short]).sum()) / in_time
    return 1 - in_time / len(ways_s) ** 2, mean_s


def _ratios() -> Any:
    case = Case("", {**PROBES, "fall": 2}, {"jitter": JITTER})
    loaded = loaded_of(case)
    return loaded.recorded_of(loaded.cells[0]).jitter


def by_jitter(fall: int) -> float:
    """Declarations a year if probes are late by the recorded jitter."""
    late, rtt = jittered()
    return by_failing(dataclasses.replace(RHYTHM, fall=fall, timeout=TIMEOUT_S, rtt=rtt), late)


def in_a_row(losses: int, loss: float) -> float:
    """Declarations a year if so many heartbeats of one a second are lost, after one that is not."""
    return (1 - loss) * loss**losses * YEAR_S


def marking_down(failures: int) -> dict[str, Any]:
    """So many failed messages in a row convict by themselves."""
    own = {"kind": "messages", "on_error": "mark-down", "error_limit": failures}
    return {"evidence": [own]}


def in_a_row_of_messages(case_rate: float, failures: int, loss: float) -> float:
    """Rows of so many failed messages a year.

    Messages come by a Poisson process, and when the end of each is known does not depend on the
    others: the ends of those lost and of those answered are independent Poisson processes.
    """
    q = 1 - (1 - loss) ** 2
    return case_rate * (1 - q) * q**failures * YEAR_S


CASES = (
    Case(
        "(a) threshold, fall 3, loss 2 %",
        {**PROBES, "fall": 3},
        {"loss": "2%"},
        by_loss(rhythm(3), 0.02),
        plain=True,
    ),
    Case(
        "(a) threshold, fall 6, loss 1 %",
        {**PROBES, "fall": 6},
        {"loss": "1%"},
        by_loss(rhythm(6), 0.01),
    ),
    Case(
        "(b) threshold, fall 2, bursts",
        {**PROBES, "fall": 2},
        {"loss": "0.1%", "bursts": BURSTS},
        by_bursts(rhythm(2), 0.001, 0.0005, 0.3),
        plain=True,
    ),
    Case(
        "(b) threshold, fall 5, bursts",
        {**PROBES, "fall": 5},
        {"loss": "0.1%", "bursts": BURSTS},
        by_bursts(rhythm(5), 0.001, 0.0005, 0.3),
        repeated=1,
    ),
    *(
        Case(
            f"(b) threshold, fall {fall}, recorded jitter",
            {**PROBES, "timeout": f"{TIMEOUT_S}s", "fall": fall},
            {"jitter": JITTER},
            by_jitter(fall),
            plain=fall == 2,
        )
        for fall in (2, 5)
    ),
    Case("(c) phi-accrual, loss 18 %", PHI, {"loss": "18%"}, plain=True, reference=True),
    Case(
        "(c) phi-accrual, pause 4 s, loss 0.8 %",
        {**PHI, "acceptable_pause": "4s"},
        {"loss": "0.8%"},
        in_a_row(5, 0.008),
        repeated=1,
    ),
    Case(
        "(c) phi-accrual, loss 0.5 %, jitter",
        PHI,
        {"loss": "0.5%", "jitter": {"law": "lognormal", "cv": 0.3}},
        reference=True,
    ),
    Case(
        "heartbeats, timeout 5 s, loss 0.6 %",
        {**BEATS, "detector": "timeout", "down_after": "5s"},
        {"loss": "0.6%"},
        in_a_row(5, 0.006),
    ),
    Case(
        "(d) 2 messages in a row, loss 0.3 %",
        marking_down(2),
        {"loss": "0.3%"},
        in_a_row_of_messages(1, 2, 0.003),
        plain=True,
        reference=True,
        repeated=5,
        messages_per_s=1,
    ),
    Case(
        "(d) 4 messages in a row, loss 0.12 %",
        marking_down(4),
        {"loss": "0.12%"},
        in_a_row_of_messages(1, 4, 0.0012),
        reference=True,
        repeated=5,
        messages_per_s=1,
    ),
    Case(
        "(d) probes and messages, fall 2, loss 1 %",
        {**PROBES, "evidence": ["probe", "messages"], "interval": "30s", "fall": 2},
        {"loss": "1%"},
        plain=True,
        reference=True,
        messages_per_s=1,
    ),
    Case(
        "(d) probes and messages, fall 3, bursts",
        {**PROBES, "evidence": ["probe", "messages"], "interval": "30s", "fall": 3},
        {"loss": "0.05%", "bursts": {"share": "0.01%", "mean": "300ms"}},
        reference=True,
        messages_per_s=1,
    ),
)


def found_of(case: Case, seed: int, jobs: int | None) -> FalseFailovers:
    """The estimate of a case."""
    loaded = loaded_of(case)
    cell = loaded.cells[0]
    return false_failovers(cell.world, loaded.recorded_of(cell), seed=seed, jobs=jobs)


def plainly(case: Case) -> Interval:
    """Mistakes a year in plain runs of the whole world."""
    loaded = loaded_of(case)
    world = dataclasses.replace(loaded.cells[0].world, horizon_ns=DAY)
    recorded = loaded.recorded_of(loaded.cells[0])
    runs = (simulate(world, recorded, seed=2, replication=n) for n in range(case.plain_days))
    return rate_interval(sum(len(measure(run).mistakes) for run in runs), case.plain_days / 365.25)


def reference(case: Case) -> Interval:
    """The rate a year by the second method alone, of ten times as many paths, with other draws."""
    loaded = loaded_of(case)
    cell = loaded.cells[0]
    network = cell.world.network
    recorded = loaded.recorded_of(cell)
    jitter = Jitter(network, recorded)
    noise = Noise(5 * MILLISECOND, network.loss, network.bursts, jitter)
    rates = []
    for number in range(REPLICATES):
        draws = generator(1, number, "reference")
        if case.messages_per_s:
            around = surroundings_of(cell.world, recorded)
            exchange, promise = Exchange(around, draws), Promise(around, *PROMISES[1])
            effort = TEN * MESSAGES_EFFORT
            found = branch(exchange, calm_of(exchange, draws), promise, effort, draws)
        else:
            watching = Watching(cell.world.detection, noise, draws)
            quiet = quiet_of(watching, WARM_UP, PLAIN, KEPT)
            found = tilt(watching, quiet, TEN * PATHS, draws)
        rates.append(found.rate_per_s)
    return scaled(t_interval(rates), YEAR_S)


def text(found: Sequence[float] | None) -> str:
    """``1.54e-3 [1.52e-3, 1.57e-3]``."""
    if found is None:
        return "-"
    return "{:.4g} [{:.4g}, {:.4g}]".format(*found)


def bare(found: Interval | None) -> list[float] | None:
    """Its numbers."""
    return None if found is None or found.value is None else [found.value, found.low, found.high]


def one_of(case: Case, seed: int, jobs: int | None) -> dict[str, Any]:
    """What is kept of one estimate."""
    found = found_of(case, seed, jobs)
    return {"told": bare(found.told), "check": bare(found.check), "refused": found.refused}


def row(case: Case, seeds: int, jobs: int | None, kept: KeptWork) -> str:
    """A case, estimated and compared."""
    found = kept(case.name, lambda: one_of(case, 1, jobs))
    inside = "-"
    if seeds and case.repeated:
        tried = range(100, 100 + seeds // case.repeated)
        every = [kept(f"{case.name} {n}", lambda n=n: one_of(case, n, jobs)) for n in tried]
        exact, ends = case.exact or 0.0, [one["told"] for one in every]
        held = sum(end is not None and end[1] <= exact <= end[2] for end in ends)
        inside = f"{held} of {len(tried)}"
    fields = (
        case.name,
        "-" if case.exact is None else f"{case.exact:.5g}",
        found["refused"] or text(found["told"]),
        text(found["check"]),
        text(kept(f"{case.name} reference", lambda: bare(reference(case))))
        if case.reference
        else "-",
        text(kept(f"{case.name} plain", lambda: bare(plainly(case)))) if case.plain else "-",
        inside,
    )
    return "| " + " | ".join(fields) + " |"


TEXT = """# False failovers that nobody can wait for

`python results/false-failovers.py --seeds {seeds}` writes this file. The real detection service of
one master hears probes, heartbeats, or of messages, over a noisy network; a plain run would wait a
thousand years for the rarest of these. Rates are a year, intervals 95 %: by splitting (what `hasim
budget` prints), by a second method, without whose agreement nothing is printed (tilting; of
messages, splitting by another promise), and, where it sees enough, by {days} days of plain
simulation of the whole world. *Exact*: the closed form of independent loss, and the chain of
(failures in a row, weather) for bursts, both in `tests/study/rare/chains.py`; of recorded jitter
the share of all pairs of crossings that are late together; of phi-accrual without jitter, which
then goes by how many heartbeats are lost in a row, the power of the loss; of messages in a row the
arithmetic of Poisson processes. *Reference*: the second method with ten times as many paths and
draws of its own. *Held*: how many of so many intervals, each with a seed of its own, hold the exact
number: of messages in a row one in five of the seeds, since each takes most of a minute.

| case | exact | splitting | second | reference | plain | held |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
{rows}
"""


def main() -> None:
    """Run every case and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=None)
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--only", default="", help="cases with this in their names; no page")
    options = parser.parse_args()
    rows, kept = [], KeptWork(__file__)
    for case in CASES:
        if options.only and options.only not in case.name:
            continue
        rows.append(row(case, options.seeds, options.jobs, kept))
        sys.stdout.write(rows[-1] + "\n")
        sys.stdout.flush()
    if options.only:
        return
    told = TEXT.format(rows="\n".join(rows), seeds=options.seeds, days=PLAIN_DAYS)
    Path(__file__).with_name("false-failovers.md").write_text(told, encoding="utf-8")


if __name__ == "__main__":
    main()
