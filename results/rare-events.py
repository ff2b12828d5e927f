"""Five and six nines that are known in closed form, from short runs of simulated worlds.

`python results/rare-events.py` writes results/rare-events.md: for each case the closed form, the
estimate of `hasim budget` with its interval, what it cost, and what a plain simulation would take.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hasim.scenario.loader import from_data
from hasim.study.estimates.statistics import Interval
from hasim.study.rare.amounts import Amounts
from hasim.study.rare.analysis import CellBudget, analyse
from hasim.study.rare.estimate import ALL, FAULTS, OVERLAP
from hasim.study.rare.shortfalls import Measure
from hasim.units import MINUTE

Data = Mapping[str, Any]
HOURS = {"law": "exponential", "mean": "10h"}
TWO: Data = {
    "name": "rare-events",
    "masters": [{"id": "a"}, {"id": "b", "priority": 2}],
    "network": {"rtt": "0s", "local_rtt": "0s"},
    "traffic": {"arrivals": {"law": "poisson", "rate": "0.01/s"}, "owned": "100%"},
    "replication": {"lag": "0s"},
    "promotion": {"duration": "100ms"},
}
"""Two masters; a crash is declared a uniform part of the probe interval after it began."""


def failover(interval: str, latency: str, fails: str = "0%") -> Data:
    """A crash in 720 h: half an interval until it is declared, a fence, 0.1 s of promotion.

    A fence that fails is not tried again before the master has been repaired, in an hour.
    """
    return {
        **TWO,
        "horizon": "10m",
        "detection": {"evidence": "probe", "interval": interval, "fall": 1},
        "failover": {
            "fencing": {"kind": "confirmed", "timeout": "40s", "attempts": 1},
            "retry_interval": "2h",
        },
        "fencing_device": {"latency": latency, "fails": fails},
        "faults": [
            {
                "kind": "crash",
                "target": "a",
                "every": "720h",
                "for": "5m" if fails == "0%" else "1h",
            }
        ],
    }


def one_of_two(crews: int) -> Data:
    """Each of two down for 10 h in 1000 h, with so many repair crews (0: as many as needed).

    Beside hours, what detection adds is small: minutes.
    """
    every = {"law": "exponential", "mean": "1000h"}
    return {
        **TWO,
        "horizon": "10m",
        "faults": [{"kind": "crash", "target": "each", "every": every, "for": HOURS}],
        "repair": {"crews": crews},
        "traffic": {"arrivals": {"law": "poisson", "rate": "0.001/s"}, "owned": "100%"},
        "detection": {"evidence": "probe", "interval": "5m", "fall": 1, "rise": 1},
        "fencing_device": {"restart": "10s"},
        "failover": {
            "transfer_timeout": "5s",
            "redirect_timeout": "2s",
            "retry_interval": "5m",
        },
    }


def enough(needed: int, count: int) -> Data:
    """So many needed of so many, each down for 10 h in 1000 h, with as many crews as needed."""
    return {
        "name": "rare-events",
        "horizon": "10m",
        "needed": needed,
        "masters": [{"id": "m1"}, *({"id": f"m{n}", "like": "m1"} for n in range(2, count + 1))],
        "network": {"rtt": "0s", "local_rtt": "0s"},
        "traffic": {"arrivals": {"law": "poisson", "rate": "0.0003/s"}, "owned": "0%"},
        "detection": {"evidence": "probe", "interval": "30m", "fall": 1, "rise": 1},
        "faults": [
            {
                "kind": "crash",
                "target": "each",
                "every": {"law": "exponential", "mean": "1000h"},
                "for": HOURS,
            }
        ],
    }


def fewer(needed: int, count: int) -> float:
    """How likely fewer are well, each independently 1000 h of 1010 h."""
    down = 10 / 1010
    return sum(
        math.comb(count, ill) * down**ill * (1 - down) ** (count - ill)
        for ill in range(count - needed + 1, count + 1)
    )


@dataclass(frozen=True)
class Case:
    """A world, its unavailability in closed form, and the part of the budget that is meant."""

    name: str
    data: Data
    exact: float
    amounts: Amounts
    crude: str
    part: tuple[str, str] = (FAULTS, ALL)
    of: Measure = "uptime"

    def budget(self, jobs: int | None = None) -> CellBudget:
        """What `hasim budget` makes of it."""
        (cell,) = analyse(from_data(self.data), self.amounts, of=self.of, jobs=jobs)
        return cell


QUIET = 10 * MINUTE
"""Without faults; nothing is lost there, so nothing can go wrong."""
QUIET_RHYTHM = 60 * MINUTE
"""The same for worlds with a check each half hour."""
CASES = [
    Case(
        "failover, coverage 1, D+F 40 s",
        failover("20s", "29.9s"),
        1.543186e-5,
        Amounts(260, 0, QUIET),
        "32 crashes, 2.6 years; [budget.md](budget.md) has a plain simulation beside a budget",
    ),
    Case(
        "failover, coverage 0.95, D+F 40 s",
        failover("20s", "29.9s", "5%"),
        8.409787e-5,
        Amounts(400, 0, QUIET),
        "19,000 crashes, 1,600 years",
    ),
    Case(
        "failover, coverage 1, D+F 10 s",
        failover("6s", "6.9s"),
        3.858010e-6,
        Amounts(360, 0, QUIET),
        "32 crashes, 2.6 years, with three times as many probes",
    ),
    *(
        Case(
            f"1 of 2, {words}",
            one_of_two(crews),
            exact,
            Amounts(2, pairs, QUIET),
            "3,000 times of both down, 18,000 years",
            (OVERLAP, "no_capacity"),
        )
        for crews, words, exact, pairs in (
            (0, "two repair crews", 9.802960e-5, 300),
            (1, "one repair crew", 1.960400e-4, 120),
        )
    ),
    *(
        Case(
            f"{needed} of {count}, as many crews as needed",
            enough(needed, count),
            fewer(needed, count),
            Amounts(2, 2, QUIET_RHYTHM, triples=triples, quadruples=quadruples),
            f"3,000 times of {count - needed + 1} down, {years} years",
            (OVERLAP, "no_capacity"),
            "uptime.k_of_n",
        )
        for needed, count, triples, quadruples, years in (
            (3, 5, 450, 40, "120,000"),
            (1, 3, 400, 0, "1,200,000"),
        )
    ),
]
"""The values of Markov models and of the renewal-reward theorem; MTBF 720 h, repair an hour."""

TEXT = """\
# Rare events against closed forms

`python results/rare-events.py` writes this file. Every world is simulated: probes, a fence, a
promotion, repairs; and estimated by what `hasim budget` uses, from runs with one fault (half of
them with a fence that fails, where it may) or with two. Intervals are 95 %. *Half-width* is that of
the interval over the closed form. Wall and processor time are of {jobs} process{s}; {load}.

Failover with coverage c is renewal reward: down = c (D + F) + (1 - c) R, U = down / (MTBF + down),
with an MTBF of 720 h and a repair R of an hour. 1 of 2 is a birth-death process: each master
fails once in 1000 h, a repair takes 10 h. 3 of 5 and 1 of 3 are binomial, of as many masters as
are `needed`: three and (of 3 of 5) four faults at a time.

| case | closed form | estimate | inside | half-width | runs | wall | processor |
| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |
{rows}

## Beside a plain simulation

What an accuracy of 5 % takes without putting the faults where they count:

| case | plain simulation |
| --- | --- |
{crude}
"""


def interval_text(found: Interval) -> str:
    """``1.543e-05 [1.520e-05, 1.566e-05]``."""
    return f"{found.value:.4g} [{found.low:.4g}, {found.high:.4g}]"


def row(case: Case, jobs: int) -> str:
    """A case run, timed, and compared."""
    wall, cpu = time.perf_counter(), _processor_s()
    cell = case.budget(jobs=jobs)
    wall, cpu = time.perf_counter() - wall, _processor_s() - cpu
    found = cell.budget.parts[case.part]
    inside = "yes" if found.low <= case.exact <= found.high else "no"
    half = (found.high - found.low) / 2 / case.exact
    # Behind a pair of faults stand three runs: with both, and with either alone; and so on.
    amounts = case.amounts
    runs = amounts.singles + 3 * amounts.pairs + 7 * amounts.triples + 15 * amounts.quadruples
    fields = (
        case.name,
        f"{case.exact:.6e}",
        interval_text(found),
        inside,
        f"{half:.2%}",
        f"{runs:,}",
        f"{wall:.1f} s",
        f"{cpu:.1f} s",
    )
    return "| " + " | ".join(fields) + " |"


def _processor_s() -> float:
    """Seconds of this process and of those that it has started and that are over."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> None:
    """Run every case and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    CASES[0].budget(jobs=1)  # compiled before the clock starts
    busy = os.getloadavg()[0]
    rows = [row(case, options.jobs) for case in CASES]
    crude = [f"| {case.name} | {case.crude} |" for case in CASES]
    many = options.jobs > 1
    load = f"the machine's load before they began was {busy:.1f} on {os.cpu_count()} processors"
    text = TEXT.format(
        rows="\n".join(rows),
        crude="\n".join(crude),
        load=load,
        jobs=options.jobs,
        s="es" if many else "",
    )
    Path(__file__).with_name("rare-events.md").write_text(text, encoding="utf-8")
    sys.stdout.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
