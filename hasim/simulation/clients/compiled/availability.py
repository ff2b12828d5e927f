"""Whether the compiled plane can do what is asked for; loads no numba."""

from __future__ import annotations

from hasim.services.balancing.registry import ALGORITHMS, SHIPPED


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
