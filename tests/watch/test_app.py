"""The dashboard: driven by Textual's own pilot, and by keys in a real terminal (tmux)."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import hasim
from hasim.simulation.run import simulate
from hasim.watch.sources import Replayed, Simulated, Source
from tests.watch.test_sources import SCENARIO, loaded

app = pytest.importorskip("hasim.watch.app")
ROOT = Path(hasim.__file__).parent.parent


def drive(source: Source, act: Callable[..., Awaitable[None]]) -> None:
    """Let a dashboard over the source be driven, in a terminal of 80 x 24."""

    async def whole() -> None:
        dashboard = app.Dashboard(source, speed=10.0)
        dashboard.paused = True
        async with dashboard.run_test(size=(80, 24)) as pilot:
            await act(dashboard, pilot)

    asyncio.run(whole())
    source.close()


def text(dashboard: object, panel: str) -> str:
    return str(dashboard.query_one(f"#{panel}").render())  # type: ignore[attr-defined]


def test_it_pauses_steps_and_changes_its_speed():
    async def act(dashboard, pilot):
        assert "[paused]" in text(dashboard, "headline")
        await pilot.press("s", "s", "s")
        assert dashboard.source.now_ns == 3_000_000_000
        assert "0:00:03.0 of 0:01:30.0" in text(dashboard, "headline")
        await pilot.press("plus")
        assert dashboard.speed == 20.0
        await pilot.press("minus", "minus")
        assert dashboard.speed == 5.0
        await pilot.press("space")
        assert not dashboard.paused
        await pilot.pause(0.5)
        await pilot.press("space")
        assert dashboard.source.now_ns > 3_000_000_000

    drive(Simulated(loaded()), act)


def test_it_shows_who_is_down_and_what_is_done_about_it():
    async def act(dashboard, pilot):
        dashboard.go_on(22.0)
        shown = text(dashboard, "masters").splitlines()
        assert [line.split()[0] for line in shown[1:]] == ["a", "b", "c"]
        assert "failed" in shown[1]
        assert "!hang" in shown[1]
        assert "##### 1." in shown[1]
        assert "critical" in text(dashboard, "alerts")
        assert "failovers: 1 active" in text(dashboard, "failovers")
        assert "hang strikes a" in text(dashboard, "news")
        dashboard.go_on(20.0)
        assert "1 completed" in text(dashboard, "failovers")
        assert "uptime 9" in text(dashboard, "service")

    drive(Simulated(loaded()), act)


def test_a_fault_is_injected_by_keys():
    async def act(dashboard, pilot):
        dashboard.go_on(5.0)
        await pilot.press("f")
        await pilot.pause()
        assert isinstance(dashboard.screen, app.Choose)
        await pilot.press("enter")  # the first kind: crash
        await pilot.pause()
        await pilot.press("down", "enter")  # the second master
        await pilot.pause()
        dashboard.go_on(10.0)
        assert "1 of b: fencing" in text(dashboard, "news")
        assert "failed" in text(dashboard, "masters").splitlines()[2]
        await pilot.press("f")
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(dashboard.screen, app.Choose)

    drive(Simulated(loaded(faults=[])), act)


def test_a_journal_is_watched_to_its_end():
    found = loaded()
    point = found.cells[0]
    journal = simulate(point.world, found.recorded_of(point), seed=3, replication=0)

    async def act(dashboard, pilot):
        dashboard.go_on(30.0)
        assert "!hang" in text(dashboard, "masters")
        await pilot.press("f")
        await pilot.pause()
        assert not isinstance(dashboard.screen, app.Choose)
        dashboard.go_on(100.0)
        assert "[at its end]" in text(dashboard, "headline")

    drive(Replayed(journal), act)


def test_nothing_is_wider_than_eighty_columns():
    async def act(dashboard, pilot):
        for _ in range(12):
            dashboard.go_on(5.0)
            for panel in ("headline", "masters", "service"):
                for line in text(dashboard, panel).splitlines():
                    assert len(line) <= 80, line

    drive(Simulated(loaded()), act)


class Terminal:
    """A session of tmux, without colours."""

    def __init__(self, command: str) -> None:
        self.name = f"hasim-{os.getpid()}"
        self._run("new-session", "-d", "-s", self.name, "-x", "80", "-y", "24", command)

    def _run(self, *args: str) -> str:
        return subprocess.run(
            ["tmux", "-L", self.name, *args], capture_output=True, text=True, check=True
        ).stdout

    def keys(self, *keys: str) -> None:
        self._run("send-keys", "-t", self.name, *keys)

    def wait_for(self, *words: str) -> str:
        """The screen, as soon as all words are on it."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            screen = self._run("capture-pane", "-t", self.name, "-p")
            if all(word in screen for word in words):
                return screen
            time.sleep(0.2)
        raise AssertionError(f"{words} are not all on the screen:\n{screen}")

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self.name, "kill-server"], check=False, capture_output=True)


@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux")
def test_it_works_in_a_terminal_and_quits_cleanly(tmp_path):
    path = tmp_path / "watched.yaml"
    path.write_text(json.dumps({**SCENARIO, "faults": []}))
    command = (
        f"NO_COLOR=1 PYTHONPATH={ROOT} {sys.executable} -m hasim watch {path} --speed 5; "
        "echo ended with $?; sleep 60"
    )
    terminal = Terminal(command)
    try:
        screen = terminal.wait_for("healthy", "uptime 100 %", "q Quit")
        assert len(screen.splitlines()) == 24
        terminal.keys("f")
        terminal.wait_for("A fault for 60 s", "power-off")
        terminal.keys("Enter")
        terminal.wait_for("crash: who?", "region:")
        terminal.keys("Enter")
        terminal.wait_for("failed", "!crash")
        terminal.keys("Space")
        terminal.wait_for("[paused]")
        terminal.keys("q")
        assert "failovers" not in terminal.wait_for("ended with 0")
    finally:
        terminal.close()
