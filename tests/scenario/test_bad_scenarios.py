"""Everything wrong is told with file, line, field and, where one is near, the right name."""

import os
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from hasim.scenario.catalogue import find
from hasim.scenario.loader import load
from hasim.scenario.problems import ScenarioError

from .conftest import GOOD


def only(problems):
    assert len(problems) == 1, [str(p) for p in problems]
    return problems[0]


def said(problems):
    """(line, field, message) of each problem."""
    return [(p.line, p.field, p.message) for p in problems]


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "message"),
    [
        # the value's own form
        ("interval: 5s", "intervall: 5s", 9, "detection.intervall",
         "unknown key; did you mean interval?"),
        ("interval: 5s", "interval: 5", 9, "detection.interval",
         "expected a duration such as 30s, got 5"),
        ("interval: 5s", "interval: 5 sec", 9, "detection.interval",
         "expected a duration such as 250ms, 30s or 1h30m (units ns, us, ms, s, m, h, d), "
         "got '5 sec'"),
        ("interval: 5s", "interval: 64MiB", 9, "detection.interval",
         "expected a duration such as 250ms, 30s or 1h30m (units ns, us, ms, s, m, h, d), "
         "got '64MiB'"),
        ("interval: 5s", "interval: 0s", 9, "detection.interval",
         "must be greater than 0s, got 0s"),
        ("detection:", "traffic: {arrivals: {rate: -5/s}}\ndetection:", 8,
         "traffic.arrivals.rate", "must not be negative, got '-5/s'"),
        ("detection:", "traffic: {arrivals: {rate: 0/s}}\ndetection:", 8,
         "traffic.arrivals.rate", "must be greater than 0/s, got 0/s"),
        ("at: 1m", "at: {law: unifrom, low: 1m, high: 2m}", 7, "faults.0.at.law",
         "unknown law 'unifrom'; did you mean uniform? "
         "(possible: constant, uniform, exponential, lognormal, weibull)"),
        ("detection:", "expect: {detection_tme.p99: < 5s}\ndetection:", 8,
         "expect.detection_tme.p99", "unknown key; did you mean detection_time.p99?"),
        ("detection:", "expect: {uptime: < 5s}\ndetection:", 8, "expect.uptime",
         'expected a limit such as ">= 99.99%", got \'< 5s\''),
        ("detection:", "balancing: {algorithm: round-robbin}\ndetection:", 8,
         "balancing.algorithm", "unknown value 'round-robbin'; did you mean round-robin?"),
        ("horizon: 5m", "horizon:", 2, "horizon", "expected a duration such as 30s, got nothing"),
        ("horizon: 5m\n", "", 1, "horizon", "is required and missing"),
        ("detection:", "detektion:", 8, "detektion", "unknown key; did you mean detection?"),
        ("detection:", "replications: 0\ndetection:", 8, "replications",
         "must be at least 1, got 0"),
        # names that must exist, values that must fit
        ("id: iad-1", "id: ams-1", 5, "masters.1.id", "'ams-1' is named twice (also masters.0)"),
        ("id: iad-1", "id: random", 5, "masters.1.id",
         "expected a name of letters, digits, '_' and '-' (not only digits, and none of random, "
         "each, all), got 'random'"),
        ("target: ams-1", "target: asm-1", 7, "faults.0.target",
         "no master 'asm-1'; did you mean ams-1?"),
        ("target: ams-1", "target: [ams-1, random]", 7, "faults.0.target.1",
         "'random' stands alone, not in a list"),
        ("target: ams-1", "target: owner-of:p3", 7, "faults.0.target",
         "no such partition in 'owner-of:p3'; there are p1 to p2"),
        ("target: ams-1", "target: region:wset", 7, "faults.0.target",
         "no master is in region 'wset'; did you mean west?"),
        ("kind: crash", "kind: region-outage", 7, "faults.0.target",
         "a region outage strikes region:NAME or random"),
        ("at: 1m", "at: 5m", 7, "faults.0.at.0", "lies beyond the end of the run (5m, horizon 5m)"),
        ("at: 1m", "at: 1m, every: 5m", 7, "faults.0",
         "needs exactly one of at, every and schedule, got at and every"),
        (", at: 1m", "", 7, "faults.0",
         "needs exactly one of at, every and schedule, got none"),
        (", at: 1m", ", every: 0s", 7, "faults.0.every", "must be longer than 0s on average"),
        (", at: 1m", ", every: 1us, for: 1us", 7, "faults.0.every",
         "strikes 2e+08 times in a run; the most is 1e+06"),
        ("detection:", "traffic: {arrivals: {rate: 1e9/s}}\ndetection:", 8,
         "traffic.arrivals.rate", "makes 3e+11 messages; the most is 1e+08"),
        ("at: 1m", "at: 1m, for: 0s", 7, "faults.0.for", "must be longer than 0s on average"),
        ("at: 1m", "at: {law: uniform, low: 2m, high: 1m}", 7, "faults.0.at.0.low",
         "2m is more than high, 1m"),
        ("crash", "slow, speed: 0%", 7, "faults.0.speed",
         "must be greater than 0% (a speed of zero is the kind hang)"),
        ("interval: 5s", "interval: 200ms\n  timeout: 100ms", 8, "detection.fast_interval",
         "is longer than the interval, 200ms"),
        ("interval: 5s", "fast_interval: 31s", 9, "detection.fast_interval",
         "is longer than the interval, 30s"),
        ("interval: 5s", "evidence: []", 9, "detection.evidence", "needs at least one value"),
        ("detection:", "traffic: {timeout: 6s, connect_timeout: 6s}\ndetection:", 8,
         "traffic.connect_timeout", "is not shorter than traffic.timeout, 6s"),
        ("detection:", "traffic: {clients: {number: 5}}\ndetection:", 8, "traffic.clients",
         "needs dns, connections, or both: without, clients keep nothing"),
        ("detection:", "traffic: {retry: {on: [refuse]}}\ndetection:", 8, "traffic.retry.on.0",
         "unknown value 'refuse'; did you mean refused?"),
        ("detection:", "traffic: {clients: {dns: {tll: 60s}}}\ndetection:", 8,
         "traffic.clients.dns.tll", "unknown key; did you mean ttl?"),
        ("detection:", "observer: {region: wst}\ndetection:", 8, "observer.region",
         "no master or client is in 'wst'; did you mean west?"),
        ("name: small", "name: a/b", 1, "name",
         "expected letters, digits, '.', '_' and '-', got 'a/b'"),
        ("detection:", 'expect: {uptime.renewal_reward: ">= 99%"}\ndetection:', 8,
         "expect.uptime.renewal_reward", "needs a projection, such as {mtbf: 30d, period: 30d}"),
        # what is varied
        ("detection:", "vary: {balancing.algoritm: [geo]}\ndetection:", 8,
         "balancing.algoritm", "unknown key; did you mean algorithm?"),
        ("detection:", "vary: {blancing.algorithm: [geo]}\ndetection:", 8,
         "vary.blancing.algorithm", "unknown key; did you mean balancing?"),
        ("detection:", "vary: {seed: [1, 2]}\ndetection:", 8, "vary.seed", "cannot be varied"),
        ("detection:", "vary: {detection.fall: []}\ndetection:", 8, "vary.detection.fall",
         "needs at least one value"),
        ("detection:", "vary:\n  detection.fall:\n    - 2\n    - two\ndetection:", 11,
         "detection.fall", "expected a whole number such as 3, got 'two'"),
        ("detection:", "vary: {faults.1.kind: [hang]}\ndetection:", 8, "faults.1.kind",
         "faults has no item 1; it has 1, counted from 0"),
        ("detection:", "vary: {masters.ams1.workers: 3}\ndetection:", 8, "masters.ams1.workers",
         "masters has no 'ams1'; did you mean ams-1?"),
        ("detection:", "vary: {detection.fall: [2, 2]}\ndetection:", 8, "vary.detection.fall.1",
         "2 is given twice"),
        # like
        ("{id: iad-1, region: east}", "{id: iad-1, like: ams}", 5, "masters.1.like",
         "no master 'ams'; did you mean ams-1?"),
        ("{id: ams-1, region: west}", "{id: ams-1, region: west, like: ams-1}", 4,
         "masters.0.like", "goes round in a circle: ams-1 -> ams-1"),
        # YAML
        ("interval: 5s", "interval: 5s\n  interval: 6s", 10, "interval", "given twice"),
        ("{id: iad-1, region: east}", "{id: iad-1, id: x}", 5, "id", "given twice"),
        ("interval: 5s", "interval: !!python/object:os.system 5s", 9, "detection.interval",
         "tags (!) are not understood here"),
        ("interval: 5s", "7: 5s", 9, "detection.7",
         "expected text as a key; write it in quotes"),
        ("horizon: 5m", "horizon: 2024-01-01", 2, "horizon",
         "expected a duration such as 250ms, 30s or 1h30m (units ns, us, ms, s, m, h, d), "
         "got '2024-01-01'"),
    ],
)  # fmt: skip
def test_one_problem(problems_of, write, old, new, line, field, message) -> None:
    assert old in GOOD
    problem = only(problems_of(GOOD.replace(old, new, 1)))
    assert (problem.line, problem.field, problem.message) == (line, field, message)
    assert problem.file.endswith("file.yaml")
    assert str(problem) == f"{problem.file}:{line}: {field}: {message}"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "is empty"),
        ("# nothing\n", 1, "is empty"),
        ("just a text", 1, "expected settings (key: value), not a single value"),
        ("- a\n- b\n", 1, "expected settings (key: value), not a list"),
        ("masters: [1,\n  2", 2, "not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: 1\nexpect:\n  uptime: >= 99%\n", 3,
         "not valid YAML: expected chomping or indentation indicators, but found '=' "
         '(write a value that begins with a sign in quotes: ">= 99.99%")'),
        ("description: this: that\n", 1,
         "not valid YAML: mapping values are not allowed here (write a text that contains "
         '": " in quotes)'),
        ("a:\n\tb: 1\n", 2,
         "not valid YAML: found character '\\t' that cannot start any token "
         "(indent with spaces, not with tabs)"),
        ("a: \x00\n", None,
         "not valid YAML: unacceptable character #x0000: special characters are not allowed"),
    ],
)  # fmt: skip
def test_what_is_no_scenario_at_all(problems_of, text, line, message) -> None:
    problem = only(problems_of(text))
    assert (problem.line, problem.message) == (line, message)


def test_a_binary_file(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ScenarioError, match=r"file\.yaml: is not a text file in UTF-8"):
        load(path)


def test_a_missing_file_and_a_folder(write, tmp_path: Path) -> None:
    write(GOOD)
    with pytest.raises(ScenarioError, match=r"fil\.yaml: no such file; did you mean .*file\.yaml"):
        load(tmp_path / "fil.yaml")
    with pytest.raises(ScenarioError, match="cannot be read: it is a folder"):
        load(tmp_path)


def test_no_masters(problems_of) -> None:
    text = "name: x\nhorizon: 5m\nmasters: []\n"
    assert said(problems_of(text)) == [(3, "masters", "needs at least one master")]
    text = "name: x\nhorizon: 5m\n"
    assert said(problems_of(text)) == [(1, "masters", "needs at least one master")]


def test_all_problems_at_once_in_order_of_lines(problems_of) -> None:
    text = GOOD.replace("interval: 5s", "intervall: 5s\n  fall: none").replace("5m", "5")
    text = text.replace("kind: crash", "kind: crsh").replace("id: ams-1", "id: 5")
    assert [(p.line, p.field) for p in problems_of(text)] == [
        (2, "horizon"),
        (4, "masters.0.id"),
        (7, "faults.0.kind"),
        (9, "detection.intervall"),
        (10, "detection.fall"),
    ]


def test_a_copied_mistake_is_told_once_where_it_was_written(problems_of) -> None:
    text = GOOD.replace("region: west}", "region: west, workers: many}")
    text = text.replace("region: east}", "like: ams-1}\n  - {id: c, like: iad-1}")
    assert said(problems_of(text)) == [
        (4, "masters.0.workers", "expected a whole number such as 3, got 'many'")
    ]


def test_a_circle_of_likes(problems_of) -> None:
    text = GOOD.replace("region: west", "like: iad-1").replace("region: east", "like: ams-1")
    assert [p.message for p in problems_of(text)] == [
        "goes round in a circle: ams-1 -> iad-1 -> ams-1",
        "goes round in a circle: iad-1 -> ams-1 -> iad-1",
    ]


def test_a_mistake_in_every_cell_is_told_once(problems_of) -> None:
    text = GOOD + "  fal: 2\nvary: {balancing.algorithm: [geo, priority, round-robin]}\n"
    assert len(problems_of(text)) == 1


def test_a_combination_that_does_not_fit(problems_of) -> None:
    text = GOOD + "vary:\n  detection.interval:\n    - 5s\n    - 100ms\n"
    found = problems_of(text)
    assert {p.message for p in found} == {"is longer than the interval, 100ms"}
    assert {p.field for p in found} == {"detection.fast_interval"}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("detection.intervall", "5s", "detection.intervall: unknown key; did you mean interval?"),
        ("detektion.interval", "5s", "detektion: unknown key; did you mean detection?"),
        ("detection.fall", "none", "detection.fall: expected a whole number such as 3, got 'none'"),
        ("masters.ams1.workers", "3", "masters has no 'ams1'; did you mean ams-1?"),
        ("faults.3.kind", "hang", "faults has no item 3; it has 1, counted from 0"),
        ("horizon.length", "3", "horizon is '5m' and has no settings of its own; set horizon as "
         "a whole"),
        ("detection..fall", "3", "'detection..fall' is no path such as detection.interval"),
        ("detection.fall", "[3", "'[3' is not valid YAML"),
        ("faults.0.target", "ams", "faults.0.target: no master 'ams'; did you mean ams-1?"),
        ("expect.uptme", ">= 99%", "expect.uptme: unknown key; did you mean uptime?"),
        ("expect.uptme", "< 99%", "expect.uptme: unknown key; did you mean uptime?"),
    ],
)  # fmt: skip
def test_bad_overrides_name_themselves(problems_of, path, value, message) -> None:
    problem = only(problems_of(GOOD, (path, value)))
    assert str(problem) == f"--set {path}={value}: {message}"
    assert problem.line is None


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{this}: &{this} [{', '.join([f'*{last}'] * 10)}]\n" for last, this in pairwise("abcdefgh")
)
MERGES = "a: &a {{{}}}\nb: [{}]\n".format(
    ", ".join(f"k{n}: 1" for n in range(1000)), ", ".join(["{<<: *a}"] * 120)
)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (BOMB, None, "its aliases (*name) stand for more than 100,000 values"),
        (MERGES, None, "its aliases (*name) stand for more than 100,000 values"),
        ("name: " + "[" * 400 + "]" * 400, None, "is nested too deeply"),
    ],
)
def test_yaml_out_of_bounds(problems_of, text, line, message) -> None:
    problem = only(problems_of(text))
    assert (problem.line, problem.field, problem.message) == (line, "", message)


def test_a_grid_of_too_many_cells_is_refused_before_it_is_built(problems_of) -> None:
    values = ", ".join(map(str, range(1, 101)))
    axes = [f"{path}: [{values}]" for path in ("detection.fall", "detection.rise")]
    axes.append(f"masters.iad-1.workers: [{values}, 101]")
    grid = f"vary: {{{', '.join(axes)}}}\ndetection:"
    problem = only(problems_of(GOOD.replace("detection:", grid, 1)))
    assert (problem.line, problem.field) == (8, "vary")
    assert problem.message == (
        "makes 1,010,000 cells (every combination is one); the most is 1,000,000"
    )


def test_a_number_too_large_for_64_bits(problems_of) -> None:
    big = "9" * 400
    problem = only(problems_of(GOOD.replace("detection:", f"seed: {big}\ndetection:", 1)))
    assert problem.message == f"too large: {big}"


@pytest.mark.parametrize("limit", [">= 99%", "> 99%", "<= 0.5", "<1"])
def test_a_limit_after_set_needs_no_quotes(write, limit) -> None:
    loaded = load(write(GOOD), [("expect.uptime", limit)])
    assert [str(item) for item in loaded.scenario.expect] == [f"uptime {limit}"]


def test_a_folder_is_no_scenario(write) -> None:
    file = write(GOOD)
    with pytest.raises(ScenarioError, match=r"is a folder, expected a scenario file; in it: file"):
        find(file.parent)


def test_a_pipe_is_read_like_a_file(tmp_path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(GOOD,))
    writer.start()
    loaded = load(find(pipe))
    writer.join()
    assert loaded.scenario.name == "small"


def test_a_pipe_that_nobody_writes_to_and_a_device_are_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("hasim.stored.PATIENCE_S", 0.05)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ScenarioError, match="it is a pipe that nobody writes to"):
        load(tmp_path / "pipe")
    with pytest.raises(ScenarioError, match="it is no regular file"):
        load(Path("/dev/zero"))


def test_a_file_that_is_too_large_is_not_parsed(tmp_path) -> None:
    (tmp_path / "big.yaml").write_bytes(b"#" * (17 * 2**20))
    with pytest.raises(ScenarioError, match="has more than 16 MiB"):
        load(tmp_path / "big.yaml")
