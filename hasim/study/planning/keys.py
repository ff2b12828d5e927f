"""What determines a result, in one key: the world with its traces, and the seed.

The program does so, too; a run folder compares it apart (`hasim.study.execution.program`).
"""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

from hasim.scenario import sent
from hasim.scenario.sent import TRACE_KEYS
from hasim.settings import plain
from hasim.simulation.settings import WorldSettings


def key_of(world: WorldSettings, seed: int, **more: Any) -> str:
    """16 hexadecimal digits that differ if anything differs that a measure could depend on.

    Replications share the key, since each has its number. `more` is plain data.
    """
    determined = {
        "seed": seed,
        "world": with_contents(plain(world)),
        **more,
    }
    text = json.dumps(determined, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def with_contents(value: Any, key: str = "") -> Any:
    """Plain settings in which each trace counts by its content, not by its name."""
    if isinstance(value, dict) and key != "where":  # whose keys are columns of a trace
        return {name: with_contents(part, name) for name, part in value.items()}
    if isinstance(value, list):
        return [with_contents(part, key) for part in value]
    if isinstance(value, str) and key in TRACE_KEYS:
        return _digest(value)
    return value


def _digest(name: str) -> str:
    try:
        state = sent.state_of(Path(name))
    except OSError:
        return name  # reading the trace will tell
    return _digest_once(name, state)


@functools.lru_cache(maxsize=256)
def _digest_once(name: str, state: tuple[Any, ...]) -> str:
    return sent.digest_of(Path(name))
