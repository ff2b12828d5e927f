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
import numpy as np

from hasim import model, sketch
from hasim.services import balancing
from hasim.simulation import clock, results

F = TypeVar("F", bound=Callable[..., Any])
int64: Any = np.int64
"""Makes an integer of the usual kind, since numba would compile a function anew for each."""


def njit(function: F) -> F:
    """Compile for use inside an entry point."""
    # Python never calls it, so it needs no wrappers, which take time to compile; nor does
    # anything here own memory (_nrt), which would be asked at every access to it.
    options: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False}
    return cast(F, numba.njit(**options)(function))


def entry(function: F) -> F:
    """Compile an entry point, called from Python and cached on disk."""
    options: Any = {"cache": True, "_nrt": False}
    return cast(F, numba.njit(**options)(function))


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
        *(Path(str(module.__file__)) for module in (clock, model, results, sketch)),
    ]
