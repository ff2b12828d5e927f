"""The page of a run in a real browser: it sorts, zooms, tells of incidents, and harms nobody."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from hasim.report.html.fronts import pareto_chart
from hasim.report.html.page import Page, Section, html_page
from hasim.report.pareto import Spot
from hasim.study.estimates.estimate import Estimate
from tests.browser import SIZES, violations
from tests.findings.examples import REPORT, budget_cell, budgets
from tests.report.html.conftest import EVIL, HOSTILE


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(Path(path).read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize(("width", "dark"), SIZES)
def test_all_can_use_it(visit, page, width, dark):
    window = visit(page, width=width, dark=dark)
    assert violations(window) == []
    assert window.evaluate("document.documentElement.scrollWidth") <= width


def test_names_do_not_act(visit, page):
    window = visit(page)
    assert window.title().startswith("</script><script>")
    assert window.evaluate("document.querySelectorAll('img, b').length") == 0
    shown = window.inner_text("h1")
    assert shown == HOSTILE.replace("\u202e", "\\u202e")
    assert EVIL in window.inner_text("#incidents")
    for button in window.locator("[data-apart]").all():
        button.click()
    window.locator("[data-incident]").first.click()
    window.wait_for_selector("#incident .chart svg")
    assert window.evaluate("document.querySelectorAll('img, b').length") == 0
    assert window.title().startswith("</script><script>")


def test_a_heading_sorts_its_table(visit, page):
    window = visit(page)
    table = window.locator("table", has_text="uptime").first
    heading = table.locator("thead th", has_text="uptime")

    def values() -> list[float]:
        place = heading.evaluate("head => head.cellIndex")
        return table.evaluate(
            "(table, k) => [...table.tBodies[0].rows].map((r) => Number(r.cells[k].dataset.value))",
            place,
        )

    heading.locator("button").focus()
    window.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    up = values()
    assert up == sorted(up)
    assert len(set(up)) >= 2
    window.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert values() == up[::-1]


def test_the_theme_is_chosen(visit, page):
    window = visit(page, dark=True)
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = window.evaluate(paper)
    window.select_option("#theme", "light")
    assert window.evaluate(paper) == "rgb(255, 255, 255)" != dark
    window.select_option("#theme", "auto")
    assert window.evaluate(paper) == dark
    window.emulate_media(media="print")
    assert window.evaluate(paper) == "rgb(255, 255, 255)"


def test_the_time_axis_zooms_by_button_and_key(visit, page):
    window = visit(page)
    box = window.locator(".timeline")

    def shown() -> tuple[float, float]:
        return float(box.get_attribute("data-from")), float(box.get_attribute("data-to"))

    def ticks() -> list[str]:
        return box.locator("svg").last.locator(".role-axis-label text").all_text_contents()

    start, end = shown()
    before = ticks()
    window.click("[data-act=in]")
    window.wait_for_timeout(300)
    assert shown()[1] - shown()[0] == pytest.approx((end - start) / 2)
    assert sum(shown()) == pytest.approx(start + end)
    assert ticks() != before
    box.focus()
    window.keyboard.press("-")
    assert shown() == pytest.approx((start, end))
    window.keyboard.press("ArrowRight")
    assert shown()[0] == pytest.approx(start + (end - start) / 4)
    window.keyboard.press("0")
    assert shown()[0] <= start
    assert shown()[1] >= end


def test_dragging_moves_the_time_axis(visit, page):
    window = visit(page)
    box = window.locator(".timeline")

    def shown() -> tuple[float, float]:
        return float(box.get_attribute("data-from")), float(box.get_attribute("data-to"))

    start, end = shown()
    lanes = box.locator("svg").last
    lanes.scroll_into_view_if_needed()
    place = lanes.bounding_box()
    x, y = place["x"] + place["width"] * 0.7, place["y"] + 9
    marked = window.locator("ol.story li.now").count()
    window.mouse.move(x, y)
    window.mouse.down()
    window.mouse.move(x - 100, y, steps=5)
    window.mouse.move(x - 200, y, steps=5)
    window.mouse.up()
    # What lay under the pointer has moved with it: 200 pixels of an axis that is so wide.
    width = window.evaluate(
        "document.querySelectorAll('.timeline svg')[1].querySelector('.background').getBBox().width"
    )
    assert shown()[0] - start == pytest.approx(200 / width * (end - start), rel=0.02)
    assert shown()[1] - shown()[0] == pytest.approx(end - start)
    assert window.locator("ol.story li.now").count() == marked  # a drag is no click
    window.mouse.move(x, y)
    moved = shown()
    window.mouse.move(x - 50, y)
    assert shown() == moved  # it was let go
    window.click("[data-act=whole]")
    whole = shown()
    window.keyboard.down("Control")
    window.mouse.move(x, y)
    window.mouse.wheel(0, -100)
    window.keyboard.up("Control")
    window.wait_for_timeout(200)
    assert shown()[0] > whole[0]
    assert shown()[1] < whole[1]


def test_the_front_of_an_advice_is_drawn(visit, tmp_path):
    def setting(label: str, rate: float, outage: float, kind: str, today: bool = False) -> Spot:
        false = Estimate("failovers.needless", "per_year", rate, rate / 2, rate * 2 + 3, 9, "")
        seen = Estimate("outage.p99", "s", outage, outage * 0.9, outage * 1.1, 9, "")
        return Spot(label, false, seen, outage, kind, today)

    spots = [
        setting("as it stands", 1.0, 30.0, "keeps the limits", today=True),
        setting(EVIL, 4.0, 9.0, "recommended"),
        setting(HOSTILE, 40.0, 8.0, "undecided"),
        setting("loser", 50.0, 40.0, "breaks a limit"),
        setting("none seen", 0.0, 60.0, "undecided"),
    ]
    chart = pareto_chart(spots, ("failovers.needless", "outage.p99"), (20.0, None))
    assert chart.columns["front"] == [True, True, True, False, True]
    assert chart.columns["across"][4] == 3.0  # none seen: the upper limit of its rate
    place = tmp_path / "advice.html"
    place.write_text(html_page(Page("Advice", None, [], [Section("Costs", [chart])])))
    for width, dark in SIZES:
        window = visit(place, width=width, dark=dark)
        figure = window.locator("figure[data-figure=pareto]")
        assert figure.locator(".mark-symbol.role-mark path").count() == 6  # and today's ring
        assert violations(window) == []
        assert window.evaluate("document.documentElement.scrollWidth") <= width
        assert window.evaluate("document.querySelectorAll('img, b').length") == 0


@pytest.mark.parametrize("name", ["bench", "budget"])
def test_all_can_use_the_pages_of_other_findings(visit, tmp_path, name):
    varied = {"masters.a.region": HOSTILE, "traffic.name": EVIL}
    cells = budget_cell(quiet=True), replace(budget_cell(), index=1, varied=varied)
    found = {"bench": replace(REPORT, suite=HOSTILE), "budget": budgets(*cells)}[name]
    place = found.report(tmp_path / "page.html")
    for width, dark in SIZES:
        window = visit(place, width=width, dark=dark)
        assert violations(window) == []
        assert window.evaluate("document.documentElement.scrollWidth") <= width
        drawn = window.locator("figure[data-figure] svg[role=img]")
        assert drawn.count() == {"bench": 1, "budget": 5}[name]
        assert window.evaluate("document.querySelectorAll('img, b').length") == 0
        assert window.title() != "taken"


def test_an_incident_tells_its_story(visit, page, hostile):
    window = visit(page)
    number = int(window.locator("[data-apart]").last.get_attribute("data-apart"))
    window.click(f"[data-apart='{number}']")
    window.wait_for_selector(f"#incident[data-number='{number}']")
    story = hostile.explain(number)
    told = window.locator("ol.story li").all_inner_texts()
    assert len(told) == len(story.lines)
    assert story.ending in window.inner_text("#incident")
    # A press on the bar of a state marks what was told while it lasted.
    bars = window.locator(".timeline svg").last.locator(".mark-rect path")
    fencing = window.locator(".timeline svg").last.locator(".mark-rect path[fill='#CC79A7']")
    assert bars.count() > fencing.count() > 0
    fencing.first.scroll_into_view_if_needed()
    box = fencing.first.bounding_box()
    window.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    window.locator("ol.story li.now").first.wait_for()
    assert "fencing" in window.inner_text("#said")
    assert 1 <= window.locator("ol.story li.now").count() < len(told)


def test_an_incident_without_a_journal_shows_what_its_row_says(visit, page, hostile):
    window = visit(page)
    apart = {int(n) for n in window.locator("[data-apart]").all_inner_texts()}
    other = next(n for n in hostile.incidents["incident"] if n not in apart)
    window.click(f"[data-incident='{other}']")
    window.wait_for_selector(f"#incident[data-number='{other}']")
    assert f"--incident {other}" in window.inner_text("#incident")
    row = hostile.incident(other)
    assert row["kind"] in window.locator("ol.story").inner_text()


def test_incidents_are_found_by_a_word(visit, page, hostile):
    window = visit(page)
    window.fill("#find", "HANG")
    rows = window.locator("#incidents tbody tr")
    assert rows.count() == (hostile.incidents["kind"] == "hang").sum() > 0


def test_a_curve_is_picked_by_the_keyboard(visit, page):
    window = visit(page)
    figure = window.locator("figure[data-figure=detection]")
    curves = figure.locator(".mark-line path")

    def bright() -> int:
        return sum(
            float(one.evaluate("path => getComputedStyle(path).opacity")) == 1
            for one in curves.all()
        )

    every = bright()
    assert every == curves.count() > 1
    figure.locator("select").focus()
    window.keyboard.press("ArrowDown")
    window.wait_for_timeout(300)
    assert bright() == 1
    window.keyboard.press("Home")
    window.wait_for_timeout(300)
    assert bright() == every


def test_each_figure_has_its_data(visit, page, hostile):
    window = visit(page)
    figures = window.locator("figure[data-figure]")
    names = figures.evaluate_all("them => them.map((one) => one.dataset.figure)")
    assert {"detection", "failover", "phases", "causes", "load", "latency"} <= set(names)
    for name in names:
        figure = window.locator(f"figure[data-figure='{name}']")
        assert figure.locator("svg[role=img]").get_attribute("aria-label")
        with window.expect_download() as download:
            figure.locator("button.csv").click()
        assert download.value.suggested_filename == f"{name}.csv"
        rows = rows_of(download.value.path())
        assert rows, name
        assert all(None not in row and None not in row.values() for row in rows), name
        figure.locator("summary").click()
        figure.locator("details tbody tr").first.wait_for()
        assert figure.locator("details tbody tr").count() == min(200, len(rows))
    with window.expect_download() as download:
        window.locator("#incidents > .row button.csv").click()
    rows = rows_of(download.value.path())
    assert [int(row["incident"]) for row in rows] == list(hostile.incidents["incident"])
