"""numba behind two names with types, and the fingerprint of what is compiled.

numba's cache on disk notices an edit of the file that holds a compiled function, but
not an edit of a function that is called from another file. Entry points are therefore
closures over the fingerprint of all sources, which numba makes a part of the cache's
key; everything that they call is compiled into them and is not cached on its own.
"""

from __future__ import annotations

import dis
import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar, cast

import numba
import numpy as np

from hasim import model, sketch
from hasim.services import balancing, gateway
from hasim.simulation import clock
from hasim.simulation.clients import results
from hasim.simulation.clients.compiled.internals import INNER, OPTIONS

F = TypeVar("F", bound=Callable[..., Any])
int64: Any = np.int64
"""Makes an integer of the usual kind, since numba would compile a function anew for each."""


def njit(function: F) -> F:
    """Compile for use inside an entry point."""
    return cast(F, numba.njit(**INNER)(function))


def inline(function: F) -> F:
    """The same for what is called at one place, and often."""
    return cast(F, numba.njit(forceinline=True, **INNER)(function))


def entry(function: F) -> F:
    """Compile an entry point, called from Python and cached on disk."""
    return cast(F, numba.njit(cache=True, **OPTIONS)(function))


@functools.cache
def inlined(function: Any) -> Any:
    """Compile a plain Python function, and the plain functions of hasim that it calls."""
    scope = dict(function.__globals__)
    for step in dis.get_instructions(function):
        name = step.argval
        called = scope.get(name) if step.opname == "LOAD_GLOBAL" else None
        if isinstance(called, FunctionType) and called.__module__.startswith("hasim."):
            scope[name] = inlined(called)
    copy = FunctionType(function.__code__, scope, function.__name__, closure=function.__closure__)
    copy.__qualname__ = function.__qualname__
    return numba.njit(**INNER)(copy)


def callback(signature: Any) -> Callable[[F], Any]:
    """Compile a function that compiled code calls by its address, and cache it on disk."""
    return cast(Callable[[F], Any], numba.cfunc(signature, cache=True, **OPTIONS))


def fingerprint(*places: Path) -> int:
    """A number that changes with any Python source in these folders and files (63 bits)."""
    digest = hashlib.sha256(numba.__version__.encode())
    for place in places:
        for source in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return int.from_bytes(digest.digest()[:8], "big") >> 1


def sources() -> list[Path]:
    """Where all that is compiled comes from."""
    return [
        Path(__file__).parent,
        Path(balancing.__file__).parent,
        Path(gateway.__file__).parent,
        *(Path(str(module.__file__)) for module in (clock, model, results, sketch)),
    ]
