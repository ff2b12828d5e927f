"""What is said below a table of estimates, and of differences."""

from __future__ import annotations

from dataclasses import replace

from hasim.report.differences import as_markdown, censored
from hasim.report.remarks import remarks
from hasim.study.comparing.compare import Compared
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


def test_what_was_censored_stands_below_the_differences() -> None:
    cells = [(0, {"a.b": 1}), (1, {"a.b": 2})]
    note = "the first 6 s; censored: 3 of 40 and 38 of 40"
    one = Compared(1, {"a.b": 2}, "outage.mean", replace(OUTAGE, note=note), 0.01, "worse", 0)
    other = Compared(1, {"a.b": 2}, "uptime", replace(OUTAGE, note=""), 0.01, "worse", 0)
    told = "outage mean, b=2: the first 6 s; censored: 3 of 40 and 38 of 40."
    assert censored(cells, [one, other]) == [told]
    assert as_markdown(cells, [one, other], "minus").endswith(f"\n\n{told}\n")
    assert censored(cells, [other]) == []
