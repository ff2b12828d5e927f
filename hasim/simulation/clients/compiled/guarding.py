"""Compiled: the guards of a gateway, only when a run has any.

The kernel calls two functions through the addresses in the gateway's record: whether an
attempt is admitted, and what became of one. Like a fleet, the guards are the address of a
table here: those of the arrays of rules, gate, guards, members and pool, and how many masters.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from hasim.services.balancing.settings import BalancingSettings
from hasim.services.gateway.guards.gate import (
    Gate,
    Protection,
    Rules,
    admit,
    admit_owned,
    note,
    rules_of,
)
from hasim.services.gateway.guards.guard import Guard
from hasim.simulation.clients.compiled.algorithms import calling, compile_function
from hasim.simulation.clients.compiled.fleet import INT64, dtype_of, fleet_at, numbers_of
from hasim.simulation.clients.compiled.internals import view_at
from hasim.simulation.clients.compiled.jit import fingerprint, inlined, sources

I8 = types.int64
INT = np.dtype(np.int64)
RULES = dtype_of(rules_of(BalancingSettings()))
GATE, GUARD = dtype_of(Gate()), dtype_of(Guard())
COLUMNS = (RULES, GATE, GUARD, INT, INT)
"""Of rules, gate, guards, members and pool."""


class Shared(NamedTuple):
    """A gateway's guards in arrays: as Python sees them, and the table of their addresses."""

    protection: Protection
    table: NDArray[np.int64]
    kept: tuple[Any, ...]
    """The arrays, which stay as long as this does."""


def share(settings: BalancingSettings, masters: int) -> Shared:
    """The guards of one gateway as they are at the start."""
    rules = rules_of(settings)
    gate = Gate(sweep_ns=rules.outliers.interval_ns)
    columns: list[Any] = [
        np.array([numbers_of(rules, RULES)], dtype=RULES),
        np.array([numbers_of(gate, GATE)], dtype=GATE).view(np.recarray),
        np.array([numbers_of(Guard(), GUARD)] * masters, dtype=GUARD).view(np.recarray),
        np.ones(masters, dtype=INT),
        np.zeros(masters, dtype=INT),
    ]
    table = np.array([*(column.ctypes.data for column in columns), masters], dtype=np.int64)
    _, gates, guards, members, pool = columns
    protection = Protection(rules, gates[0], guards, members, pool)
    return Shared(protection, table, tuple(columns))


def _view(position: int) -> Any:
    """In compiled code: one of the arrays behind the address of such a table."""
    dtype = COLUMNS[position]
    array = types.Array(from_dtype(dtype), 1, "C")

    def typed(_: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            table = builder.inttoptr(args[0], INT64.as_pointer())
            entry, size = (
                builder.load(builder.gep(table, [INT64(place)]))
                for place in (position, len(COLUMNS))
            )
            return view_at(context, builder, array, entry, size, dtype.itemsize)

        return array(types.int64), generate

    return intrinsic(typed)


rules_at, gate_at, guards_at, members_at, pool_at = map(_view, range(len(COLUMNS)))


CHOSEN, OWNED, NOTED = inlined(admit), inlined(admit_owned), inlined(note)


class Compiled(NamedTuple):
    """The addresses of the two functions."""

    admit: int
    note: int


@functools.cache
def compiled() -> Compiled:
    """Both functions, compiled now or read from numba's cache."""
    mark = fingerprint(*sources())
    functions = {
        "admit": (_admit, I8(I8, I8, I8, I8)),
        "note": (_note, I8(I8, I8, I8, I8, I8)),
    }
    return Compiled(
        **{
            name: compile_function(function, signature, f"guard_{name}_{mark:x}").address
            for name, (function, signature) in functions.items()
        }
    )


def _admit(address: int, fleet: int, now: int, owner: int) -> Any:
    rules, gate = rules_at(address)[0], gate_at(address)[0]
    guards, members, pool = guards_at(address), members_at(address), pool_at(address)
    protection = Protection(rules, gate, guards, members, pool)
    if owner >= 0:
        return OWNED(protection, fleet_at(fleet), owner)
    return CHOSEN(protection, fleet_at(fleet), now)


def _note(address: int, kind: int, master: int, now: int, sent_ns: int) -> int:
    rules, gate = rules_at(address)[0], gate_at(address)[0]
    guards, members, pool = guards_at(address), members_at(address), pool_at(address)
    NOTED(Protection(rules, gate, guards, members, pool), kind, master, now, sent_ns)
    return 0


def _call_admit(_: Any, at: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    return I8(*[I8] * 5), calling(4)


def _call_note(_: Any, at: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
    return I8(*[I8] * 6), calling(5)


call_admit: Any = intrinsic(_call_admit)
"""In compiled code: ask the function at an address whether an attempt is admitted."""
call_note: Any = intrinsic(_call_note)
"""In compiled code: tell the function at an address what became of one."""


assert {f.name for f in dataclasses.fields(Rules)} == set(RULES.names or ())
