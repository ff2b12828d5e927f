"""Compiled pickers by themselves: equal to the plain ones, whoever compiled them."""

from __future__ import annotations

import ctypes
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hasim.services.balancing.chance import DRAWS, hash_of_number, uniform
from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.gateway.avoiding import chooser
from hasim.simulation.clients.compiled.algorithms import compiled
from hasim.simulation.clients.compiled.fleet import (
    COLUMNS,
    SETTINGS,
    address_table,
    settings_record,
)
from tests.services.balancing.fleets import fleet

SEED = 20
NAMES = {"two-choices": 2, "maglev": 0, "sticky": 0}
"""With how many draws each needs."""
PICK = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 8)
ENDED = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 5)


def in_arrays(of: Fleet) -> Fleet:
    columns = {name: np.array(getattr(of, name), dtype) for name, dtype in COLUMNS.items()}
    return Fleet(**{**columns, "settings": of.settings})


def both_pick(algorithm: str, messages: int = 400, **more: Any) -> tuple[list[int], list[int]]:
    """What the plain picker picks, and the compiled one, with answers, failures and retries."""
    chance, known = random.Random(1), ALGORITHMS[algorithm]
    plain = fleet(
        algorithm, 7, base_weight=[1.0, 2.0, 3.0, 1.0, 0.5, 4.0, 1.0], tier=[1, 1, 1, 2, 2, 3, 3],
        region=[0, 0, 1, 1, 1, 2, 2], rtt=[5, 5, 9, 9, 9, 20, 20], workers=[1, 2] * 3 + [1],
        eligible=[True] * 5 + [False, True], member=[True] * 5 + [False, True],
        table_size=251, ring_size=64, sessions=20, **more,
    )  # fmt: skip
    arrays = in_arrays(plain)
    settings = settings_record(plain.settings)
    table, addresses = (
        address_table(arrays, settings),
        compiled(algorithm, known.draws_by(plain.settings)),
    )
    pick = PICK(addresses.pick)
    one, other, now = [], [], 0
    for message in range(messages):
        now += chance.randrange(10**9)
        key, has_key = chance.randrange(50), chance.random() < 0.8
        vip, avoid = chance.random() < 0.3, chance.choice([[], [], [0], [3], [1, 0, 1], range(7)])
        listed = np.array([len(avoid), *avoid])
        draws = tuple(uniform(SEED, message * DRAWS + k) for k in range(DRAWS))
        at = listed.ctypes.data if avoid else 0
        request = Request(now, vip, hash_of_number(key), has_key, draws)
        one.append(chooser(known.pick)(plain, request, avoid))
        other.append(pick(table.ctypes.data, now, vip, key, has_key, SEED, message * DRAWS, at))
        for columns in (plain, arrays):
            columns.in_flight[one[-1]] += 1
        if message > 5:
            ended, elapsed, failed = one[message - 5], chance.randrange(10**9), message % 7 == 0
            for columns in (plain, arrays):
                columns.in_flight[ended] -= 1
            if known.ended is not None:
                known.ended(plain, ended, now, elapsed, failed)
                ENDED(addresses.ended)(table.ctypes.data, ended, now, elapsed, failed)
    return one, other


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_compiled_picks_are_the_plain_ones(algorithm: str) -> None:
    one, other = both_pick(algorithm)
    assert one == other
    assert len(set(one)) > 1


@pytest.mark.parametrize("algorithm", ["two-choices", "two-choices-with-replacement"])
@pytest.mark.parametrize("choices", [3, 8])
def test_compiled_picks_with_more_choices_are_the_plain_ones(algorithm: str, choices: int) -> None:
    one, other = both_pick(algorithm, choices=choices)
    assert one == other != both_pick(algorithm)[0]


def test_all_numbers_of_the_settings_are_there() -> None:
    record = settings_record(BalancingSettings(decay_ns=7, badness=0.5))[0]
    assert (record["decay_ns"], record["badness"]) == (7, 0.5)
    assert record["power"]["error_penalty"] == 1.0
    assert "algorithm" not in SETTINGS.names


COMPILE = "import sys; from hasim.simulation.clients.compiled.algorithms import compiled\n"
COMPARE = """
from tests.simulation.clients.compiled.test_algorithms import both_pick
for name in {names}:
    one, other = both_pick(name, 60)
    assert one == other, name
print("equal")
"""


def started(program: str, cache: Path) -> subprocess.Popen[str]:
    env: dict[str, Any] = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    env["PYTHONPATH"] = os.pathsep.join(sys.path)
    return subprocess.Popen(
        [sys.executable, "-c", program], env=env, stdout=subprocess.PIPE, text=True
    )


def test_what_several_processes_compile_is_not_mixed_up(tmp_path: Path) -> None:
    """Each numbers its functions from the start, and all save them in the same folder at once."""
    processes = [
        started(f"{COMPILE}compiled({name!r}, {draws})", tmp_path) for name, draws in NAMES.items()
    ]
    assert [process.wait() for process in processes] == [0, 0, 0]
    saved = {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb*")}
    last = started(COMPARE.format(names=list(NAMES)), tmp_path)
    assert last.communicate()[0] == "equal\n"
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.rglob("*.nb*")} == saved
