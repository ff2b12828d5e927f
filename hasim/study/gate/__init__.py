"""The CI gate: has a program or a configuration become worse than a stored baseline?

>>> from hasim.study.gate import bench
>>> report = bench("suite.yaml", "baseline.json")  # doctest: +SKIP
>>> report.verdict, report.regressions  # doctest: +SKIP

Three tiers: exact fingerprints by seed (a difference is a change of behaviour, not yet a
regression), paired non-inferiority of each measure within a margin, and speed relative to a
reference loop (advisory).
"""

from hasim.study.gate.baseline import (
    Baseline,
    BaselineError,
    NoBaselineError,
    read_baseline,
    write_baseline,
)
from hasim.study.gate.bench import bench, record
from hasim.study.gate.judge import Comparison
from hasim.study.gate.outcome import Change, GateReport, Speed
from hasim.study.gate.suite import DEFAULT_SUITE, Suite, read_suite, suite_from_data

__all__ = [
    "DEFAULT_SUITE",
    "Baseline",
    "BaselineError",
    "Change",
    "Comparison",
    "GateReport",
    "NoBaselineError",
    "Speed",
    "Suite",
    "bench",
    "read_baseline",
    "read_suite",
    "record",
    "suite_from_data",
    "write_baseline",
]
