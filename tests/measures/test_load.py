from __future__ import annotations

import dataclasses
import json

import pytest

from hasim.appended import write
from hasim.events import AlertChanged, DrainMaster, SendProbe
from hasim.journal import read
from hasim.measures import ROWS, Measured, measure
from hasim.measures.balance import (
    INDICES,
    coefficient_of_variation,
    jain_index,
    peak_to_mean,
)
from hasim.model import Cause, Severity
from hasim.stored import StoredError
from hasim.truth import (
    AttemptRollup,
    ClientRollup,
    ClientsFollowed,
    KeysMoved,
    LatencySketch,
    LoadBlock,
    LoadSample,
    MessagesHeld,
    QueueRollup,
    TrafficRollup,
    UserMinute,
    WritesHeld,
)
from tests.measures.story import Story, happy


def test_jains_index_and_its_like() -> None:
    """Jain, Chiu, Hawe 1984: k of n users served equally gives k/n."""
    assert jain_index([5, 5, 5, 5]) == 1
    assert jain_index([3, 3, 0, 0]) == 0.5
    assert jain_index([1, 2, 3]) == pytest.approx(36 / (3 * 14))
    assert peak_to_mean([1, 2, 3]) == 1.5
    assert coefficient_of_variation([2, 4, 4, 4, 5, 5, 7, 9]) == pytest.approx(2 / 5)
    assert jain_index([0, 0]) is peak_to_mean([0]) is coefficient_of_variation([]) is None


def busy() -> Story:
    story = Story()
    for start_s in (0, 10):
        start_ns = start_s * 10**9
        story.truth(100, TrafficRollup(start_ns, "a", "ordinary", "ok", 50, 45, 60))
        story.truth(100, TrafficRollup(start_ns, "b", "ordinary", "timeout", 10, 0, 20))
    story.truth(100, TrafficRollup(90 * 10**9, "b", "vip", "ok", 4, 4, 4, settled=False))
    story.truth(100, TrafficRollup(90 * 10**9, "b", "vip", "in_flight", 3, 0, 3, settled=False))
    story.truth(100, AttemptRollup("a", Cause.OK, 100))
    story.truth(100, AttemptRollup("a", Cause.TIMEOUT, 20))
    story.truth(100, AttemptRollup("b", Cause.OK, 4))
    story.truth(100, AttemptRollup("b", Cause.TIMEOUT, 36))
    story.truth(100, LatencySketch("ordinary", 0.01, ((900, 900, 100),)))
    story.truth(100, LatencySketch("vip", 0.01, ((800, 800, 4),)))
    for number in range(50):
        story.tell(number, "effect", SendProbe("c" if number % 5 else "a", number))
    return story


def test_messages_are_summed_and_the_unsettled_kept_apart() -> None:
    rows = measure(busy().journal()).messages
    assert [(m.klass, m.outcome, m.settled, m.messages, m.in_time, m.attempts) for m in rows] == [
        ("ordinary", "ok", True, 100, 90, 120),
        ("ordinary", "timeout", True, 20, 0, 40),
        ("vip", "in_flight", False, 3, 0, 3),
        ("vip", "ok", False, 4, 4, 4),
    ]


def test_load_over_masters() -> None:
    measured = measure(busy().journal())
    assert [(m.attempts, m.answered, m.failed, m.probes) for m in measured.masters] == [
        (120, 100, 20, 10),
        (40, 4, 36, 0),
        (0, 0, 0, 40),
    ]
    load = measured.load
    assert load.jain == pytest.approx(160**2 / (3 * (120**2 + 40**2)))
    assert load.peak_to_mean == pytest.approx(120 / (160 / 3))
    assert load.least_to_mean == 0
    assert load.goodput_per_s == pytest.approx(0.94)
    assert measured.balance.offered_per_s == pytest.approx(1.27)
    assert measured.balance.attempts_per_s == pytest.approx(1.6)
    assert measured.balance.throughput_per_s == pytest.approx(1.04)
    assert load.probes_per_s == 0.5
    assert load.check_bytes_per_s == 0.5 * (9 * 40 + 22 + 19)  # packets of TCP, request, answer


def test_a_bigger_master_may_take_more() -> None:
    story = busy()
    for master, workers in zip(story.header["cluster"]["masters"], (6, 2, 2), strict=True):
        master["workers"] = workers
    story.truth(100, AttemptRollup("c", Cause.OK, 40))
    assert measure(story.journal()).load.jain == pytest.approx(1)


def test_alerts() -> None:
    story = Story()
    story.event(10, AlertChanged(1, "master:a", Severity.WARNING, "suspect"))
    story.event(12, AlertChanged(1, "master:a", Severity.CRITICAL, "failed"))
    story.event(15, AlertChanged(2, "sla", Severity.WARNING, "budget"))
    story.event(30, AlertChanged(1, "master:a", Severity.RESOLVED, "clear"))
    first, second = measure(story.journal()).alerts
    assert (first.severity, first.raised_at_s, first.resolved_at_s) == ("critical", 10, 30)
    assert (second.severity, second.resolved_at_s, second.text) == ("warning", None, "budget")


def full() -> Story:
    story = busy()
    story.fault(1, "a", 10, 80)
    story.down(10, "p1")
    story.declare("a", 13)
    happy(story, 1, "a", [13, 13, 15, 15, 16, 17, 18])
    story.up(17.5, "p1", "b")
    story.declare("c", 50, until_s=60)
    story.event(13, AlertChanged(1, "master:a", Severity.CRITICAL, "failed"))
    story.tell(20, "input", DrainMaster("b"))
    story.truth(20, LoadSample((1, 2, 3), 0))
    story.truth(21, LoadSample((4, 5, 6), 1))
    story.truth(100, WritesHeld("p1", 40, 40))
    story.truth(20, KeysMoved("west", "maglev", 100, 30, 0, 2, 1 / 3))
    story.truth(100, ClientRollup("west", 3))
    story.truth(100, ClientsFollowed("west", "", "p1", 17, 3, 9, 4, 3, 2, 1))
    story.truth(100, MessagesHeld("west", "p1", 17, 2, 9, 7))
    story.truth(100, LoadBlock(0, (), (), 127, 94, 167, (120, 40, 0)))
    story.truth(100, UserMinute(0, 60, 0))
    story.truth(100, QueueRollup("a", 9, 4, 5, 6))
    return story


def test_rows_survive_json_and_a_journal_survives_its_file(tmp_path) -> None:
    journal = full().journal()
    measured = measure(journal)
    plain = json.loads(json.dumps(measured.to_plain()))
    assert Measured.from_plain(plain) == measured
    for name in ROWS:
        assert plain[name] or name == "tiers", name  # there is but one
    write(journal, tmp_path / "run.jsonl.gz")
    assert measure(read(tmp_path / "run.jsonl.gz")) == measured


def test_plain_data_are_what_the_standard_library_makes_of_the_rows() -> None:
    measured = measure(full().journal())
    odd = dataclasses.replace(measured, leaderless_s=3, cell={"a": [1, 2.5, {"b": None}], "c": ()})
    for one in (measured, odd):
        assert repr(one.to_plain()) == repr(dataclasses.asdict(one))


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("colour", "red", "incidents.0.colour: unknown field"),
        ("detection_s", [1.0], "incidents.0.detection_s: expected a valid number"),
        ("detection_s", "1", "incidents.0.detection_s: expected a valid number"),
        ("detection_s", float("nan"), "incidents.0.detection_s: expected a finite number"),
        ("master", None, "incidents.0.master: expected a valid string"),
    ],
)
def test_columns_that_are_unknown_or_of_another_type_are_refused(column, value, said) -> None:
    plain = measure(full().journal()).to_plain()
    plain["incidents"][0][column] = value
    with pytest.raises(StoredError) as caught:
        Measured.from_plain(plain)
    assert str(caught.value) == said


RATIOS = {"uptime", "ideal", *INDICES}


def test_every_column_says_its_unit_or_is_a_count() -> None:
    """Times are floats and say seconds; nothing is left in nanoseconds."""
    for name, rows in measure(full().journal()).to_plain().items():
        for row in rows if name in ROWS else ():
            for column, value in row.items():
                assert not column.endswith("_ns")
                if isinstance(value, float):
                    assert column.endswith("_s") or column in RATIOS, (name, column)
