"""What real systems did beside what is predicted: `python results/truth.py` writes truth.md.

Each system is set by its preset and by the settings that it was measured with, which its own
configuration names; nothing is tuned to the answer. A cell is hit if the 10 %, 50 % and 90 %
quantiles are all within 5 % of the measured ones or 50 ms of them. The two-sample
Kolmogorov-Smirnov test stands beside it: where both are samples, a cell is a miss as well if the
test rejects at 1 %. Measured figures and where they are from: results/truth/SOURCE.md. Three
minutes of one core.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from hasim.events import StatusChanged
from hasim.journal import Journal
from hasim.model import Status
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.truth import FaultCured, FaultStarted
from hasim.units import SECOND

HERE = Path(__file__).parent
QUANTILES = (0.1, 0.5, 0.9)
WITHIN_SHARE, WITHIN_S, REJECTED = 0.05, 0.05, 0.01
RUNS, FAULTS = 20, 100
"""2,000 simulated faults for each cell."""
Seconds = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """One distribution: what was measured, and what is predicted (seconds)."""

    system: str
    setting: str
    fault: str
    what: str
    measured: Seconds
    predicted: Seconds

    def quantiles(self) -> Iterator[tuple[float, float]]:
        """Measured and predicted, by quantile."""
        for share in QUANTILES:
            yield (
                float(np.quantile(self.measured, share)),
                float(np.quantile(self.predicted, share)),
            )

    @property
    def near(self) -> int:
        """How many of the quantiles are near enough."""
        return sum(
            abs(predicted - measured) <= max(WITHIN_SHARE * measured, WITHIN_S)
            for measured, predicted in self.quantiles()
        )

    @property
    def p_value(self) -> float:
        """Of the two-sample Kolmogorov-Smirnov test."""
        return float(ks_2samp(self.measured, self.predicted).pvalue)

    @property
    def hit(self) -> bool:
        """Whether all quantiles are near enough, and the test does not reject."""
        return self.near == len(QUANTILES) and self.p_value >= REJECTED

    def row(self) -> str:
        """A line of the table."""
        pairs = [f"{measured:.3f} / {predicted:.3f}" for measured, predicted in self.quantiles()]
        said = "hit" if self.hit else "**miss**"
        cells = [self.system, self.setting, self.fault, self.what, f"{len(self.measured)}"]
        return f"| {' | '.join([*cells, *pairs, f'{self.p_value:.2f}', said])} |"


# -- HAProxy -------------------------------------------------------------------------------

HAPROXY: Mapping[str, Mapping[str, Any]] = {
    "A": {"preset": "haproxy"},
    "B": {"preset": "haproxy", "interval": "1s", "fall": 2},
}
"""`inter 2s fall 3 rise 2`, which is what HAProxy does unless told otherwise; `inter 1s fall 2`."""
STRUCK: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "A": {
        "kill": {"kind": "crash"},
        "stop": {"kind": "hang"},
        "slow": {"kind": "added-delay", "extra": "2500ms"},
    },
    "B": {
        "kill": {"kind": "crash"},
        "stop": {"kind": "hang"},
        "slow": {"kind": "added-delay", "extra": "1500ms"},
    },
}
EACH_S = 60
"""A fault strikes somewhere in the first 20 s of each minute and lasts for 14 to 34 s."""


def haproxy() -> Iterator[Cell]:
    """Detection and recovery of a killed, a stopped and a slow server, in two settings."""
    measured: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    with (HERE / "truth" / "haproxy_detection.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            times = float(row["detected_ms"]) / 1000, float(row["recovered_ms"]) / 1000
            measured[row["setting"], row["fault"]].append(times)
    for (setting, fault), times in measured.items():
        predicted = simulated(HAPROXY[setting], STRUCK[setting][fault])
        for what, real, made in zip(
            ("detection", "recovery"), np.array(times).T, predicted.T, strict=True
        ):
            yield Cell("haproxy", setting, fault, what, real, made)


def simulated(detection: Mapping[str, Any], fault: Mapping[str, Any]) -> Seconds:
    """Times to the declaration and, after the cure, back; shape (faults, 2)."""
    first = [{"law": "uniform", "low": f"{s}s", "high": f"{s + 20}s"} for s in _starts()]
    study = from_data(
        {
            "horizon": f"{EACH_S * (FAULTS + 1)}s",
            # An answer is late only if somebody works for it; the other servers change nothing.
            "masters": [
                {
                    "id": "s1",
                    "health": "deep" if fault["kind"] == "added-delay" else "shallow",
                    "health_work": "1ms",
                }
            ],
            "network": {"rtt": "100us", "local_rtt": "100us"},
            "traffic": {"arrivals": {"law": "poisson", "rate": "0.001/s"}, "owned": "0%"},
            "failover": {"fencing": {"mode": "none"}},
            "detection": dict(detection),
            "faults": [
                {
                    **fault,
                    "target": "s1",
                    "at": first,
                    "for": {"law": "uniform", "low": "14s", "high": "34s"},
                }
            ],
        }
    )
    (cell,) = study.cells
    found = [
        times
        for replication in range(RUNS)
        for times in times_in(
            simulate(cell.world, study.recorded_of(cell), seed=1, replication=replication)
        )
    ]
    return np.array(found) / SECOND


def _starts() -> range:
    return range(EACH_S, EACH_S * (FAULTS + 1), EACH_S)


def times_in(journal: Journal) -> Iterator[tuple[int, int]]:
    """Of each fault: when it was declared, and when its cure was (nanoseconds)."""
    started_ns = cured_ns = declared_ns = 0
    for t_ns, body in journal.of(FaultStarted, FaultCured, StatusChanged):
        if isinstance(body, FaultStarted):
            started_ns, cured_ns, declared_ns = t_ns, 0, 0
        elif isinstance(body, FaultCured):
            cured_ns = t_ns
        elif body.new is Status.FAILED:
            declared_ns = declared_ns or t_ns
        elif body.new is Status.HEALTHY and cured_ns:
            yield declared_ns - started_ns, t_ns - cured_ns


# -- the board ------------------------------------------------------------------------------


def board(cells: list[Cell]) -> str:
    """The page."""
    near, hit = sum(cell.near for cell in cells), sum(cell.hit for cell in cells)
    head = (
        "| system | setting | fault | what | measured faults | p10 | p50 | p90 | KS p | |\n"
        "|---|---|---|---|---|---|---|---|---|---|"
    )
    return "\n".join(
        [
            "# Truth board: real systems beside their prediction",
            "",
            "`python results/truth.py`. Quantiles in seconds, measured / predicted. A cell is hit "
            "if all three are within 5 % or 50 ms, and the two-sample Kolmogorov-Smirnov test "
            "does not reject at 1 %; 2,000 simulated faults for each. The systems' presets with "
            "the settings that they were measured with; nothing is fitted. Origin of the figures: "
            "[truth/SOURCE.md](truth/SOURCE.md).",
            "",
            f"**{hit} of {len(cells)} cells are hit; {near} of {len(QUANTILES) * len(cells)} "
            "quantiles are near enough.**",
            "",
            head,
            *(cell.row() for cell in cells),
            "",
        ]
    )


def main() -> None:
    """Write the page beside this file."""
    page = board(list(haproxy()))
    (HERE / "truth.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
