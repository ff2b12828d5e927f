"""Whether the compiled plane can do what is asked for; loads no numba."""

from __future__ import annotations

from hasim.services.balancing import pickers
from hasim.services.balancing.registry import ALGORITHMS


def available(algorithm: str) -> bool:
    """Whether the algorithm is one that hasim comes with.

    Those are written so that they can be compiled. One that a user has registered, or put in
    the place of another, is plain Python, which only the reference plane calls.
    """
    return ALGORITHMS[algorithm].pick.__module__.startswith(pickers.__name__ + ".")
