"""What is swept in a study, and the figures of it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from hasim.cli import main
from hasim.findings.swept import axes_of, lines_of, number_of
from hasim.report.sweeps import Curve, Swept, curve_plot, heat_map
from hasim.study.estimates.estimate import Estimate


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, ("", 3.0)),
        ("500ms", ("s", 0.5)),
        ("2%", ("ratio", 0.02)),
        ("20/s", ("per second", 20.0)),
        ("round-robin", None),
        (True, None),
        (["probe"], None),
    ],
)
def test_numbers_as_they_are_written(value, number) -> None:
    assert number_of(value) == number


CELLS = [
    (0, {"a.interval": "1s", "a.fall": 1}),
    (1, {"a.interval": "500ms", "a.fall": 1}),
    (2, {"a.interval": "2s", "a.fall": 1}),
    (3, {"a.interval": "1s", "a.fall": 2}),
    (4, {"a.interval": "2s", "a.fall": 2}),
    (5, {"a.interval": "500ms", "a.fall": 2}),
]


def test_cells_along_a_sweep_stand_in_its_order() -> None:
    (axis,) = axes_of(CELLS)  # two values of the other make no curve
    assert (axis.path, axis.unit, axis.values) == ("a.interval", "s", (0.5, 1.0, 2.0))
    lines = lines_of(CELLS, axis)
    assert [line.label for line in lines] == ["fall=1", "fall=2"]
    assert [[cell for _, cell in line.points] for line in lines] == [[1, 0, 2], [5, 3, 4]]


def test_words_and_mixed_units_are_no_sweep() -> None:
    assert axes_of([(n, {"x": v}) for n, v in enumerate(["a", "b", "c"])]) == []
    assert axes_of([(n, {"x": v}) for n, v in enumerate([1, "2s", "3s"])]) == []


def estimate(value: float | None) -> Estimate:
    return Estimate("uptime", "ratio", value, value, value, 9, "")


def test_a_curve_has_the_estimates_and_no_empty_panel() -> None:
    swept = Swept("a.interval", "s", (0.5, 1.0, 8.0))
    points = [(x, {"uptime": estimate(1 - x / 10), "success": estimate(None)}) for x in (0.5, 8.0)]
    figure = curve_plot(swept, [Curve("one", points)], ["success", "uptime"])
    (axes,) = (axes for axes in figure.axes if axes.get_visible())
    assert axes.get_title(loc="left") == "uptime"
    assert axes.lines[0].get_xydata().tolist() == [[0.5, 0.95], [8.0, pytest.approx(0.2)]]
    assert axes.get_xscale() == "log"
    assert curve_plot(swept, [Curve("one", points)], ["success"]) is None


def test_a_map_has_a_field_for_each_pair() -> None:
    across, upwards = Swept("x", "", (1, 2, 3)), Swept("y", "", (1, 2))
    found = {(x, y): estimate(x * y / 10) for x in (1, 2, 3) for y in (1, 2)}
    figure = heat_map(across, upwards, found, "uptime")
    values = figure.axes[0].images[0].get_array()
    assert values.tolist() == [pytest.approx([0.1, 0.2, 0.3]), pytest.approx([0.2, 0.4, 0.6])]
    assert [text.get_text() for text in figure.axes[0].texts][:2] == ["10 %", "20 %"]


def test_one_edit_sweeps_and_a_label_is_a_baseline(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    world = {
        "horizon": "60s",
        "replications": 2,
        "masters": [{"id": "a"}, {"id": "b", "priority": 2}],
        "faults": [{"kind": "crash", "target": "a", "at": "5s", "for": "20s"}],
        "detection": {"evidence": "probe", "interval": "2s"},
        "vary": {"detection.fall": [1, 2]},
        "baseline": {"detection.fall": 1},
    }
    (tmp_path / "swept.json").write_text(json.dumps(world))
    run = ["run", "swept.json", "--jobs", "1", "--vary", "detection.interval=1s..4s:log3"]
    done = CliRunner().invoke(main, [*run, "--baseline", "interval=2s", "--out", "out"])
    assert done.exit_code == 0, done.stderr
    made = {path.stem for path in (tmp_path / "out" / "figures").iterdir()}
    assert "curve" in made
    assert "heat-map" not in made
    differences = (tmp_path / "out" / "differences.csv").read_text()
    assert "2s" not in {line.split(",")[1] for line in differences.splitlines()[1:]}
    compared = CliRunner().invoke(main, ["compare", "out", "--baseline", "interval=1s"])
    assert compared.exit_code == 0, compared.stderr
    for more, text in (
        (["--baseline", "interval=3s"], "did you mean detection.interval"),
        (["--baseline", "never"], "no cell is called 'never'"),
        (["--vary", "detection.interval=1s"], "given twice"),
        (["--vary", "detection.fall=4..1"], "expected a range such as"),
        (["--vary", "detection.fal=1..4"], "did you mean"),
    ):
        done = CliRunner().invoke(main, [*run, *more])
        assert (done.exit_code, text in done.stderr) == (2, True), done.stderr
