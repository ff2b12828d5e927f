"""What clients add to an outage is shown by cause: table, sheet, story, phases of an outage."""

from __future__ import annotations

import re

import pytest

import hasim
from hasim.findings import losses
from hasim.findings.waiting import waiting_sheet

SCENARIO = {
    "name": "behind-a-name",
    "horizon": "3m",
    "replications": 3,
    "masters": [{"id": "a", "priority": 1}, {"id": "b", "priority": 2}],
    "network": {"rtt": "1ms"},
    "traffic": {
        "arrivals": {"law": "poisson", "rate": "20/s"},
        "owned": "50%",
        "hold": {"most": 1000},
        "clients": {"number": 10, "dns": {"ttl": "20s"}},
    },
    "detection": {"interval": "2s", "timeout": "500ms", "fall": 2},
    "failover": {"fencing": "none"},
    "promotion": {"duration": "2s"},
    "faults": [{"kind": "crash", "target": "a", "at": "40s", "for": "1m"}],
    "vary": {"traffic.clients.dns.ttl": ["20s", "10s"]},
}


@pytest.fixture(scope="module")
def result() -> hasim.Result:
    return hasim.run(SCENARIO, progress=None, jobs=1)


def test_each_cause_is_a_measure_and_a_column(result: hasim.Result) -> None:
    summary = result.summary().set_index(["cell", "measure"]).value
    for cell, _ in result.cells:
        parts = [summary[cell, f"follow.{part}"] for part in ("name", "pool", "stay", "pause")]
        assert summary[cell, "follow.mean"] == pytest.approx(sum(parts))
        assert parts[1:3] == [0.0, 0.0]
        assert summary[cell, "held.mean"] > 0
    assert summary[0, "follow.name"] > summary[1, "follow.name"] > 0
    sheet = waiting_sheet(result.cells, result.estimates)
    assert sheet is not None
    assert [column.key for column in sheet.columns[1:]] == [
        "follow.mean", "follow.name", "follow.pause", "follow.most", "held.mean", "held.most",
    ]  # fmt: skip
    assert "of it by" in result.render("table")


def test_each_row_answers_to_the_incident(result: hasim.Result) -> None:
    followed, held = result.followed, result.held
    assert set(followed.partition) == {"", "p1"}
    assert followed.incident.eq(1).all()
    assert held.incident.eq(1).all()
    assert (held.most_s < 10).all()


def test_the_story_tells_of_those_that_follow_and_of_what_was_held(result: hasim.Result) -> None:
    text = str(result.explain(1))
    assert re.search(
        r"the last of \d+ clients of local sends messages of p1 to its new owner", text
    )
    assert re.search(r"local sends \d+ messages of p1 that it has held for", text)
    times = [line.t_ns for line in result.explain(1).lines]
    assert times == sorted(times)


def test_the_phases_of_an_outage_go_on_with_the_clients(result: hasim.Result) -> None:
    """Each is the mean over incidents of the mean over clients."""
    phases = losses.phases(result)
    frame = result.followed
    for (cell, _), own in zip(result.cells, phases.values(), strict=True):
        sums = frame[frame.cell == cell].groupby("replication")[["clients", "name_s"]].sum()
        assert own["names"] == pytest.approx((sums.name_s / sums.clients).mean())
        assert own["promoting"] > 0
        assert own["pools"] == 0.0


def test_where_clients_ask_for_each_message_nothing_is_shown() -> None:
    traffic = {key: SCENARIO["traffic"][key] for key in ("arrivals", "owned")}
    plain = {**SCENARIO, "traffic": traffic, "vary": {}, "replications": 1}
    result = hasim.run(plain, progress=None, jobs=1)
    assert waiting_sheet(result.cells, result.estimates) is None
    assert result.followed.empty
    assert losses.phases(result)["as written"]["names"] == 0.0
