"""The run folder: written line by line, read back whole, torn ends passed over."""

from __future__ import annotations

import json
import math
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from hasim.study.execution import program
from hasim.study.folder.errors import StoreError
from hasim.study.folder.places import new_folder
from hasim.study.folder.reading import open_run
from hasim.study.folder.writing import RunFolder
from hasim.study.planning.outcomes import CellInfo, Outcome
from hasim.study.planning.study import Options, Study


def study() -> Study:
    return Study(
        name="demo",
        seed=7,
        replications=3,
        cells=(CellInfo(0, {"detection.evidence": ["probe"]}, "aa"), CellInfo(1, {}, "bb")),
        expect={"detection_time.p99": "< 5s"},
        projection=(720, 720),
        resolved="name: demo\n",
        options=Options(checked=True),
    )


def outcome(cell: int, replication: int) -> Outcome:
    measured = {"incidents": [{"detection_s": 0.1 + replication, "note": "é\n"}], "n": 3}
    return Outcome(cell, replication, 0.25, measured, ("dual primary: p1",) if cell else ())


def test_what_is_stored_is_read_back(tmp_path):
    kept = study()
    folder = RunFolder(tmp_path / "run", kept)
    for key in ((1, 0), (0, 2), (0, 0)):
        folder.append(outcome(*key))
        kept.add(outcome(*key))
    kept.state = "COMPLETED"
    folder.finish()
    assert open_run(tmp_path / "run") == kept


def test_the_manifest_tells_versions_seed_state_and_counts(tmp_path):
    kept = study()
    folder = RunFolder(tmp_path, kept)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert (manifest["state"], manifest["seed"], manifest["ended"]) == ("RUNNING", 7, None)
    libraries = {"numpy", "scipy", "numba", "simpy", "pandas", "pyarrow"}
    assert set(manifest["versions"]) == {"hasim", "python", *libraries}
    assert manifest["sources"] == program.sources()
    kept.add(outcome(1, 0))
    kept.state = "INTERRUPTED"
    folder.finish()
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["state"] == "INTERRUPTED"
    assert (manifest["replications"], manifest["replications_done"]) == (3, 1)
    assert manifest["violations"] == 1
    assert manifest["started"] <= manifest["ended"]


def test_a_run_that_was_killed_is_read_up_to_its_torn_last_line(tmp_path):
    folder = RunFolder(tmp_path, study())
    folder.append(outcome(0, 0))
    folder.append(outcome(0, 1))
    file = tmp_path / "replications" / "cell-aa.jsonl"
    whole = file.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(first, len(whole)):
        file.write_bytes(whole[:cut])
        found = open_run(tmp_path)
        # Complete but for its newline, the second line still counts.
        assert len(found.outcomes) == (2 if cut == len(whole) - 1 else 1)
        assert found.state == "RUNNING"


def test_a_broken_line_before_the_last_is_an_error_with_file_and_line(tmp_path):
    folder = RunFolder(tmp_path, study())
    folder.append(outcome(0, 0))
    folder.append(outcome(0, 1))
    file = tmp_path / "replications" / "cell-aa.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0][:40], *lines[1:]]) + "\n")
    with pytest.raises(StoreError, match=r"cell-aa\.jsonl:1: not an outcome"):
        open_run(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_an_outcome_is_there_once_though_an_interrupt_came_while_it_was_written(
    tmp_path, monkeypatch, share
):
    """Ctrl-C in the middle of it: who hands outcomes on does so again, rather than not at all."""
    asked = study()
    folder = RunFolder(tmp_path / "run", asked)
    folder.append(outcome(0, 0))
    write = os.write

    def interrupted(file: int, data: bytes) -> int:
        write(file, data[: int(share * len(data))])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            folder.append(outcome(0, 1))
    folder.append(outcome(0, 1))
    folder.append(outcome(1, 0))
    folder.finish()
    found = open_run(tmp_path / "run").outcomes
    assert [(o.cell, o.replication) for o in found.values()] == [(0, 0), (0, 1), (1, 0)]


def test_infinite_numbers_survive(tmp_path):
    folder = RunFolder(tmp_path, study())
    folder.append(Outcome(0, 0, 0.0, {"high": math.inf, "p": 0.1 + 0.2}))
    found = open_run(tmp_path).outcomes[0, 0].measured
    assert found == {"high": math.inf, "p": 0.1 + 0.2}


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match="not empty"):
        RunFolder(tmp_path, study())
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write there"):
        RunFolder(tmp_path / "file" / "run", study())


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (None, "no folder of a hasim run"),
        ("{", "not JSON"),
        ("[]", "not the manifest of a hasim run"),
        ("{}", "not the manifest of a hasim run"),
        ('{"hasim_run": 99}', "a run of format 99, of which this hasim reads 7 alone"),
        ('{"hasim_run": 7}', "was changed after it had been written"),
    ],
)
def test_what_is_no_run_folder_says_so(tmp_path, manifest, message):
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
        (tmp_path / "scenario.yaml").write_text("")
    with pytest.raises(StoreError, match=message):
        open_run(tmp_path)


def test_runs_that_begin_together_get_folders_of_their_own(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: new_folder("demo", tmp_path / "runs"), range(24)))
    assert len(set(folders)) == 24
    assert all(path.is_dir() and path.name.startswith("demo-2") for path in folders)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file: cannot write there"):
        new_folder("demo", tmp_path / "file")
