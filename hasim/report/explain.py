"""One incident in words and times: what was seen, declared, decided and done."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hasim.journal import Journal
from hasim.report import format
from hasim.report.followers import followers
from hasim.report.story import Story, collapse
from hasim.report.teller import Teller
from hasim.report.why import why
from hasim.units import nanoseconds

if TYPE_CHECKING:
    from hasim.measures.incidents import Incident


def explain(
    journal: Journal, incident: int | Mapping[str, Any], observer: str | None = None
) -> Story:
    """The story of one incident, from its start until service is restored and the fault cured.

    And until the last client has followed, if clients keep names or connections.

    `incident` is its number in the journal (from 1), or its row in a table of
    incidents (`master`, `started_at_s`, `cured_at_s`, `restored_at_s`, ...). Lines
    of `truth` are what really happened, which no service is told; the others are one
    observer's (None: the first that the journal names, of several tiers the one of the tier that
    was struck, and only what concerns that is told). Raises LookupError, saying how many
    there are, for a number that does not exist, and JournalError for an unknown observer.
    """
    row = _row(journal, incident, observer) if isinstance(incident, int) else incident
    tier = journal.tier_of(str(row["master"])) if observer is None else ""
    if tier:
        journal = journal.of_tier(tier)
    observer = journal.observer(observer)
    start_ns = nanoseconds(row["started_at_s"])
    ends = [_given(row, "restored_at_s"), _given(row, "cured_at_s")]
    known = [nanoseconds(end_s) for end_s in ends if end_s is not None]
    over = _given(row, "outage_censored_s") is None and bool(known)
    end_ns = max(known) if over else journal.horizon_ns
    teller = Teller(journal, str(row["master"]), start_ns, end_ns, observer)
    ended_ns = nanoseconds(row["cured_at_s"]) if _given(row, "cured_at_s") else journal.horizon_ns
    reasons = why(journal, str(row["master"]), start_ns, ended_ns, observer)
    waits = followers(journal, str(row["master"]), start_ns, observer)
    lines = collapse(sorted([*teller.lines(), *waits], key=lambda line: line.t_ns))
    title = f"{_title(row)} (tier {tier})" if tier else _title(row)
    return Story(title, start_ns, lines, _ending(row), tuple(reasons))


def _row(journal: Journal, number: int, observer: str | None) -> dict[str, Any]:
    from hasim.measures import measure
    from hasim.measures.facts import facts_of
    from hasim.measures.incidents import incidents_of

    if journal.tiers:
        rows: Sequence[Incident] = measure(journal).incidents
    else:
        rows = incidents_of(facts_of(journal, journal.observer(observer)))
    if not 1 <= number <= len(rows):
        raise LookupError(f"no incident {number}; the journal has {len(rows)}")
    return asdict(rows[number - 1])


def _title(row: Mapping[str, Any]) -> str:
    what = f"{row.get('kind', 'fault')} at {row['master']}"
    if "number" not in row:
        return what
    run = ""
    if "replication" in row:
        run = f" of replication {row['replication']} of cell {row.get('cell', 0)}"
    return f"Incident {row['number']}{run}: {what}"


def _ending(row: Mapping[str, Any]) -> str:
    told = []
    if (detection := _given(row, "detection_s")) is not None:
        told.append(f"detected after {format.seconds(detection)}")
    elif (censored := _given(row, "censored_s")) is not None:
        late = row.get("outcome") == "late"
        after = "declared only after its end, " if late else "never detected "
        told.append(f"{after}in the {format.seconds(censored)} that it lasted")
    elif row.get("outcome"):
        told.append(f"not counted for detection ({row['outcome']})")
    if (outage := _given(row, "outage_s")) is not None:
        told.append(_restored(row, outage))
    elif (down := _given(row, "outage_censored_s")) is not None:
        told.append(f"service not restored in the {format.seconds(down)} to the end of the run")
    return ("; ".join(told) or "nothing is known of its end").capitalize() + "."


def _restored(row: Mapping[str, Any], outage_s: float) -> str:
    """How long service was down; and until when, if it was up in between."""
    whole_s = (_given(row, "restored_at_s") or 0.0) - row["started_at_s"]
    after = format.seconds(whole_s) if whole_s > 0 else format.seconds(outage_s)
    down = format.seconds(outage_s)
    return f"service restored after {after}" + (f", {down} of it down" if after != down else "")


def _given(row: Mapping[str, Any], key: str) -> float | None:
    """The number under a key; None if it is missing, as None or (in a DataFrame) as NaN."""
    value = row.get(key)
    return None if value is None or math.isnan(value) else float(value)
