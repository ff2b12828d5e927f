"""What is said below a table of estimates."""

from __future__ import annotations

from dataclasses import replace

from hasim.report.remarks import remarks
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.statistics import FEW

OUTAGE = Estimate("outage.mean", "s", 3.0, 2.0, 4.0, 9, "Student t, Hall", note=FEW)


def test_each_note_is_said_once_with_its_measures() -> None:
    plain = replace(OUTAGE, note="")
    uptime = replace(OUTAGE, measure="uptime")
    summaries = [
        {"outage.mean": OUTAGE, "uptime": uptime},
        {"outage.mean": plain, "uptime": uptime},
    ]
    assert remarks(summaries, ("outage.mean", "uptime")) == [
        "outage mean (1 of 2 cells), uptime: few replications of a skewed measure: the interval "
        "may hold the truth less often than it says."
    ]
    assert remarks(summaries, ("uptime.mean",)) == []
    assert remarks([{"outage.mean": plain}], ("outage.mean",)) == []
