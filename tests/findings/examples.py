"""Findings made by hand, for tests of what is shown of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace

import pandas as pd

from hasim.findings.budgets import Budgets
from hasim.findings.gating import GateReport
from hasim.measures.causes import CAUSES
from hasim.report.finding import Finding
from hasim.report.sheet import Paper
from hasim.simulation.laws import Constant
from hasim.simulation.settings.faults import Crash, Hang
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.statistics import Interval
from hasim.study.gate import Change, Comparison, Speed
from hasim.study.rare.amounts import Amounts
from hasim.study.rare.analysis import CellBudget
from hasim.study.rare.combine import exactly
from hasim.study.rare.estimate import Run, estimate
from hasim.study.rare.rates import FaultClass, Rate
from hasim.units import SECOND


@dataclass(frozen=True)
class OnPaper(Finding):
    """A finding that is nothing but its paper."""

    made: Paper

    def paper(self, *, brief: bool = False) -> Paper:
        return self.made


# -- estimates of a run -----------------------------------------------------------------

CELLS = [
    (0, {"balancing.algorithm": "round-robin", "detection.evidence": ["probe"]}),
    (1, {"balancing.algorithm": "round-robin", "detection.evidence": ["probe", "messages"]}),
]


def _summary(shift: float) -> dict[str, Estimate]:
    rows = [
        Estimate("detection_time.p50", "s", 2.31 + shift, 2.2, 2.45 + shift, 120, "order"),
        Estimate("detection_time.p95", "s", 4.5 + shift, 4.1, math.inf, 120, "order"),
        Estimate("detection_time.p99", "s", None, None, None, 120, "order", 368),
        Estimate("detected", "ratio", 0.975, 0.929, 0.9948, 120, "Clopper-Pearson"),
        Estimate("failover_time.p95", "s", math.inf, 62.0, math.inf, 120, "order"),
        Estimate("uptime", "ratio", 0.99984, 0.9998, 0.99988, 50, "Student t"),
        Estimate("mistakes", "per_hour", 0.0123456789, 0.01, 0.015, 50, "ratio"),
    ]
    return {row.measure: row for row in rows}


SUMMARIES = [_summary(0.0), _summary(0.1 + 0.2)]


@dataclass(frozen=True)
class Verdict:
    measure: str
    text: str
    verdict: str
    estimate: Estimate | None
    by_how_much: str


VERDICTS = [
    [Verdict("uptime", ">= 99.99%", "fail", SUMMARIES[0]["uptime"], "0.002 points beyond")],
    [
        Verdict("detected", ">= 1%", "undecided", None, "needs more"),
        Verdict("detection_time.p50", "< 5s", "pass", SUMMARIES[1]["detection_time.p50"], "far"),
    ],
]

# -- differences ------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    cell: int
    measure: str
    difference: Estimate
    p: float
    verdict: str
    baseline: int | None = 0


def of(
    value: float, low: float, high: float, unit: str = "s", measure: str = "detection_time.p50"
) -> Estimate:
    return Estimate(measure, unit, value, low, high, 20, "paired t")


THREE = [
    (0, {"balancing.algorithm": "round-robin"}),
    (1, {"balancing.algorithm": "geo"}),
    (2, {"balancing.algorithm": "priority"}),
]
DIFFERENCES = [
    Difference(1, "detection_time.p50", of(-1.26, -1.82, -0.7), 0.0004, "better"),
    Difference(1, "uptime", of(0.011, 0.006, 0.016, "ratio", "uptime"), 0.034, "better"),
    Difference(2, "detection_time.p50", of(0.0, 0.0, 0.0), 1.0, "same"),
    Difference(2, "uptime", of(0.001, -0.002, 0.004, "ratio", "uptime"), 1.0, "undecided"),
]


# -- what operators did -----------------------------------------------------------------

_OPERATION = {
    "replications": 3, "routed_s": 0.002, "routed_low_s": 0.001, "routed_high_s": 0.003,
    "settled_s": None, "moved": 0.2, "moved_low": 0.1, "moved_high": 0.25, "lost": 7.0,
    "lost_low": 4.52, "lost_high": math.inf, "keys_moved": None, "keys_ideal": None,
}  # fmt: skip
OPERATIONS = pd.DataFrame(
    [
        {"cell": 0, "done_at_s": 60.0, "do": "add", "subject": "d", **_OPERATION},
        {
            "cell": 1, "done_at_s": 540.0, "do": "switch-algorithm", "subject": "least-loaded",
            **_OPERATION, "settled_s": 3.0, "keys_moved": 0.3, "keys_ideal": 0.25,
        },
    ]
)  # fmt: skip
CHURN = pd.DataFrame(
    [{"cell": 1, "keys": 100, "left": 10, "joined": 5, "needless": 15, "ideal": 0.1}] * 2
)
STOPPING = pd.DataFrame(
    [
        {"cell": 0, "replications": 1200, "stopped": "precision", "missing": ""},
        {"cell": 1, "replications": 40, "stopped": None, "missing": "outage.p95: 7 % of 5 %"},
    ]
)

# -- a budget ---------------------------------------------------------------------------

YEAR_S = 31_557_600
FITTED = Interval(6 / YEAR_S, 4 / YEAR_S, 9 / YEAR_S, 8, "exact chi-square")
CLASSES = (
    FaultClass(
        "crash",
        Crash(kind="crash", for_=Constant(mean_ns=600 * SECOND)),
        ("a", "b"),
        "master",
        Rate(exactly(12 / YEAR_S), "given"),
    ),
    FaultClass(
        "hang",
        Hang(kind="hang", for_=Constant(mean_ns=600 * SECOND)),
        ("a",),
        "a",
        Rate(FITTED, "8 times between outages in x.csv"),
    ),
)


def budget_run(undetected_s: float, fencing_s: float = 0.0, mistaken_s: float = 0.0) -> Run:
    seconds = {"undetected": undetected_s, "fencing": fencing_s, "mistaken": mistaken_s}
    return Run(tuple(seconds.get(c, 0.0) for c in CAUSES), 900.0, failovers_s=(fencing_s,))


def budget_cell(*, quiet: bool = False, plain: Interval | None = None) -> CellBudget:
    singles = {
        "crash": [budget_run(3, 2), budget_run(5, 2)],
        "hang": [budget_run(8, 2), budget_run(12, 2)],
    }
    found = estimate(
        [one.kind for one in CLASSES], singles, (), [Run((0.0,) * 9, 3600.0)] * 2 if quiet else ()
    )
    return CellBudget(0, {"detection.fall": 2}, CLASSES, found, found, plain, 7200.0)


def budgets(*cells: CellBudget) -> Budgets:
    scenario = SimpleNamespace(name="x", seed=7, expect=())
    return Budgets(scenario, "uptime", Amounts(2, 0, 0), cells)


# -- a gate -----------------------------------------------------------------------------


def comparison(cell, measure, verdict, difference, lower, upper, **rest):
    plain = {
        "unit": "s",
        "more_is_better": False,
        "margin": 0.1,
        "n": 20,
        "baseline": 5.0,
        "current": 5.0 + difference,
        "p": 0.5,
        "correlation": 0.9,
        "lost": 0,
        "gained": 0,
        "reason": "because | <of> & this",
        **rest,
    }
    return Comparison(
        cell, measure, difference=difference, lower=lower, upper=upper, verdict=verdict, **plain
    )


REPORT = GateReport(
    suite="mine",
    baseline="baseline.json",
    comparisons=(
        comparison("a", "probes", "pass", 0.0, 0.0, 0.0, unit="count", current=5.0),
        comparison("b", "outage.mean", "inconclusive", 0.1, -math.inf, math.inf),
        comparison("a", "detection_time.mean", "regression", 0.3, 0.25, 0.35),
        comparison("b", "failover_time.mean", "regression", 1.2, 1.1, 1.3),
        comparison(
            "b", "uptime", "pass", -0.01, -0.02, -0.005,
            unit="ratio", more_is_better=True, baseline=0.98, current=0.99, margin=0.001,
        ),
    ),
    changes=(
        Change("a", 20, (3, 7), {"probes": (100, 110)}, {"detection.fall": ("3", "4")}),
        Change("b", 20, (), {}, {}),
    ),
    speeds=(Speed("a", 2.0, 1.8, 2.2, 1.5, 20), Speed("b", 1.0, 0.9, 1.1, 1.5, 20)),
    missing={"c": "not in the baseline"},
    unused=("old",),
    versions={"numpy": ("2.0", "2.4")},
    wall_s=12.5,
)  # fmt: skip
EMPTY = GateReport("mine", "none.json", (), (), (), missing={"a": "no such file \x00"})
