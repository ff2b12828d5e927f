"""Figures over time around a fault: what is drawn is what happened."""

from __future__ import annotations

import pytest

import hasim
from hasim.findings.courses import course_around, latencies
from hasim.findings.pictures import figure_of
from hasim.journal import Journal, Record
from hasim.report.courses import latency_ecdf
from hasim.truth import MessageRecord
from hasim.units import SECOND

INCIDENT = {"started_at_s": 40.0, "restored_at_s": 60.0, "cured_at_s": 70.0, "detection_s": 5.0}


def message(number: int, arrived_s: float, took_s: float, master: str, outcome: str) -> Record:
    arrived_ns = round(arrived_s * SECOND)
    ended_ns = arrived_ns + round(took_s * SECOND)
    body = MessageRecord(number, arrived_ns, ended_ns, "g", "ordinary", "p1", master, outcome, 1)
    return Record(0, "truth", body, "")


def told() -> Journal:
    """Ten messages a second: from 40 s to 60 s every other one fails; a serves until 45 s."""
    records = []
    for number in range(1000):
        at_s = number / 10
        failed = 40 <= at_s < 60 and number % 2
        master = "a" if at_s < 45 else "b"
        took_s = 2.0 if failed else 0.1
        records.append(message(number, at_s, took_s, master, "timeout" if failed else "ok"))
    header = {"horizon_ns": 100 * SECOND, "traffic": {"deadline_ns": SECOND}}
    return Journal(header, records)


def test_the_course_is_that_of_the_messages_around_the_incident() -> None:
    course = course_around(told(), INCIDENT)
    assert course is not None
    # From 30 s to 70 s 400 messages make 13 bins of 3.08 s: three whole ones before the fault.
    width_s = 40 / 13
    assert len(course.at_s) == 12
    assert course.at_s == pytest.approx([(place + 0.5) * width_s for place in range(-3, 9)])
    found = dict(zip(course.at_s, course.success, strict=True))
    assert {share for at_s, share in found.items() if at_s < 0 or at_s > 22} == {1.0}
    assert all(0.4 < share < 0.6 for at_s, share in found.items() if share and 0 < at_s < 18)
    assert set(course.quantiles["p50"]) == {0.1}
    served = {
        name: dict(zip(course.at_s, rates, strict=True)) for name, rates in course.per_s.items()
    }
    assert {rate for at_s, rate in served["a"].items() if at_s > 7} == {0.0}
    assert all(9.5 < rate < 10.5 for at_s, rate in served["b"].items() if at_s > 7)
    assert course.spans == {"fault": (0.0, 30.0), "declared, not yet restored": (5.0, 20.0)}


def test_figures_of_a_run_are_drawn_of_its_longest_outage() -> None:
    result = hasim.run("crash", replications=1, jobs=1, progress=None, overrides={"vary": {}})
    above, below = result.figure("course").axes
    drawn = below.get_legend_handles_labels()[1]
    assert drawn == ["p50", "p99"]
    assert above.get_ylabel() == "success"
    masters = {row["master"] for row in result.masters.to_dict("records")}
    (axes,) = result.figure("load").axes
    assert set(axes.get_legend_handles_labels()[1]) >= masters
    (cells,) = latencies(result).values()
    shares = [share for _, share in cells]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_of_many_curves_first_best_and_worst_have_names_and_the_others_one() -> None:
    cells = {f"cell {n}": [(0.01 * (n + 1), 0.5), (0.9, 1.0)] for n in range(36)}
    figure = latency_ecdf(cells)
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "cell 0 (the first, best p50)",
        "cell 35 (worst p50)",
        "34 others",
    ]
    assert len(figure.axes[0].get_lines()) == 36
    alike = latency_ecdf({key: [(0.02, 1.0)] for key in cells})
    assert [text.get_text() for text in alike.legends[0].texts] == [
        "cell 0 (the first; p50 equal for all)",
        "35 others",
    ]


def test_a_run_without_downtime_has_no_figure_of_its_causes() -> None:
    world = {"name": "quiet", "horizon": "1m", "masters": [{"id": "a"}, {"id": "b"}]}
    quiet = hasim.run({**world, "replications": 1, "faults": []}, jobs=1, progress=None)
    assert figure_of(quiet, "causes") is None
