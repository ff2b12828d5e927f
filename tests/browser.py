"""A browser without a network, for the tests of pages: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

SIZES = ((1280, False), (390, False), (1280, True), (390, True))
"""Width in pixels, and whether the system is dark."""


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """The browser; without one the test is skipped.

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


class Windows:
    """Windows of a browser, and all that was wrong in them: console, errors, foreign requests."""

    def __init__(self, browser: Any, *own: str) -> None:
        self._browser, self._own = browser, (*own, "data:", "blob:")
        self._opened: list[Any] = []
        self.said: list[str] = []

    def open(self, address: str, *, width: int = 1280, dark: bool = False) -> Any:
        """A window on an address, when its script says that it is ready."""
        window = self._browser.new_page(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
        )
        self._opened.append(window)
        window.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        window.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        window.on("request", lambda request: self._asked(request.url))
        window.goto(address, timeout=120_000)
        window.wait_for_selector("html[data-ready=yes]", timeout=120_000)
        return window

    def _asked(self, url: str) -> None:
        if not url.startswith(self._own):
            self.said.append(f"asked for {url}")

    def close(self) -> None:
        """Close them all."""
        for window in self._opened:
            window.close()


def violations(window: Any) -> list[str]:
    """What axe-core finds against WCAG 2.2 and its best practices."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(window)
    return [
        f"{one['id']}: {node['html'][:150]} {node['failureSummary']}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]
