"""A run of tests, or a hunt, with a defect in place."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest

from hasim.hunt.running import Ran, run
from hasim.hunt.search import Hunt, State
from tests.defects.registry import DEFECTS


def hunted(
    name: str, seed: int, worlds: int, seconds: float | None = None
) -> tuple[int, Ran] | None:
    """The smallest world that breaks something by a defect alone, and the worlds that it took.

    None if there was none in so many worlds, or seconds of the processor.
    """
    hunt, began = Hunt(State(seed)), time.process_time()
    while hunt.state.number < worlds:
        if seconds is not None and time.process_time() - began > seconds:
            return None
        with pytest.MonkeyPatch.context() as patch:
            DEFECTS[name](patch)
            ran = hunt.step()
        # What the world breaks without the defect says nothing of it.
        sound = set(run(ran.data).broken) if ran.broken else set()
        own = [broken for broken in ran.broken if broken not in sound]
        if own:
            with pytest.MonkeyPatch.context() as patch:
                DEFECTS[name](patch)
                return hunt.state.number, hunt.shrink(ran.only(own[0]))
    return None


class Put:
    """A plugin of pytest: a defect is there while tests run, and the first that fails is kept."""

    def __init__(self, name: str) -> None:
        self.failed = ""
        self._name, self._patch = name, pytest.MonkeyPatch()

    def pytest_collection_finish(self) -> None:
        """All is imported: put it in."""
        DEFECTS[self._name](self._patch)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the first that fails."""
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_sessionfinish(self) -> None:
        """Take it out again."""
        self._patch.undo()


def examined(name: str, seed: int, seconds: float, tests: Sequence[str]) -> dict[str, Any]:
    """How a hunt finds a defect in so many seconds of the processor, else which test kills it.

    `seconds` are told as well: all that it took, shrinking and all.
    """
    began = time.process_time()
    found = hunted(name, seed, 10**9, seconds)
    if found is not None:
        worlds, smallest = found
        faults = len(smallest.data.get("faults", ()))
        told = {"worlds": worlds, "broken": list(smallest.broken), "faults": faults}
        return told | {"seconds": round(time.process_time() - began, 1)}
    killers = (killed_by(name, where) for where in tests)
    return {"killed": next((test for test in killers if test), "")}


def killed_by(name: str, tests: str) -> str:
    """The first of these tests that fails with a defect in place; empty if none does."""
    put = Put(name)
    pytest.main([tests, "-x", "-q", "--no-header", "-p", "no:cacheprovider"], plugins=[put])
    return put.failed
