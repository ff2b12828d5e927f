"""Short names for the cells of a study: only what tells them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Cell = tuple[int, Mapping[str, Any]]
"""The index of a cell and its varied settings by dotted path, as a user writes them."""

UNVARIED = "as written"
"""The label of a cell that varies nothing."""


def labels(cells: Sequence[Cell]) -> list[str]:
    """One label per cell: ``round-robin, probe+messages``.

    Settings that all cells share are left out. A value that does not speak for
    itself (a number, a duration, the same word under two paths) gets the last
    part of its path: ``fall=3``; two paths that end alike are written in full. A
    setting that a cell leaves as the scenario has it is not named.
    """
    if not cells:
        return []
    paths = differing(cells)
    names = _short_names(paths)
    bare = {path for path in paths if _speaks_for_itself(cells, path)}
    made = [
        ", ".join(
            text(varied.get(path)) if path in bare else f"{names[path]}={text(varied.get(path))}"
            for path in paths
            if path in varied
        )
        or UNVARIED
        for _, varied in cells
    ]
    if len(set(made)) < len(made):
        made = [f"{name} (cell {index})" for name, (index, _) in zip(made, cells, strict=True)]
    return made


def heading(cells: Sequence[Cell]) -> str:
    """What the labels are values of: ``algorithm, evidence``; ``scenario`` if nothing varies."""
    paths = differing(cells)
    names = _short_names(paths)
    return ", ".join(names[path] for path in paths) or "scenario"


def differing(cells: Sequence[Cell]) -> list[str]:
    """The paths whose value is not the same in all cells (all paths if there is one cell)."""
    paths = list(dict.fromkeys(path for _, varied in cells for path in varied))
    if len(cells) == 1:
        return paths
    return [p for p in paths if len({repr(varied.get(p)) for _, varied in cells}) > 1]


def text(value: Any) -> str:
    """A varied value in one word: a list joined by ``+``, a mapping as ``key=value`` pairs.

    An empty mapping is a group of settings that is switched on by being there.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return " ".join(f"{key}={text(part)}" for key, part in value.items()) or "on"
    if isinstance(value, Sequence):
        return "+".join(text(part) for part in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "default" if value is None else str(value)


def _speaks_for_itself(cells: Sequence[Cell], path: str) -> bool:
    mine = {text(varied.get(path)) for _, varied in cells}
    others = {text(v) for _, varied in cells for p, v in varied.items() if p != path}
    return all(map(_is_word, mine)) and not mine & others


def _is_word(word: str) -> bool:
    return word[:1].isalpha() and word not in {"yes", "no", "none", "default"}


def _short_names(paths: Sequence[str]) -> dict[str, str]:
    last = [path.rsplit(".", 1)[-1] for path in paths]
    return {
        path: name if last.count(name) == 1 else path
        for path, name in zip(paths, last, strict=True)
    }
