"""Whether the compiled plane can do what is asked for; loads no numba, unless it has to try."""

from __future__ import annotations

import functools
from importlib import import_module, metadata

from hasim.services.balancing.registry import ALGORITHMS, SHIPPED

UNTRIED = (0, 69)
"""The first version of numba that has not been tried, as in pyproject.toml."""


def available(algorithm: str) -> bool:
    """Whether the algorithm is one that hasim comes with.

    Those are written so that they can be compiled. One that a user has registered, or put in
    the place of another, is plain Python, which only the reference plane calls. LookupError
    if this process does not know it.
    """
    if algorithm not in ALGORITHMS:
        raise LookupError(
            f"no balancing algorithm {algorithm!r} is registered in this process; "
            f"there are {', '.join(ALGORITHMS)}"
        )
    return ALGORITHMS[algorithm] is SHIPPED.get(algorithm)


@functools.cache
def refusal() -> str:
    """Why messages cannot be compiled with the numba that is installed; empty if they can.

    Versions that have been tried have the private names that are needed (see `internals`);
    with another one, it is tried whether they can be imported.
    """
    version = metadata.version("numba")
    if tuple(map(int, version.split(".")[:2])) < UNTRIED:
        return ""
    try:
        import_module("hasim.simulation.clients.compiled.internals")
    except (ImportError, AttributeError) as error:
        return f"numba {version} is newer than hasim knows, and lacks what it needs ({error})"
    return ""
