"""Detection time against mistakes: against closed forms, and from the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

import hasim
from hasim.cli import main
from hasim.findings.tradeoff import COLUMNS
from hasim.study.hearing.contest import DetectorError
from hasim.study.hearing.crossings import Crossings, of_recording
from hasim.study.hearing.sweeps import parse_sweep, usual_sweeps
from hasim.study.hearing.tradeoff import Amounts, curves_of
from hasim.units import MILLISECOND, SECOND

LOSS, DELAY_S = 0.01, 0.02


def exponential(replication: int, sent_ns) -> Crossings:
    """Chen's network: 1 % is lost, the rest takes 20 ms in the mean; the way back nothing."""
    chance = np.random.default_rng(replication)
    there = np.round(chance.exponential(DELAY_S * SECOND, len(sent_ns))).astype(np.int64)
    there[chance.random(len(sent_ns)) < LOSS] = -1
    return Crossings(there, np.zeros(len(sent_ns), dtype=np.int64))


def points(text: str, **amounts: int):
    sizes = Amounts(SECOND, SECOND // 2, **({"replications": 6, "heard": 4000} | amounts))
    (curve,) = curves_of([parse_sweep(text)], exponential, sizes, seed=1)
    return curve.points


def mean(values) -> float:
    return float(np.mean([one for each in values for one in each]))


def test_a_timeout_detects_and_errs_as_the_closed_forms_say() -> None:
    """Mean detection TO + E(D) - eta/2 - eta p/(1 - p); recurrence of mistakes by the oracle."""
    for point, timeout_s, recurrence_s in zip(
        points("timeout:down_after=1.1s|1.5s"), (1.1, 1.5), (75.75, 101.0), strict=True
    ):
        expected = timeout_s + DELAY_S - 0.5 - LOSS / (1 - LOSS)
        assert mean(point.detection_s) == pytest.approx(expected, abs=0.03)
        count = 3600 * sum(point.up_h) / recurrence_s
        assert abs(sum(point.mistakes) - count) < 4 * count**0.5


def test_counted_checks_detect_as_the_closed_form_says() -> None:
    """Checks by the clock: U(0, I) + (F - 1) I + T for a crash in silence."""
    for point, fall in zip(points("threshold:fall=1|2|3"), (1, 2, 3), strict=True):
        assert mean(point.detection_s) == pytest.approx(0.5 + fall - 1 + 0.5, abs=0.02)


def test_more_patience_never_makes_more_mistakes_and_takes_longer() -> None:
    for sweep in usual_sweeps(SECOND):
        (curve,) = curves_of([sweep], exponential, Amounts(SECOND, SECOND // 2, 2, 1500), seed=3)
        detections = [mean(point.detection_s) for point in curve.points]
        assert detections == sorted(detections), sweep.label
        mistakes = [sum(point.mistakes) for point in curve.points]
        assert mistakes == sorted(mistakes, reverse=True), sweep.label


def test_recorded_times_are_replayed_in_their_order_from_a_place_of_chance() -> None:
    rtt = np.array([10, 20, -1, 40], dtype=np.int64) * MILLISECOND
    rtt[2] = -1
    draw = of_recording(rtt, seed=1)
    found = draw(0, np.arange(8))
    assert (found.there_ns[:4] == found.there_ns[4:]).all()
    assert sorted(found.there_ns[:4].tolist()) == [-1, *(n * MILLISECOND for n in (5, 10, 20))]
    assert {tuple(draw(r, np.arange(4)).there_ns) for r in range(20)} != {tuple(found.there_ns[:4])}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("threshold:fall=1|2|4", ("1", "2", "4")),
        ("threshold:fall=1..4", ("1", "2", "3", "4")),
        ("timeout:down_after=1s..64s", ("1s", "2s", "4s", "8s", "16s", "32s", "64s")),
        ("timeout:down_after=3s", ("",)),
    ],
)
def test_how_a_sweep_is_written(text: str, values) -> None:
    assert parse_sweep(text).values == values


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("timeot:down_after=1s..2s", "did you mean timeout?"),
        ("timeout:down_after=2s..1s", "the first bound is above 0, and below the second"),
        ("timeout:down_after=x..y", "expected a range"),
        ("phi-accrual:threshold=1..2,samples=1..9", "only one setting"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused(text: str, said: str) -> None:
    with pytest.raises(DetectorError, match=said.replace("?", r"\?")):
        parse_sweep(text)


# -- from the command line ------------------------------------------------------------

QUICK = ("--replications", "2", "--heartbeats", "300", "--quiet")


def command(*words: object):
    return CliRunner().invoke(main, ["tradeoff", *map(str, words)])


def test_the_shipped_scenario_as_table_and_figure(tmp_path) -> None:
    figure = tmp_path / "curves.svg"
    words = ("--detector", "timeout:down_after=1.5s|3s", "--figure", figure, *QUICK)
    result = command("tradeoff", *words, "--format", "json")
    assert result.exit_code == 0
    found = json.loads(result.output)
    (curve,) = found["curves"]
    assert [point["value"] for point in curve["points"]] == ["1.5s", "3s"]
    assert set(curve["points"][0]) == {"value", *(c.key for c in COLUMNS[2:])}
    assert "timeout (down_after)" in figure.read_text()
    assert command("tradeoff", *words).output == command("tradeoff", *words).output


def test_on_recorded_round_trip_times(tmp_path) -> None:
    path = tmp_path / "rtt.csv"
    path.write_text("rtt\n" + "".join(f"{20 + n % 7}\n" for n in range(500)))
    result = command(
        "--rtt", path, "--column", "rtt", "--detector", "timeout:down_after=2s", *QUICK
    )
    assert result.exit_code == 0
    assert "500 recorded round-trip times" in " ".join(result.output.split())
    found = hasim.tradeoff(
        rtt=(path, "rtt"), detectors=["timeout:down_after=2s"], replications=2, heartbeats=300
    )
    assert found.curves[0].points[0].mistakes == [0, 0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "expected either a scenario or --rtt FILE"),
        (("tradeoff", "--column", "x"), "--column needs --rtt"),
        (("tradeoff", "--master", "ams-2"), "did you mean ams-1?"),
        (("tradeoff", "--figure", "x.pdf"), "ends in .png or .svg"),
        (("tradeoff", "--detector", "timeout:dawn_after=1s|2s"), "dawn_after"),
    ],
)
def test_what_cannot_be_asked_for(words, said: str) -> None:
    result = command(*words, *QUICK)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert "Traceback" not in result.output
