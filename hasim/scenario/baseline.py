"""The cell of a study that the others are compared with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hasim.settings.validation import Where, nearest

Varied = Mapping[str, Any]
MOST_SHOWN = 10


def baseline_problems(baseline: Varied, cells: Iterable[Varied]) -> Iterator[tuple[Where, str]]:
    """(where, message) for each part of a baseline that no cell has."""
    if not baseline:
        return
    values: dict[str, list[Any]] = {}
    for varied in cells:
        if has(varied, baseline):
            return
        for path, value in varied.items():
            known = values.setdefault(path, [])
            if value not in known:
                known.append(value)
    found = False
    for path, value in baseline.items():
        if path not in values:
            near = nearest(path, list(values)) if values else "; nothing is"
            yield ("baseline", path), f"is not varied{near}"
            found = True
        elif value not in values[path]:
            shown = ", ".join(map(_text, values[path][:MOST_SHOWN]))
            more = ", ..." if len(values[path]) > MOST_SHOWN else ""
            yield ("baseline", path), f"no cell has {_text(value)}; there are {shown}{more}"
            found = True
    if not found:
        yield ("baseline",), "no cell has all of these"


def has(varied: Varied, some: Varied) -> bool:
    """Whether a cell has these values of varied settings."""
    return all(path in varied and varied[path] == value for path, value in some.items())


def partner(varied: Varied, baseline: Varied, cells: Sequence[tuple[int, Varied]]) -> int | None:
    """The number of the cell that a cell is compared with; None if there is none, or it is itself.

    That which has the values of the baseline and else those of the cell or, if there is none such,
    the only cell that has the values of the baseline.
    """
    if has(varied, baseline):
        return None
    wanted = {**varied, **baseline}
    for number, other in cells:
        if dict(other) == wanted:
            return number
    bases = [number for number, other in cells if has(other, baseline)]
    return bases[0] if len(bases) == 1 else None


def _text(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
