"""The frames of a run folder: what was measured, with units, in files that any program reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

import hasim
import hasim.findings.exports
from hasim.findings.frames import FRAMES, read_frame, write_frames
from hasim.study.folder.errors import StoreError

DATA: dict[str, Any] = {
    "name": "framed",
    "horizon": "60s",
    "replications": 3,
    "seed": 3,
    "masters": [{"id": "a"}, {"id": "b", "priority": 2}],
    "traffic": {"arrivals": {"law": "poisson", "rate": "5/s"}, "timeout": "1s"},
    "faults": [{"kind": "crash", "target": "a", "at": "10s", "for": "20s"}],
    "detection": {"interval": "2s"},
    "vary": {
        "grid": {
            "detection.fall": [1, 3],
            "detection.evidence": [["probe"], ["probe", "messages"]],
        },
        "points": [{"detection.interval": "90s", "detection.evidence": ["probe"]}],
    },
}


@pytest.fixture(scope="module")
def result(tmp_path_factory) -> hasim.Result:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hasim.findings.exports, "draw", lambda result: {})
        return hasim.run(DATA, jobs=1, out=tmp_path_factory.mktemp("framed") / "run")


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Words as texts, as in a table that was never stored."""
    words = frame.select_dtypes("category").columns
    return frame.astype(dict.fromkeys(words, "str"))


def test_incidents_are_those_of_the_result(result):
    frame = read_frame(result.folder, "incidents")
    expected = result.incidents.drop(columns="incident")
    assert set(frame.pop("scenario")) == {result.name}
    pd.testing.assert_frame_equal(plain(frame), expected, check_dtype=False)
    assert len(frame) == 15
    assert frame["detection_s"].isna().any()  # one check in 90 s notices nothing


def test_metrics_are_what_each_replication_measured(result):
    frame = plain(read_frame(result.folder))
    assert list(frame.columns) == [
        "scenario", "cell", "detection.fall", "detection.evidence", "detection.interval",
        "replication", "seed", "measure", "value", "unit",
    ]  # fmt: skip
    pd.testing.assert_frame_equal(frame, result.metrics, check_dtype=False)
    keys = ["cell", "replication", "measure"]
    values = frame.set_index(keys)["value"]
    assert values.index.is_unique
    # One that was not detected counts for as long as it went on.
    seen = result.incidents.assign(
        seen_s=result.incidents["detection_s"].fillna(result.incidents["censored_s"])
    )
    by_hand = seen.groupby(["cell", "replication"])["seen_s"].mean()
    for (cell, replication), seconds in by_hand.items():
        found = values[cell, replication, "detection_time.mean"]
        assert found == seconds or (pd.isna(found) and pd.isna(seconds))
    for cell in range(5):
        for replication, run in result.measured(cell).items():
            assert values[cell, replication, "uptime"] == run.service.uptime
            probes = sum(row.messages for row in run.messages if row.settled)
            in_time = sum(row.in_time for row in run.messages if row.settled)
            assert values[cell, replication, "success"] == in_time / probes


def test_means_over_the_frame_are_the_estimates(result):
    frame = read_frame(result.folder)
    for measure in ("uptime", "uptime.mean", "jain", "probes"):
        means = frame[frame["measure"] == measure].groupby("cell")["value"].mean()
        for cell, estimates in enumerate(result.estimates):
            assert means[cell] == pytest.approx(estimates[measure].value, rel=1e-12)


def test_cells_are_told_by_their_settings(result):
    frame = plain(read_frame(result.folder)).drop_duplicates("cell").set_index("cell")
    assert list(frame["detection.fall"].fillna(0)) == [1, 1, 3, 3, 0]
    assert list(frame["detection.evidence"]) == [
        "probe", "probe+messages", "probe", "probe+messages", "probe",
    ]  # fmt: skip
    assert list(frame["detection.interval"].fillna("")) == ["", "", "", "", "90s"]


def test_units_are_in_the_fields_and_in_the_rows(result):
    schema = pq.read_schema(result.folder / "incidents.parquet")
    assert schema.field("outage_s").metadata == {b"unit": b"s"}
    assert schema.field("master").metadata is None
    incidents = read_frame(result.folder, "incidents")
    assert set(incidents.attrs["units"]) == {c for c in incidents if c.endswith("_s")}
    assert incidents.attrs["scenario"] == "framed"
    assert incidents.attrs["seed"] == 3
    metrics = read_frame(result.folder)
    units = dict(metrics.drop_duplicates("measure").set_index("measure")["unit"])
    assert (units["uptime"], units["outage.mean"], units["mistakes"]) == ("ratio", "s", "per_hour")


def test_a_frame_survives_another_round_through_parquet(result, tmp_path):
    frame = read_frame(result.folder, "incidents")
    frame.to_parquet(tmp_path / "copy.parquet")
    copy = pd.read_parquet(tmp_path / "copy.parquet")
    pd.testing.assert_frame_equal(copy, frame)
    assert copy.attrs["units"] == frame.attrs["units"]


def test_small_row_groups_hold_the_same(result, tmp_path, monkeypatch):
    monkeypatch.setattr("hasim.findings.frames.ROWS", 7)
    write_frames(result, tmp_path)
    for name in FRAMES:
        pd.testing.assert_frame_equal(read_frame(tmp_path, name), read_frame(result.folder, name))
    groups = pq.ParquetFile(tmp_path / "metrics.parquet").metadata
    assert groups.num_row_groups == -(-groups.num_rows // 7)


def test_a_failure_leaves_the_frames_of_before(result, tmp_path, monkeypatch):
    write_frames(result, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    measured = type(result).measured

    def failing(self: hasim.Result, cell: int) -> Any:
        if cell == 3:
            raise OSError("disk full")
        return measured(self, cell)

    monkeypatch.setattr(type(result), "measured", failing)
    with pytest.raises(OSError, match="disk full"):
        write_frames(result, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_run_without_incidents_has_an_empty_frame(tmp_path, monkeypatch):
    monkeypatch.setattr(hasim.findings.exports, "draw", lambda result: {})
    hasim.run({**DATA, "faults": [], "vary": {}}, jobs=1, out=tmp_path / "run")
    frame = read_frame(tmp_path / "run", "incidents")
    assert len(frame) == 0
    assert frame["outage_s"].dtype == "float64"
    assert len(read_frame(tmp_path / "run")) > 0


def test_what_is_no_frame_says_so(result, tmp_path):
    with pytest.raises(StoreError, match=r"metrics\.parquet: no such file"):
        read_frame(tmp_path)
    (tmp_path / "metrics.parquet").write_text("no")
    with pytest.raises(StoreError, match=r"metrics\.parquet: cannot be read"):
        read_frame(tmp_path)
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "metrics.parquet")
    with pytest.raises(StoreError, match="not a frame of hasim's metrics"):
        read_frame(tmp_path)
    with pytest.raises(ValueError, match="no frame 'metric'; there are metrics and incidents"):
        read_frame(Path(result.folder), "metric")
