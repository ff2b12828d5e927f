"""How evenly load is spread."""

from __future__ import annotations

from collections.abc import Iterable


def jain_index(loads: Iterable[float]) -> float:
    """Jain's fairness index (sum x)^2 / (n sum x^2): 1 is even, 1/n is all on one; 1 if all are 0.

    Jain, Chiu, Hawe 1984.
    """
    values = list(loads)
    squares = sum(x * x for x in values)
    return 1.0 if not squares else sum(values) ** 2 / (len(values) * squares)
