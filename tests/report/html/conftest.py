"""A run with names that would like to act, its page, and a browser without a network."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hasim
from hasim.findings.result import Result

HOSTILE = (
    "</script><script>document.title='taken'</script>\"'&<b>\u05e9\u05dc\u05d5\u05dd\u202e "
    + "x" * 300
)
"""Marks of HTML, quotes, letters and an order that run from right to left, and great length."""
EVIL = "<img src=x onerror=document.title='taken'>"
SCENARIO: dict[str, Any] = {
    "name": "hostile",
    "horizon": "120s",
    "replications": 2,
    "seed": 5,
    "masters": [
        {"id": "a", "region": EVIL},
        {"id": "b", "like": "a", "priority": 2},
        {"id": "c", "like": "a", "priority": 3},
    ],
    "traffic": {"arrivals": {"law": "poisson", "rate": "20/s"}, "owned": "100%", "timeout": "1s"},
    "faults": [
        {"kind": "crash", "target": "owner-of:p1", "at": "9s",
         "for": "30s"},
        {"kind": "hang", "target": "b", "at": "70s", "for": "20s"},
    ],
    "detection": {"interval": "2s"},
    "vary": {"detection.fall": [1, 4], "masters.b.region": ["b", HOSTILE]},
    "baseline": {"detection.fall": 1, "masters.b.region": "b"},
    "expect": {"detection_time.p50": "< 30s", "uptime": ">= 99.99%"},
}  # fmt: skip


@pytest.fixture(scope="session")
def hostile() -> Result:
    """The study of that scenario, under a name that no scenario file may have."""
    found = hasim.run(SCENARIO, jobs=1, progress=None)
    return Result(dataclasses.replace(found.study, name=HOSTILE), loaded=found.loaded)


@pytest.fixture(scope="session")
def page(hostile: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile.report(tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright; without it the tests of pages are skipped.

    Not longer than a module: as long as the driver lives, an event loop runs in this process.
    """
    playwright = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("there is no chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Open a file in a window; what its console says, and each request, fails the test."""
    said: list[str] = []
    windows = []

    def opened(path: Path, *, width: int = 1280, dark: bool = False) -> Any:
        scheme = "dark" if dark else "light"
        window = chromium.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
        )
        windows.append(window)
        window.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        window.on("pageerror", lambda error: said.append(f"error: {error}"))
        window.on("request", lambda request: said.extend(_elsewhere(request.url)))
        window.goto(path.as_uri())
        window.wait_for_selector("html[data-ready=yes]", timeout=120_000)
        return window

    yield opened
    for window in windows:
        window.close()
    assert said == []


def _elsewhere(url: str) -> list[str]:
    return [] if url.startswith(("file:", "data:", "blob:")) else [f"asked for {url}"]
