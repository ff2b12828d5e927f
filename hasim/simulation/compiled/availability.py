"""Whether the compiled plane can do what is asked for; loads no numba."""

from __future__ import annotations

from hasim.services.balancing import pickers

ALGORITHMS = ("round-robin", "priority", "least-loaded", "geo")
"""What the kernel knows; the position is the algorithm's number."""


def available(algorithm: str) -> bool:
    """Whether the kernel has this algorithm, and the pickers are those in the source.

    The kernel is compiled from the source. A picker that was put in another's place at
    run time is plain Python, which only the reference plane calls.
    """
    return algorithm in ALGORITHMS and all(
        getattr(pickers, name).__module__ == f"{pickers.__name__}.{name}"
        for name in pickers.__all__
    )
