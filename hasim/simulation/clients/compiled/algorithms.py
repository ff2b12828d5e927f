"""Compiled: the balancers' pickers, each on its own and only when a run uses it.

The kernel is compiled once for all algorithms: it calls a picker through the address that
the gateway's record holds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from hasim.services.balancing.chance import DRAWS
from hasim.services.balancing.fleet import Request
from hasim.services.balancing.registry import ALGORITHMS, Algorithm
from hasim.services.gateway.avoiding import chooser
from hasim.simulation.clients.compiled.availability import available
from hasim.simulation.clients.compiled.chance import hash_of_number, uniform
from hasim.simulation.clients.compiled.fleet import INT64, fleet_at
from hasim.simulation.clients.compiled.internals import INNER
from hasim.simulation.clients.compiled.jit import callback, fingerprint, inlined, sources
from hasim.simulation.clients.compiled.pointers import integers_at, numbers_at

I8 = types.int64
PICK = I8(*[I8] * 8)
ENDED = I8(*[I8] * 5)
EVENT = ENDED


class Compiled(NamedTuple):
    """Addresses of an algorithm's functions; 0 for one that it does not have."""

    pick: int
    ended: int
    probed: int


@functools.cache
def compiled(algorithm: str, draws: int) -> Compiled:
    """The addresses of an algorithm's functions, compiled now or read from numba's cache.

    `draws`: how many uniforms a pick needs.
    RuntimeError for one that is plain Python.
    """
    if not available(algorithm):
        raise RuntimeError(f"{algorithm} is plain Python: run with data_plane: reference")
    number, mark = list(ALGORITHMS).index(algorithm), fingerprint(*sources())
    pick = compile_function(_picking(number, draws), PICK, f"pick_{draws}_{algorithm}_{mark:x}")
    ended = probed = 0
    if ALGORITHMS[algorithm].ended is not None:
        made = compile_function(_telling(number), ENDED, f"ended_{algorithm}_{mark:x}")
        ended = made.address
    if ALGORITHMS[algorithm].probed is not None:
        made = compile_function(_answering(number), ENDED, f"probed_{algorithm}_{mark:x}")
        probed = made.address
    return Compiled(pick.address, ended, probed)


_KEPT: list[Any] = []
"""So that the machine code behind the addresses stays."""


def compile_function(function: Any, signature: Any, name: str) -> Any:
    """Compile a function for calls by its address.

    It gets a name of its own, and so a file of its own in numba's cache: processes that
    save different functions in one file at the same time mix them up. The name holds the
    fingerprint of all sources, which keeps versions apart as well (see `jit`).
    """
    made = callback(signature)(_named(function, name))
    _KEPT.append(made)
    return made


def _named(function: Any, name: str) -> Any:
    # Machine code from several processes comes together in one: symbols are told apart by
    # these names, and by numbers that each process begins anew.
    function.__name__ = function.__qualname__ = name
    return function


def _picking(number: int, needed: int) -> Any:

    def pick(
        fleet: int, now: int, vip: int, key: int, has_key: int, seed: int, place: int, tried: int
    ) -> Any:
        draws = (
            uniform(seed, place),
            uniform(seed, place + 1),
            uniform(seed, place + 2),
            uniform(seed, place + 3),
            uniform(seed, place + 4),
            uniform(seed, place + 5),
            uniform(seed, place + 6),
            uniform(seed, place + 7),
        )[:needed]
        request = Request(now, vip != 0, hash_of_number(key), has_key != 0, draws)
        # `tried`: the address of a list, how many it has and then the masters; 0 for none.
        avoid = numbers_at(tried + 8, integers_at(tried)[0] if tried != 0 else 0)
        return chosen(number, fleet_at(fleet), request, avoid)

    return pick


assert DRAWS == 8, "as many as are written out above"


def _telling(number: int) -> Any:
    def ended(fleet: int, master: int, now: int, elapsed_ns: int, failed: int) -> int:
        told(number, fleet_at(fleet), master, now, elapsed_ns, failed != 0)
        return 0

    return ended


def _answering(number: int) -> Any:
    def probed(fleet: int, master: int, now: int, in_flight: int, latency_ns: int) -> int:
        told_load(number, fleet_at(fleet), master, now, in_flight, latency_ns)
        return 0

    return probed


def _algorithm(number: Any) -> tuple[str, Algorithm] | None:
    """The algorithm of a number that is known at compile time."""
    literal = isinstance(number, types.IntegerLiteral)
    return list(ALGORITHMS.items())[number.literal_value] if literal else None


def chosen(number: int, fleet: Any, request: Any, avoid: Any) -> Any:
    """In compiled code: what `chooser` makes of the picker of an algorithm."""
    raise NotImplementedError


@overload(chosen, prefer_literal=True, strict=False, jit_options=INNER)
def _chosen(number: Any, fleet: Any, request: Any, avoid: Any) -> Any:
    found = _algorithm(number)
    if found is None:
        return None
    name, algorithm = found
    choose = inlined(_named(chooser(inlined(algorithm.pick)), f"choose_{name}"))

    def chosen(number: int, fleet: Any, request: Any, avoid: Any) -> Any:
        return choose(fleet, request, avoid)

    return _named(chosen, f"chosen_{name}")


def told(number: int, fleet: Any, master: int, now: int, elapsed_ns: int, failed: bool) -> Any:
    """In compiled code: an attempt ended, for the hook of an algorithm."""
    raise NotImplementedError


@overload(told, prefer_literal=True, strict=False, jit_options=INNER)
def _told(number: Any, fleet: Any, master: Any, now: Any, elapsed_ns: Any, failed: Any) -> Any:
    found = _algorithm(number)
    if found is None or found[1].ended is None:
        return None
    ended = inlined(found[1].ended)

    def told(number: int, fleet: Any, master: int, now: int, elapsed_ns: int, failed: bool) -> Any:
        return ended(fleet, master, now, elapsed_ns, failed)

    return _named(told, f"told_{found[0]}")


def told_load(
    number: int, fleet: Any, master: int, now: int, in_flight: int, latency_ns: int
) -> Any:
    """In compiled code: a load probe was answered, for the hook of an algorithm."""
    raise NotImplementedError


@overload(told_load, prefer_literal=True, strict=False, jit_options=INNER)
def _told_load(
    number: Any, fleet: Any, master: Any, now: Any, in_flight: Any, latency_ns: Any
) -> Any:
    found = _algorithm(number)
    if found is None or found[1].probed is None:
        return None
    probed = inlined(found[1].probed)

    def told_load(
        number: int, fleet: Any, master: int, now: int, in_flight: int, latency_ns: int
    ) -> Any:
        return probed(fleet, master, now, in_flight, latency_ns)

    return _named(told_load, f"told_load_{found[0]}")


def calling(count: int) -> Callable[..., Any]:
    """What calls the function at an address with so many whole numbers."""
    pointer: Any = ir.FunctionType(INT64, [INT64] * count).as_pointer()

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.call(builder.inttoptr(args[0], pointer), args[1:])

    return generate


def _call_pick(
    _: Any, at: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any
) -> Any:
    return I8(*[I8] * 9), calling(8)


def _call_ended(_: Any, at: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
    return I8(*[I8] * 6), calling(5)


call_pick: Any = intrinsic(_call_pick)
"""In compiled code: call the picker at an address."""
call_ended: Any = intrinsic(_call_ended)
"""In compiled code: call the hook (`ended`, `probed`) at an address."""
call_event: Callable[..., int] = call_ended
"""In compiled code: call at an address what some runs need (see `optional`): the table of
addresses, the time, and three more numbers; returns the reasons to stop."""
