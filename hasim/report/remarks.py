"""What has to be known beside estimates and differences, gathered below their table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hasim.report.titles import title
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.statistics import FEW

EXPLAINED = {
    FEW: "few replications of a skewed measure: the interval may hold the truth less often than "
    "it says",
}
"""Notes of estimates in full sentences, where the note itself is not one."""


def remarks(summaries: Iterable[Mapping[str, Estimate]], measures: Sequence[str]) -> list[str]:
    """A sentence for each note that estimates of these measures carry, with their titles."""
    found: dict[str, dict[str, int]] = {}
    cells = 0
    for summary in summaries:
        cells += 1
        for measure in measures:
            if measure in summary and (note := summary[measure].note):
                counts = found.setdefault(note, {})
                counts[measure] = counts.get(measure, 0) + 1
    return [
        f"{', '.join(_where(m, count, cells) for m, count in counts.items())}: "
        f"{EXPLAINED.get(note, note)}."
        for note, counts in found.items()
    ]


def _where(measure: str, count: int, cells: int) -> str:
    """The title of a measure, and of how many cells that is said if not of all."""
    name = title(measure)
    return name if count == cells else f"{name} ({count} of {cells} cells)"
