"""Balancing algorithms of the user's own in a study: which there are, and what to say of them."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import Any

from hasim.study.planning.own_parts import ALGORITHM, own_parts


def own_algorithms(*data: Any) -> tuple[str, ...]:
    """The algorithms in scenarios, given as plain data, that are not those hasim comes with."""
    return tuple(one.name for one in own_parts(*data) if one.what == ALGORITHM)


def plain_python(names: Collection[str], data_plane: str) -> str:
    """What a reader must know if `names` are used where compiled messages are asked for."""
    if not names or data_plane == "reference":
        return ""
    verb = "is" if len(names) == 1 else "are"
    return (
        f"{', '.join(names)} {verb} plain Python: messages ran on the reference data plane there, "
        "which gives the same results and is slower."
    )


def warn_of(names: Collection[str], data_plane: str) -> None:
    """Say it once, before a study begins."""
    text = plain_python(names, data_plane)
    if text:
        warnings.warn(text.replace(" ran ", " run "), RuntimeWarning, stacklevel=3)
