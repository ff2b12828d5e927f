"""numba behind two names with types, and the fingerprint of what is compiled.

numba's cache on disk notices an edit of the file that holds a compiled function, but
not an edit of a function that is called from another file. Entry points are therefore
closures over the fingerprint of all sources, which numba makes a part of the cache's
key; everything that they call is compiled into them and is not cached on its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from hasim import model
from hasim.services import balancing
from hasim.simulation import clock

F = TypeVar("F", bound=Callable[..., Any])


def njit(function: F) -> F:
    """Compile for use inside an entry point."""
    return cast(F, numba.njit(function))


def entry(function: F) -> F:
    """Compile an entry point, called from Python and cached on disk."""
    return cast(F, numba.njit(cache=True)(function))


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
        Path(clock.__file__),
        Path(model.__file__),
    ]


def _as_pointer(_: Any, address: Any) -> Any:
    """The address in an integer, as a pointer."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(address), generate


as_pointer: Any = intrinsic(_as_pointer)
