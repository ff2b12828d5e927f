"""What clients add to an outage by themselves, as a sheet: each cause a phase of its own."""

from __future__ import annotations

from collections.abc import Sequence

from hasim.findings.summary import Summary, name_column, name_fields
from hasim.report.cells import Cell
from hasim.report.sheet import Column, Sheet, Value

COLUMNS = {
    "follow.mean": "clients\nfollow after",
    "follow.name": "of it by\nname",
    "follow.pool": "of it by\npool",
    "follow.stay": "of it by\nstaying",
    "follow.pause": "of it by\npause",
    "follow.most": "the last\nof a run",
    "held.mean": "messages\nheld for",
    "held.most": "the longest\nof a run",
}
"""The measures that are shown, and what they are called here."""
FOLLOWING = (
    "Clients follow: from a change of routing, which is the end of a failover's phases, to each "
    "client's first message elsewhere; on average over those that had sent to the old master. It "
    "is the sum of what keeps them, one after the other: the name that they asked stands for the "
    "old master still; their connection to it is not too old yet (pool), or has not met an error "
    "yet (staying); they have nothing to send (pause)."
)
HOLDING = (
    "Messages held: at the gateway while nobody might take them, if they were sent in the end; "
    "that is within the failover's phases, not after them."
)


def waiting_sheet(cells: Sequence[Cell], summaries: Sequence[Summary]) -> Sheet | None:
    """A row for each cell, with the measures of `COLUMNS` that are known; None without any."""
    shown = [m for m in COLUMNS if any(s[m].value for s in summaries if m in s)]
    if not shown:
        return None
    rows: list[list[Value]] = [
        [name, *(summary.get(measure, "") for measure in shown)]
        for name, summary in zip(name_fields(cells), summaries, strict=True)
    ]
    columns = [Column(COLUMNS[measure], key=measure, align="right") for measure in shown]
    told = [FOLLOWING] * ("follow.mean" in shown) + [HOLDING] * ("held.mean" in shown)
    return Sheet([name_column(cells), *columns], rows, notes=tuple(told), stacked=True)
