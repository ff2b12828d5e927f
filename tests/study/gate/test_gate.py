"""The CI gate on the suite that comes with hasim: what it lets pass, and what it catches."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import hasim
from hasim.commands.bench import bench as bench_command
from hasim.measures import measure
from hasim.scenario import catalogue
from hasim.scenario.loader import from_data
from hasim.scenario.problems import ScenarioError
from hasim.services.balancing.registry import ALGORITHMS, Algorithm
from hasim.services.failover.answers import Answers
from hasim.simulation import streams
from hasim.study.estimates import summary
from hasim.study.execution import executor
from hasim.study.execution.replication import simulate_cell
from hasim.study.execution.runner import ReplicationError
from hasim.study.gate import (
    DEFAULT_SUITE,
    Baseline,
    BaselineError,
    GateReport,
    NoBaselineError,
    Suite,
    bench,
    observe,
    read_baseline,
    read_suite,
    record,
    write_baseline,
)
from hasim.study.gate.baseline import BaselineCell
from hasim.study.gate.bench import Runs
from hasim.study.gate.changes import change_of
from hasim.study.gate.environment import environment_of
from hasim.study.gate.observe import Observe, reference_loop
from hasim.study.gate.suite import suite_from_data

MOST = 20


def default(*cells: str, most: int = MOST, **overrides: object) -> Suite:
    """The default suite, or some of its cells, with fewer replications: what sabotage must show."""
    suite = read_suite(DEFAULT_SUITE, overrides)
    chosen = [cell for cell in suite.cells if not cells or cell.name in cells]
    assert len(chosen) == (len(cells) or len(suite.cells))
    return dataclasses.replace(
        suite,
        cells=tuple(dataclasses.replace(cell, at_least=10, at_most=most) for cell in chosen),
    )


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    """The baseline of the default suite; to read, never to change."""
    return record(default(), jobs=1)[0]


def found(report: GateReport) -> set[tuple[str, str]]:
    return {(one.cell, one.measure) for one in report.regressions}


def rekey(monkeypatch):
    """Other luck for the control plane's own traffic; faults and messages stay as they are."""
    real = streams.generator

    def other(seed, replication, concern):
        control = concern.startswith(("link:", "probe-errors:", "fencing:"))
        return real(seed, replication, f"again:{concern}" if control else concern)

    monkeypatch.setattr(streams, "generator", other)


# -- nothing changed -----------------------------------------------------------------


def test_an_unchanged_program_passes_after_the_first_look(baseline):
    report = bench(default(), baseline, jobs=1)
    assert report.verdict == "pass"
    assert not report.changed
    assert all(one.identical for one in report.comparisons)
    assert {change.n for change in report.changes} == {10}
    assert len(report.comparisons) == sum(len(cell.margins) for cell in default().cells)
    assert not report.versions
    assert not report.missing


def test_processes_give_what_one_process_gives(baseline):
    report = bench(default("failover", "split-brain"), baseline, jobs=2)
    assert report.verdict == "pass"
    assert not report.changed


def test_baseline_file_is_read_back_as_it_was_and_small(baseline, tmp_path):
    path = tmp_path / "new" / "baseline.json"
    write_baseline(baseline, path)
    again = read_baseline(path)
    for name, cell in baseline.cells.items():
        other = again.cells[name]
        rounded = tuple(round(speed, 3) for speed in cell.speeds)
        assert dataclasses.replace(cell, speeds=rounded) == other
    assert again.versions == baseline.versions
    assert path.stat().st_size < 300_000
    # One list a line: a change of one measure is one changed line.
    lines = path.read_text().splitlines()
    assert sum('"detection_time.mean":[' in line.replace(": ", ":") for line in lines) == 2


# -- something got worse -----------------------------------------------------------------


def test_a_detector_that_is_five_percent_slower_is_caught(baseline):
    slower = {
        "detection.interval": "2.1s",
        "detection.fast_interval": "2.1s",
        "detection.timeout": "525ms",
    }
    report = bench(default("detection-by-probes", **slower), baseline, jobs=1)
    assert report.verdict == "regression"
    assert ("detection-by-probes", "detection_time.mean") in found(report)
    worst = report.worst_first[0]
    # Half an interval, two more probes, for crashes (refused at once): 5 % of 5 s.
    assert worst.difference == pytest.approx(0.25, abs=0.08)
    assert report.changes[0].settings["detection.interval"] == ("2s", "2s100ms")


def test_one_more_failed_check_is_caught(baseline):
    suite = default("detection-by-probes", most=10, **{"detection.fall": 4})
    report = bench(suite, baseline, jobs=1)
    assert ("detection-by-probes", "detection_time.mean") in found(report)
    assert report.changes[0].settings == {"detection.fall": ("3", "4")}
    worst = report.worst_first[0]
    # One more probe, every 2 s; but of the incidents in the last 8 s of the 300 the end cuts off
    # E[T^2]/2 each, with T uniform on 6 to 8 s instead of 4 to 6: 12 s in 300.
    assert worst.lower < 2.0 - 12 / 300 < worst.upper


def test_fencing_left_out_is_caught(baseline):
    suite = default("split-brain", "failover", **{"failover.fencing": "none"})
    report = bench(suite, baseline, jobs=1)
    assert ("split-brain", "dual_primary") in found(report)
    for change in report.changes:
        assert change.settings["failover.fencing"][1] == "none"


def test_a_slower_promotion_is_caught_and_named(baseline):
    suite = default("failover", most=10, **{"promotion.duration": "2s"})
    report = bench(suite, baseline, jobs=1)
    assert ("failover", "failover_time.mean") in found(report)
    assert report.changes[0].settings == {"promotion.duration.mean": ("100ms", "2s")}


def test_a_choice_that_became_a_mapping_differs_as_a_whole():
    before, after = {"failover": {"fencing": "none"}}, {"failover": {"fencing": {"kind": "lease"}}}
    cell = BaselineCell("", before, {}, (), ())
    assert change_of("c", cell, (), after).settings == {
        "failover.fencing": ("none", "{kind: lease}")
    }
    cell = dataclasses.replace(cell, settings=after)
    assert change_of("c", cell, (), before).settings == {
        "failover.fencing": ("{kind: lease}", "none")
    }


def test_a_slower_fencing_step_is_caught(baseline, monkeypatch):
    real = Answers._fenced
    believed: set[tuple[int, int]] = set()

    def asks_twice(self, now, result):
        """A change of the program that does not believe the first confirmation."""
        key = (id(self), result.order)
        if result.confirmed and key not in believed:
            believed.add(key)
            result = dataclasses.replace(result, confirmed=False)
        return real(self, now, result)

    monkeypatch.setattr(Answers, "_fenced", asks_twice)
    report = bench(default("failover"), baseline, jobs=1)
    assert {("failover", "failover_time.mean"), ("failover", "outage.mean")} <= found(report)
    assert report.changes[0].settings == {}  # the program changed, not its settings


@pytest.mark.filterwarnings("ignore:least-loaded is plain Python")
def test_a_balancer_that_ignores_the_queues_is_caught(baseline, monkeypatch):
    turns = iter(range(10**9))

    def blind(fleet, request):
        able = [i for i, weight in enumerate(fleet.weight) if weight > 0.0]
        return able[next(turns) % len(able)] if able else -1

    monkeypatch.setitem(ALGORITHMS, "least-loaded", Algorithm("Takes turns.", blind))
    report = bench(default("load"), baseline, jobs=1)
    assert ("load", "latency.p95") in found(report)
    (change,) = report.changed
    assert any(name.startswith("attempts") for name in change.counters)


def test_an_improvement_passes_and_says_so(baseline):
    suite = default("detection-by-probes", most=10, **{"detection.fall": 2})
    report = bench(suite, baseline, jobs=1)
    (time,) = (one for one in report.comparisons if one.measure == "detection_time.mean")
    assert (time.verdict, time.better) == ("pass", True)
    assert time.difference == pytest.approx(-2.0, abs=0.1)


def test_changed_behaviour_without_harm_is_a_regression_only_if_exact(baseline, monkeypatch):
    rekey(monkeypatch)
    for exact, verdict in ((False, "pass"), (True, "regression")):
        report = bench(default("failover"), baseline, jobs=1, exact=exact)
        assert report.verdict == verdict
        assert [change.cell for change in report.changed] == ["failover"]
        assert not report.regressions


def test_speed_counts_only_if_asked(baseline, monkeypatch):
    import time

    from hasim.study.gate import observe

    real = observe.simulate_cell

    def dawdles(*args):
        started = time.perf_counter()
        journal = real(*args)
        time.sleep(3 * (time.perf_counter() - started))
        return journal

    monkeypatch.setattr(observe, "simulate_cell", dawdles)
    report = bench(default("failover"), baseline, jobs=1)
    assert report.verdict == "pass"
    (slow,) = report.slower
    assert 2 < slow.ratio < 8
    assert dataclasses.replace(report, speed=True).verdict == "regression"


def test_reference_loop_is_the_same_work_each_time():
    assert reference_loop(1000) == reference_loop(1000) > 0


# -- what cannot be compared ----------------------------------------------------------------


def test_no_baseline_is_no_verdict(tmp_path):
    report = bench(default("failover"), tmp_path / "none.json", jobs=1)
    assert report.verdict == "inconclusive"
    assert "no such file" in report.missing["failover"]


def test_another_world_is_not_compared(baseline):
    suite = default("failover", "split-brain")
    other = read_suite(DEFAULT_SUITE, {"seed": 2}).cells
    mixed = (suite.cells[0], next(cell for cell in other if cell.name == "split-brain"))
    report = bench(dataclasses.replace(suite, cells=mixed), baseline, jobs=1)
    assert report.verdict == "inconclusive"
    assert set(report.missing) == {"split-brain"}
    assert {one.cell for one in report.comparisons} == {"failover"}
    assert set(report.unused) == {"detection-by-probes", "detection-by-messages", "load"}


def test_environment_is_the_world_and_not_what_is_judged():
    def environment(**overrides):
        return environment_of(read_suite(DEFAULT_SUITE, overrides).cells[0])

    same = environment()
    assert environment(**{"detection.fall": 7}) == same
    assert environment(**{"failover.fencing": "none"}) == same
    assert environment(replications=3) == same
    for path, value in (("seed", 2), ("horizon", "6m"), ("traffic.arrivals.rate", "2/s")):
        assert environment(**{path: value}) != same, path


def test_environment_knows_a_trace_by_its_contents(tmp_path):
    hashes = []
    for number, text in enumerate(("t\n1\n2\n90\n", "t\n1\n2\n90\n", "t\n1\n3\n90\n")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "arrivals.csv").write_text(text)
        arrivals = {"trace": "arrivals.csv", "column": "t", "unit": "s"}
        data = small(traffic={"arrivals": arrivals})
        suite = suite_from_data(data, source=folder / "suite.yaml")
        hashes.append(environment_of(suite.cells[0]))
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_shorter_baseline_limits_the_replications(baseline, monkeypatch):
    rekey(monkeypatch)
    short = {
        name: dataclasses.replace(
            cell,
            values={measure: row[:12] for measure, row in cell.values.items()},
            fingerprints=cell.fingerprints[:12],
            speeds=cell.speeds[:12],
        )
        for name, cell in baseline.cells.items()
    }
    report = bench(default("failover"), dataclasses.replace(baseline, cells=short), jobs=1)
    assert report.changes[0].n == 12


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("nonsense", BaselineError, "not JSON"),
        ("[1]", BaselineError, "no baseline of hasim bench"),
        ('{"hasim_baseline": 1}', BaselineError, "suite: is missing"),
        ('{"hasim_baseline": 99}', NoBaselineError, "of format 99"),
    ],
)
def test_bad_baselines_are_told_by_their_file(tmp_path, text, error, message):
    path = tmp_path / "baseline.json"
    path.write_text(text)
    with pytest.raises(error, match=message) as caught:
        read_baseline(path)
    assert str(path) in str(caught.value)


# -- suites ------------------------------------------------------------------------------


def small(**world: object) -> dict[str, object]:
    scenario = {"horizon": "10s", "masters": [{"id": "a"}, {"id": "b", "like": "a"}], **world}
    return {
        "replications": {"at_least": 5, "at_most": 5},
        "margins": {"success": {"absolute": "1%"}, "latency.p50": {"relative": "5%"}},
        "scenarios": {"tiny": {"scenario": scenario, "measures": ["success"]}},
    }


def test_every_cell_of_a_scenario_is_compared_by_what_is_varied():
    data = small(vary={"detection.fall": [2, 3], "traffic.owned": ["0%", "50%"]})
    suite = suite_from_data(data)
    assert suite.cells[0].name == "tiny[detection.fall=2, traffic.owned=0%]"
    # Of what is varied, only the traffic belongs to the world.
    hashes = [environment_of(cell) for cell in suite.cells]
    assert hashes[0] == hashes[2] != hashes[1] == hashes[3]
    made, _ = record(suite, jobs=1)
    assert bench(suite, made, jobs=1).verdict == "pass"


def test_a_suite_may_be_a_mapping(tmp_path):
    made, _ = record(suite_from_data(small()), jobs=1)
    write_baseline(made, tmp_path / "baseline.json")
    report = hasim.bench(small(), tmp_path / "baseline.json", jobs=1, progress=None)
    assert report.verdict == "pass"


def test_shipped_scenarios_and_files_beside_the_suite_are_found(tmp_path):
    scenario = small()["scenarios"]["tiny"]["scenario"]
    YAML().dump(scenario, tmp_path / "own.yaml")
    data = small()
    data["scenarios"]["tiny"]["scenario"] = "own.yaml"
    data["scenarios"]["shipped"] = {
        "scenario": "crash",
        "set": {"horizon": "3m", "detection.fall": 5},
        "measures": ["success", "latency.p50"],
        "margins": {"success": {"relative": "3%"}},
    }
    YAML().dump(data, tmp_path / "suite.yaml")
    suite = read_suite(tmp_path / "suite.yaml")
    names = [cell.name for cell in suite.cells]
    assert names[0] == "tiny"
    assert len(names) == 5
    assert all(name.startswith("shipped[") for name in names[1:])
    assert suite.cells[1].loaded.cells[0].world.detection.detector.fall == 5
    assert suite.cells[1].margins["success"].of(0.5) == pytest.approx(0.015)
    assert suite.cells[0].margins["success"].of(0.5) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("scenarios"), "scenarios: is required and missing"),
        (lambda s: s.update(scenarios={}), "scenarios: expected a scenario or more"),
        (lambda s: s.update(marginz={}), "marginz: unknown key; did you mean margins?"),
        (
            lambda s: s["margins"].update({"uptme": {}}),
            "margins.uptme: no measure that can be compared; did you mean uptime?",
        ),
        (
            lambda s: s["margins"].update({"success": {"absolute": "5s"}}),
            "margins.success: expected a margin such as 99.99%, got '5s'",
        ),
        (
            lambda s: s["scenarios"]["tiny"].update(measures=["outage.mean"]),
            "scenarios.tiny.measures.0: has no margin",
        ),
        (
            lambda s: s["scenarios"]["tiny"].update(measures=["detection_time.p99"]),
            "scenarios.tiny.measures.0: no measure that can be compared",
        ),
        (
            lambda s: s["scenarios"]["tiny"].update(scenario="crush"),
            "scenarios.tiny.scenario: crush: no scenario of this name; did you mean crash?",
        ),
        (
            lambda s: s["scenarios"]["tiny"]["scenario"].update(horizont="1s"),
            "horizont: unknown key; did you mean horizon?",
        ),
        (
            lambda s: s.update(replications={"at_least": 9, "at_most": 8}),
            "replications: at_least is more than at_most",
        ),
        (lambda s: s.update(replications={"at_least": 2}), "at_least: must be at least 5"),
    ],
)
def test_bad_suites_are_told_by_their_field(change, message):
    data = copy.deepcopy(small())
    change(data)
    with pytest.raises(ScenarioError) as caught:
        suite_from_data(data)
    assert message in str(caught.value)


def test_a_bad_suite_file_is_told_by_its_line(tmp_path):
    path = tmp_path / "suite.yaml"
    path.write_text("margins:\n  success: {absolute: 1%}\n  uptme: {relative: 1%}\nscenarios: {}\n")
    with pytest.raises(ScenarioError) as caught:
        read_suite(path)
    lines = str(caught.value).splitlines()
    assert any(line.startswith(f"{path}:3: margins.uptme: ") for line in lines)
    assert any(line.startswith(f"{path}:4: scenarios: ") for line in lines)


def test_looks_double_up_to_the_cap():
    cell = suite_from_data(small()).cells[0]
    assert cell.looks == (5,)
    assert dataclasses.replace(cell, at_least=10, at_most=45).looks == (10, 20, 40, 45)


def test_workers_that_die_are_an_error_of_their_cell(monkeypatch):
    """The other cells go on; what they had is not done again."""
    done: list[tuple[int, int]] = []

    def dies(work, wanted, sink, **options):
        for cell, replications in wanted.items():
            for replication in replications:
                if (cell, replication) == (0, 2):
                    raise executor.WorkersLostError((0, 2), 3)
                done.append((cell, replication))
                sink(work(cell, replication))

    monkeypatch.setattr(executor, "execute", dies)
    one, other = small(), small()
    other["scenarios"]["other"] = other["scenarios"].pop("tiny")
    runs = Runs(suite_from_data({**one, "scenarios": {**one["scenarios"], **other["scenarios"]}}))
    runs.extend({0: 5, 1: 5})
    assert list(runs.errors) == [0]
    assert runs.errors[0].startswith("replication 2 of ")
    assert done == [(0, 0), (0, 1), *((1, r) for r in range(5))]


def test_a_replication_that_raises_is_named(monkeypatch):
    from hasim.study.gate import observe

    def breaks(*args):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(observe, "simulate_cell", breaks)
    with pytest.raises(ReplicationError, match=r"(?s)replication 0 of tiny failed.*no such luck"):
        record(suite_from_data(small()), jobs=1)


# -- the project's own baseline, and the whole proof ---------------------------------------------


OURS = Path(__file__).parents[3] / "results" / "baseline" / "baseline.json"


def test_our_baseline_belongs_to_the_default_suite():
    ours, suite = read_baseline(OURS), read_suite()
    assert OURS.stat().st_size < 300_000
    for cell in suite.cells:
        known = ours.cells[cell.name]
        assert known.environment == environment_of(cell)
        assert known.replications == cell.at_most
        assert set(known.values) == set(cell.margins)
    plain = json.loads(OURS.read_text())
    assert set(plain["versions"]) >= {"hasim", "python", "numpy"}


def test_rekeying_changes_the_behaviour_but_is_no_regression(baseline, monkeypatch):
    rekey(monkeypatch)
    report = bench(default(), baseline, jobs=1)
    # Every cell, or it would not be tried at all by re-keyed streams.
    assert len(report.changed) == len(report.changes) == 5
    assert not report.regressions


@pytest.mark.slow
def test_an_unchanged_program_with_rekeyed_streams_is_no_regression_in_forty_trials():
    verdicts = []
    for seed in range(1000, 1040):
        # With the suite's own caps: at 20 replications one trial in eight stays inconclusive.
        suite = read_suite(DEFAULT_SUITE, {"seed": seed})
        made, _ = record(suite, jobs=1)
        with pytest.MonkeyPatch.context() as patched:
            rekey(patched)
            report = bench(suite, made, jobs=1)
        assert len(report.changed) == len(suite.cells)
        verdicts.append(report.verdict)
    assert verdicts.count("regression") == 0
    assert verdicts.count("inconclusive") <= 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "caught"),
    [
        ({"detection.fall": 4}, ("detection-by-probes", "detection_time.mean")),
        ({"failover.fencing": "none"}, ("split-brain", "dual_primary")),
        ({"balancing.algorithm": "round-robin"}, ("load", "latency.p95")),
        (
            {"detection.interval": "2.1s", "detection.fast_interval": "2.1s"},
            ("detection-by-probes", "detection_time.mean"),
        ),
    ],
)
def test_the_whole_default_suite_catches_it_against_our_baseline(overrides, caught):
    report = bench(read_suite(DEFAULT_SUITE, overrides), OURS, jobs=1)
    assert caught in found(report)


def test_observing_is_a_pure_function_of_cell_and_replication():
    work = Observe(suite_from_data(small()).cells)
    first, again = work(0, 3), work(0, 3)
    assert first.fingerprint == again.fingerprint != work(0, 4).fingerprint
    assert first.values == again.values


def test_the_load_of_a_suite_is_without_its_warm_up():
    """As in every table of the same scenario."""
    crash = {"kind": "crash", "target": "a", "at": "5s", "for": "10s"}
    retry = {"attempts": 2}
    data = small(horizon="60s", warm_up="20s", faults=[crash], traffic={"retry": retry})
    data["scenarios"]["tiny"]["measures"] = ["success", "attempts"]
    data["margins"]["attempts"] = {"absolute": 1}
    work = Observe(suite_from_data(data).cells)
    whole = Observe(suite_from_data(data, {"warm_up": "none"}).cells)
    loaded = from_data({"name": "tiny", **data["scenarios"]["tiny"]["scenario"]})
    for replication in range(3):
        seen = work(0, replication).values
        run = measure(simulate_cell(loaded, 0, replication))
        assert seen["attempts"] == summary.values([run])[0]["attempts"]
        assert seen["attempts"] != whole(0, replication).values["attempts"]


def test_a_suite_has_no_warm_up_that_hangs_on_the_other_replications():
    with pytest.raises(ScenarioError, match=r"mser-5 looks at all .* expected a duration, or none"):
        suite_from_data(small(warm_up="mser-5"))


def test_the_first_simulation_of_a_cell_in_a_process_is_not_timed(monkeypatch):
    done = []
    simulate = observe.simulate_cell
    monkeypatch.setattr(observe, "_WARM", set())
    monkeypatch.setattr(
        observe, "simulate_cell", lambda *given: done.append(given[2]) or simulate(*given)
    )
    work = Observe(suite_from_data(small()).cells)
    for replication in (0, 1, 2):
        work(0, replication)
    assert done == [0, 0, 1, 2]


def test_the_documented_workflow_and_suite_are_what_they_claim(tmp_path):
    text = OURS.with_name("README.md").read_text(encoding="utf-8")
    suite_text, workflow_text = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    workflow = YAML(typ="safe").load(workflow_text)
    (command,) = (
        step["run"]
        for step in workflow["jobs"]["bench"]["steps"]
        if step.get("run", "").startswith("hasim bench")
    )
    parsed = bench_command.make_context("bench", command.split()[2:]).params
    assert parsed["baseline"] == Path("results/baseline/baseline.json")
    assert [style for style, _ in parsed["copies"]] == ["markdown", "junit", "benchmark-action"]
    (tmp_path / "scenarios").mkdir()
    shutil.copy(catalogue.find("hang"), tmp_path / "scenarios" / "hang-in-the-west.yaml")
    (tmp_path / "suite.yaml").write_text(suite_text)
    cells = read_suite(tmp_path / "suite.yaml").cells
    assert cells[0].margins["uptime"].absolute == pytest.approx(0.001)
