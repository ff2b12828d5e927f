"""The dashboard's page in a real browser: it follows the server, and all can use it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hasim.services.failover.lifecycle import LIFECYCLE
from hasim.watch.html.page import PHASES, page
from hasim.watch.server import Served, server
from hasim.watch.sources import Simulated
from tests import browser
from tests.report.html.conftest import HOSTILE
from tests.watch.test_sources import SCENARIO, loaded


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser.chromium() as found:
        yield found


@pytest.fixture
def served() -> Iterator[tuple[Served, str]]:
    """A world that goes on when it is told to; c is called what would like to act."""
    evil = "<img src=x onerror=document.title='taken'>\u202e"
    masters = [*SCENARIO["masters"][:2], {"id": "c", "like": "a", "region": evil}]
    source = Simulated(loaded(masters=masters, failover={"delay": "2s"}))
    source.title = HOSTILE
    made = Served(source, 1.0, 0.0)
    with server(made, 0) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield made, f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()
    source.close()


@pytest.fixture
def windows(chromium: Any, served: tuple[Served, str]) -> Iterator[browser.Windows]:
    found = browser.Windows(chromium, served[1])
    yield found
    found.close()
    assert found.said == []


def go_on(made: Served, window: Any, to_s: float) -> None:
    """The world goes on, and the page has seen it."""
    made.go_on(to_s - made.picture().now_s)
    window.wait_for_selector(f"html[data-now='{to_s:g}']", timeout=30_000)


def test_it_follows_a_failover(windows, served):
    made, address = served
    made.go_on(15.0)
    window = windows.open(address)
    row = window.locator("#masters tbody tr", has_text="a").first
    assert "healthy" in row.inner_text()
    owner = window.locator("#masters tbody tr").nth(0).locator("td").nth(7)
    assert "p1" in owner.inner_text()
    go_on(made, window, 24.5)
    struck = window.locator("#masters tbody tr").nth(0).inner_text()
    assert "failed" in struck
    assert "hang" in struck
    phase = made.picture().board["failovers"][0]["state"]
    assert window.locator("#phases .now").inner_text().startswith(phase)
    assert "a" in window.inner_text("#failovers")
    assert "critical" in window.inner_text("#alerts")
    assert "a failed (unreachable)" in window.inner_text("#said")
    newest, *_ = reversed(made.picture().news)
    assert newest[2] in window.locator("#news li").first.inner_text()
    go_on(made, window, 90.0)
    assert window.inner_text("#state") == "at its end"
    assert window.locator("#phases .now").count() == 0
    assert "1 completed" in window.inner_text("#ended")
    # The strip of a: nothing is known at first, then in trouble, then healthy again.
    strip = window.locator("#masters tbody tr").nth(0).locator("svg rect")
    states = strip.evaluate_all("them => them.map((one) => one.getAttribute('class'))")
    assert states[0] == "unknown"
    assert "failed" in states


def test_it_begins_with_what_was(windows, served):
    made, address = served
    for _ in range(9):
        made.go_on(4.0)
    assert [at for at, _ in made.courses()] == [4.0 * k for k in range(10)]
    window = windows.open(address)
    line = window.locator("#masters svg polyline").first.get_attribute("points")
    assert len(line.split()) == 10


def test_numbers_are_those_of_the_monitor(windows, served):
    made, address = served
    made.go_on(40.0)
    window = windows.open(address)
    shown = made.picture()
    for place, one in enumerate(shown.masters):
        cells = window.locator("#masters tbody tr").nth(place).locator("td").all_inner_texts()
        assert cells[2:6] == [
            f"{one.suspicion:.2f}", f"{one.in_flight:,}", f"{one.answered:,}", f"{one.failed:,}",
        ]  # fmt: skip
    sla = shown.board["sla"]
    assert window.inner_text("#uptime") == f"{sla['uptime'] * 100:.1f} %"
    assert window.inner_text("#objective") == "99.99 % kept"


def test_hold_stops_what_moves(windows, served):
    made, address = served
    window = windows.open(address)
    window.focus("#hold")
    window.keyboard.press("Enter")
    assert window.get_attribute("#hold", "aria-pressed") == "true"
    before = window.inner_text("#clock")
    made.go_on(5.0)
    window.wait_for_timeout(1200)
    assert window.inner_text("#clock") == before
    window.keyboard.press("Enter")
    window.wait_for_selector("html[data-now='5']", timeout=30_000)
    assert window.inner_text("#clock") != before


@pytest.mark.parametrize(("width", "dark"), browser.SIZES)
def test_all_can_use_it(windows, served, width, dark):
    made, address = served
    made.go_on(24.5)
    window = windows.open(address, width=width, dark=dark)
    assert browser.violations(window) == []
    assert window.evaluate("document.documentElement.scrollWidth") <= width
    assert window.evaluate("document.querySelectorAll('img, b').length") == 0
    assert window.title().startswith("</script><script>")
    window.keyboard.press("Tab")
    assert window.evaluate("document.activeElement.className") == "skip"


def test_a_server_that_is_gone_is_told_of(chromium):
    source = Simulated(loaded())
    with server(Served(source, 1.0, 0.0), 0) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        window = chromium.new_page()
        window.goto(f"http://127.0.0.1:{http.server_port}/")
        window.wait_for_selector("html[data-ready=yes]")
        http.shutdown()
    window.wait_for_selector("html[data-state='no answer; asking again']", timeout=30_000)
    window.close()
    source.close()


def test_phases_are_those_of_the_lifecycle():
    assert set(PHASES) == {state for row in LIFECYCLE.values() for state in row.values()} - {
        "completed", "cancelled", "failed",
    }  # fmt: skip
    assert "<script>document" not in page("</title><script>document")
