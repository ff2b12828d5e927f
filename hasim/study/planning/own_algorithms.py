"""Balancing algorithms of the user's own in a study: which there are, and what to say of them."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator
from typing import Any

from hasim.services.balancing.registry import ALGORITHMS
from hasim.simulation.clients.compiled.availability import available


def own_algorithms(*data: Any) -> tuple[str, ...]:
    """The algorithms in scenarios, given as plain data, that are not those hasim comes with."""
    own = [name for name in ALGORITHMS if not available(name)]
    if not own:
        return ()
    written = {text for part in data for text in _texts(part)}
    return tuple(name for name in own if name in written)


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _texts(value)


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
