"""What a comparison holds fixed: the world that the control plane is put into, as a hash."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

from hasim.scenario.document import Place, document_of
from hasim.scenario.sent import TRACE_KEYS
from hasim.settings import plain
from hasim.study.gate.suite import SuiteCell

UNDER_TEST = ("detection", "failover", "balancing", "monitor", "promotion")
"""Settings of the control plane, and what a promotion takes: what the gate judges, so no part of
the environment."""
ABOUT_RUNNING = (
    "name",
    "description",
    "replications",
    "vary",
    "expect",
    "baseline",
    "projection",
    "include_messages",
    "data_plane",
    "probes",
)
"""Settings that change neither the world nor what happens in it."""


def environment_of(cell: SuiteCell) -> str:
    """A hash of all that decides the faults, messages and masters of a cell, and of its seed.

    Taken from the scenario as it is written, traces by their contents: a default that a new
    version of hasim changes is a change of the program, which the gate shall see.
    """
    document = document_of(cell.loaded.data, str(cell.loaded.source))
    for path, value in cell.loaded.cells[cell.cell].varied.items():
        if path.partition(".")[0] not in UNDER_TEST:
            document.set(path, copy.deepcopy(value), Place("", None))
    kept = {
        key: value
        for key, value in document.data.items()
        if key not in UNDER_TEST and key not in ABOUT_RUNNING
    }
    kept["seed"] = cell.loaded.scenario.seed
    text = json.dumps(_by_contents(kept), sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def settings_of(cell: SuiteCell) -> dict[str, Any]:
    """The control plane's settings in a cell, as users write them."""
    world = cell.loaded.cells[cell.cell].world
    return {name: plain(getattr(world, name)) for name in UNDER_TEST}


def _by_contents(value: Any, key: str = "") -> Any:
    """The same data with every trace named by a hash of its contents, wherever it lies."""
    if isinstance(value, dict) and key != "where":  # whose keys are columns of a trace
        return {k: _by_contents(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_by_contents(item, key) for item in value]
    if isinstance(value, str) and key in TRACE_KEYS and Path(value).is_file():
        return hashlib.blake2b(Path(value).read_bytes(), digest_size=16).hexdigest()
    return value
