"""A run with names that would like to act, its page, and a browser without a network."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hasim
from hasim.findings.result import Result
from tests import browser

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
    with browser.chromium() as found:
        yield found


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Open a file in a window; what its console says, and each request, fails the test."""
    windows = browser.Windows(chromium, "file:")

    def opened(path: Path, *, width: int = 1280, dark: bool = False) -> Any:
        return windows.open(path.as_uri(), width=width, dark=dark)

    yield opened
    windows.close()
    assert windows.said == []
