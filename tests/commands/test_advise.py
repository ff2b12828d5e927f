"""`hasim advise` and `hasim.advise` on small worlds: what is recommended, refused, kept."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

import hasim
from hasim.cli import main
from hasim.findings import advice_texts
from hasim.report.pareto import Spot, front
from hasim.scenario.loader import load
from hasim.study.advising import advising, limits, race, rare
from hasim.study.advising.candidates import candidates
from hasim.study.advising.improvements import improvements
from hasim.study.advising.noise import noise_of
from hasim.study.advising.terms import AdviceError
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.statistics import Interval
from hasim.study.rare.falsely import FalseFailovers
from tests.report.html.test_page import DATA

WORLD = {
    "name": "small",
    "horizon": "120s",
    "seed": 5,
    "masters": [{"id": "a"}, {"id": "b", "like": "a", "priority": 2}],
    "traffic": {"arrivals": {"law": "poisson", "rate": "0.2/s"}, "owned": "100%", "timeout": "1s"},
    "faults": [
        {
            "kind": "power-off",
            "target": "a",
            "at": [
                {"law": "uniform", "low": f"{10 * k + 1}s", "high": f"{10 * k + 4}s"}
                for k in range(11)
            ],
            "for": "2s",
        }
    ],
    "network": {"bursts": {"share": "0.1%", "mean": "1s"}},
    "detection": {"evidence": ["probe"], "interval": "2s", "fast_interval": "200ms"},
    "failover": {"fencing": "none"},
}
FAST = {"replications": 8, "jobs": 1, "progress": None}
"""88 power cuts in each setting, which are taken to be enough."""


@pytest.fixture(scope="module", autouse=True)
def few():
    """Fewer incidents than a user has to wait for."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (race, advising, advice_texts):
            patch.setattr(module, "ENOUGH", 80)
        yield


@pytest.fixture(scope="module")
def advice(tmp_path_factory):
    """Of three settings: checks each 250 ms see every power cut, which those each 4 s miss."""
    out = tmp_path_factory.mktemp("advice") / "run"
    return hasim.advise(
        WORLD,
        minimise="outage.mean",
        limits=["failovers.needless < 9000000/y"],
        vary={"detection.interval": "250ms|4s"},
        out=out,
        **FAST,
    )


def test_the_shortest_outage_is_recommended(advice, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert advice.chosen == {"detection.interval": "250ms"}
    assert not advice.keeps_today
    plain = advice.plain()
    ratio, low, high = plain["ratio_to_today"]
    assert low < ratio < high < 1
    assert {one["standing"] for one in plain["settings"]} == {"recommended", "worse"}
    kept = advice.render("table")
    assert "Set detection.interval=250ms." in kept
    assert "False failovers rest on: loss of 0.1% in bursts of 1s." in kept
    assert max(map(len, kept.splitlines())) <= 80


def test_the_page_has_the_verdict_the_front_and_what_was_tried(advice) -> None:
    text = advice.render("page")
    assert text.index("Set detection.interval=250ms.") < text.index('id="part-1"')
    data = json.loads(DATA.search(text)[1])["figures"]
    front = data["pareto"]["columns"]
    assert front["setting"] == [spot.label for spot in advice.spots]
    assert front["outage"] == pytest.approx([spot.value for spot in advice.spots])
    assert front["which"][front["setting"].index("interval=250ms")] == "recommended"
    seen = data["estimate-outage-mean"]["columns"]
    assert seen["cell"][0] == "interval=250ms"
    of_cell = {advice.labels[cell]: own["outage.mean"] for cell, own in advice.estimates.items()}
    assert seen["value"] == pytest.approx([of_cell[name].value for name in seen["cell"]])


def test_the_scenario_to_keep_is_the_recommended_world(advice, tmp_path) -> None:
    path = tmp_path / "keep.yaml"
    path.write_text(advice.scenario)
    world = load(path).scenario.world()
    assert world.detection.probes.interval_ns == 250_000_000
    assert world.traffic == hasim.api.prepare(WORLD).scenario.world().traffic


def test_a_second_call_does_nothing_twice(tmp_path, monkeypatch) -> None:
    """The folder has all that was done: the same again simulates nothing, and says the same."""
    from hasim.study.execution import replication

    options = {"minimise": "outage.mean", "vary": {"detection.interval": "250ms|2s"}}
    first = hasim.advise(WORLD, out=tmp_path / "run", **options, **FAST)
    monkeypatch.setattr(replication, "simulate_cell", lambda *_, **__: pytest.fail("done before"))
    again = hasim.advise(WORLD, out=tmp_path / "run", **options, **FAST)
    assert again.render("json") == first.render("json")


def test_todays_setting_is_found_or_added() -> None:
    loaded = hasim.api.prepare(WORLD)
    found = candidates(loaded, [("detection.interval", "1s|2s")])
    assert (len(found.points), found.today) == (2, 1)
    found = candidates(loaded, [("detection.interval", "1s|3s")])
    assert found.points[found.today] == {}
    usual = candidates(loaded)
    assert {"detection.interval", "detection.fall", "detection.evidence"} == set(usual.points[0])
    assert 60 <= len(usual.points) <= 120
    assert {"detection.detector": "phi-accrual"} in usual.points
    assert {"detection": {"preset": "haproxy"}} in usual.points
    assert {"failover.selection": ["freshest"]} in usual.points
    assert {"balancing.algorithm": "priority"} not in usual.points
    for_load = candidates(loaded, measures=["outage.p99", "latency.p99"])
    assert {"balancing.algorithm": "priority"} in for_load.points


def test_after_an_interruption_todays_setting_is_compared(tmp_path, monkeypatch) -> None:
    """The second round of work is interrupted: of the first it is known how today's stands."""
    from hasim.study.advising import simulated
    from hasim.study.execution.runner import StudyInterrupted, run_study

    rounds = []

    def interrupted(*arguments, **options):
        if rounds:
            raise StudyInterrupted(rounds[0])
        rounds.append(run_study(*arguments, **options))
        return rounds[0]

    monkeypatch.setattr(simulated, "run_study", interrupted)
    options = {"minimise": "outage.mean", "vary": {"detection.interval": "250ms|4s"}}
    with pytest.raises(StudyInterrupted) as caught:
        hasim.advise(WORLD, out=tmp_path / "run", **options, **{**FAST, "replications": 4})
    (told,) = caught.value.__notes__
    assert "the least outage.mean is that of detection.interval=250ms; today's" in told
    ratio, low, high = map(float, re.findall(r"[0-9.]+", told.partition("setting has ")[2])[:3])
    assert 1 < low < ratio < high


def test_what_befalls_a_system_is_no_setting() -> None:
    loaded = hasim.api.prepare(WORLD)
    for path in ("faults.0.for", "network.bursts.share", "traffic.arrivals.rate"):
        with pytest.raises(AdviceError, match="is of the world, not a setting"):
            candidates(loaded, [(path, "1|2")])


def test_false_failovers_of_independent_loss_are_refused() -> None:
    quiet = {**WORLD, "network": {"loss": "1%"}}
    with pytest.raises(AdviceError, match=r"rest on independent loss of 1% of packets each way al"):
        hasim.advise(quiet, limits=["failovers.needless < 1/y"], **FAST)
    with pytest.raises(AdviceError, match="rest on no noise at all"):
        hasim.advise({**WORLD, "network": {}}, minimise="mistakes", **FAST)
    assert (
        str(noise_of(hasim.api.prepare("noise").scenario.world())).count("faults of the kind") == 3
    )


def test_a_limit_that_no_run_could_show_is_refused_before_any() -> None:
    """With what would help: how rare faults are, or evidence whose noise is known."""
    limits = ["failovers.needless < 1/y"]
    with pytest.raises(AdviceError, match=r"none is ever seen, that takes [0-9,]+ repl") as refused:
        hasim.advise(WORLD, limits=limits, **FAST)
    assert "say how rare faults really are (projection: {mtbf: 30d}" in str(refused.value)
    stall = {"kind": "stall", "target": "a", "at": "30s", "for": "1s"}
    world = {**WORLD, "projection": {"mtbf": "365d"}, "faults": [*WORLD["faults"], stall]}
    with pytest.raises(AdviceError, match="where probes or heartbeats alone are the evidence"):
        hasim.advise(world, limits=limits, **FAST)


def test_improvements_are_worlds_of_their_own() -> None:
    loaded = hasim.api.prepare(WORLD)
    found = {one.name: one.point for one in improvements(loaded, {"detection.fall": 3})}
    assert found["checks twice as often"]["detection.interval"] == "1s"
    assert found["one more standby"]["masters"][-1]["standby"] is True
    assert "failed messages as evidence" in found
    assert all(point["detection.fall"] == 3 for point in found.values())
    worlds = [hasim.api.prepare(WORLD, overrides=p).scenario.world() for p in found.values()]
    assert all(one not in worlds[:place] for place, one in enumerate(worlds))


def estimated(value: float) -> FalseFailovers:
    """So many false failovers a year, by a stand-in for the method."""
    found = Interval(value, value / 2, value * 2, 10, "splitting")
    return FalseFailovers(found, found, 100, 0.01, "", "bursts")


RARE = {"minimise": "outage.mean", "limits": ["failovers.mistaken < 1/y"]}


def test_what_is_too_rare_for_runs_is_asked_of_another_method(monkeypatch) -> None:
    """Two checks in a row are lost 380 times a year, five in fifty years: only those keep it."""
    asked = []

    def told(world, recorded, *, seed, half_width, jobs, level):
        asked.append(world.detection.detector.fall)
        return estimated({2: 380.0, 5: 0.015}[asked[-1]])

    monkeypatch.setattr(rare, "false_failovers", told)
    advice = hasim.advise(WORLD, vary={"detection.fall": "2|5"}, **RARE, **FAST)
    assert sorted(set(asked)) == [2, 5]
    assert len(asked) <= 3, "each setting once: the two, and today's if it is another"
    standings = {advice.labels[cell]: text for cell, text in advice.standings.items()}
    assert standings["fall=2"] == "breaks a limit"
    assert standings["fall=5"] != "undecided"
    shown = advice.estimates[advice.labels.index("fall=5")]["failovers.mistaken"]
    assert (shown.value, shown.method) == (0.015, "splitting")


def test_needless_failovers_of_a_year_are_those_of_healthy_masters_and_of_projected_faults(
    monkeypatch,
) -> None:
    """88 faults in the runs, all of them too long to be cured early; one a year in reality.

    So their share is at most 1 - (half the error)^(1/88), whatever the simulated minutes say.
    """
    monkeypatch.setattr(rare, "false_failovers", lambda *_, **__: estimated(0.015))
    world = {**WORLD, "projection": {"mtbf": "17532h"}}  # of each of two masters
    options = {"minimise": "outage.mean", "limits": ["failovers.needless < 1/y"]}
    advice = hasim.advise(world, vary={"detection.fall": "1"}, **options, **FAST)
    found = advice.estimates[advice.labels.index("as it stands")]["failovers.needless"]
    level = 1 - 2 * limits.share_of_error(advice.found.decision.terms, len(advice.labels))
    most = 1 - ((1 - level) / 4) ** (1 / 88)
    assert (found.value, found.low) == (0.015, 0.0075)
    assert found.high == pytest.approx(0.03 + most)
    assert "undecided" not in advice.standings.values()


@pytest.mark.slow
def test_the_shortest_outage_at_less_than_one_needless_failover_a_year() -> None:
    """End to end: in these bursts 3 checks fail in a row 545 times a year, 8 hardly ever."""
    world = {
        **WORLD,
        "horizon": "10m",
        "projection": {"mtbf": "90d"},
        "network": {"rtt": "2ms", "bursts": {"share": "0.02%", "mean": "400ms"}},
        "detection": {"evidence": ["probe"], "interval": "1s", "fast_interval": "400ms",
                      "timeout": "300ms", "fall": 3},
    }  # fmt: skip
    options = {"minimise": "outage.p95", "limits": ["outage.p95 < 10s", "failovers.needless < 1/y"]}
    advice = hasim.advise(world, vary={"detection.fall": "3|8"}, **options, **FAST)
    standings = {advice.labels[cell]: text for cell, text in advice.standings.items()}
    assert standings == {"fall=3": "breaks a limit", "fall=8": "recommended"}


@pytest.mark.slow
def test_rare_false_failovers_decide_a_limit() -> None:
    """The real method, on bursts whose chain says 381 and 0.0151 a year for each master."""
    world = {
        **WORLD,
        "network": {"rtt": "10ms", "local_rtt": "10ms", "loss": "0.1%",
                    "bursts": {"share": "0.05%", "mean": "300ms"}},
        "detection": {"evidence": ["probe"], "interval": "2s", "fast_interval": "500ms",
                      "timeout": "500ms", "fall": 3},
    }  # fmt: skip
    advice = hasim.advise(world, vary={"detection.fall": "2|5"}, **RARE, **FAST)
    standings = {advice.labels[cell]: text for cell, text in advice.standings.items()}
    assert standings["fall=2"] == "breaks a limit"
    assert standings["fall=5"] in ("recommended", "worse", "as good", "not told apart")


def test_the_front_is_what_nothing_beats() -> None:
    def spot(rate: float, outage: float) -> Spot:
        false = Estimate("failovers.needless", "per_year", rate, rate / 2, rate * 2, 9, "")
        seen = Estimate("outage.p99", "s", outage, outage, outage, 9, "")
        return Spot("x", false, seen, outage, "undecided")

    spots = [spot(1, 9), spot(2, 5), spot(3, 6), spot(4, 2), spot(5, 2)]
    assert front(spots) == [spots[0], spots[1], spots[3]]


def test_from_the_command_line(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(json.dumps(WORLD))
    args = ["advise", "small.yaml", "--vary", "detection.interval=1s|2s", "--jobs", "1"]
    args += ["--minimise", "outage.mean", "--replications", "3", "--at-most", "3"]
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 3, done.stderr
    assert "fewer than 80 incidents were seen" in " ".join(done.output.split())
    assert (tmp_path / "hasim-runs" / "small-advice" / "pareto.png").exists()
    page = (tmp_path / "hasim-runs" / "small-advice" / "report.html").read_text()
    assert "Nothing is recommended." in page
    for more, text in (
        (["--for", "outage.p99"], "expected a limit such as"),
        (["--vary", "detection.interval=9s..1s"], "is given twice"),
        (["--indifference", "5"], "expected a percentage"),
        (["--set", "network.bursts=null", "--for", "mistakes < 1/h"], "no noise at all"),
    ):
        done = CliRunner().invoke(main, [*args, *more])
        assert (done.exit_code, text in done.stderr) == (2, True), done.stderr
