"""The words for measures in headings, and the blocks in which they are shown."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Sequence

from hasim.measures.catalogue import MEASURES, Shown
from hasim.measures.catalogue.definition import Block

DEFAULT: Sequence[str] = Shown("table")
"""The measures that a summary shows unless others are asked for."""
GLANCE: Sequence[str] = Shown("glance")
"""The measures in the small figure that a notebook shows of a result."""
BLOCKS: tuple[Block, ...] = typing.get_args(Block)


def title(measure: str) -> str:
    """The heading of a measure: ``detection p50`` for ``detection_time.p50``."""
    found = MEASURES.get(measure)
    return found.title if found else measure.replace(".", " ").replace("_", " ")


def blocks(measures: Iterable[str]) -> dict[str, list[str]]:
    """The measures by block (detection, failover, service), in the given order within each."""
    found: dict[str, list[str]] = {name: [] for name in BLOCKS}
    for measure in measures:
        known = MEASURES.get(measure)
        found[known.block if known else "service"].append(measure)
    return {name: members for name, members in found.items() if members}
