"""The incidents of a run for its page: all of them as columns, and some taken apart."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from hasim import events
from hasim.findings.losses import names_of
from hasim.findings.tables import Tables
from hasim.journal import Journal
from hasim.measures.alerts import Alert, alerts_of
from hasim.measures.facts import facts_of
from hasim.model import Cause
from hasim.report.explain import explain
from hasim.report.story import since
from hasim.report.timeline import KINDS, STRIPS, timeline_rows
from hasim.singles import singly
from hasim.truth import MessageRecord
from hasim.units import nanoseconds, seconds

WORDS = {
    "incident": "incident",
    "cell": "cell",
    "replication": "replication",
    "master": "master",
    "kind": "fault",
    "outcome": "how detection ended",
    "started_at_s": "start",
    "cured_at_s": "cured at",
    "suspected_at_s": "suspected at",
    "declared_at_s": "declared at",
    "detection_s": "detected after",
    "censored_s": "undetected for",
    "restored_at_s": "restored at",
    "outage_s": "outage",
    "outage_censored_s": "down to the end of the run for",
    "decided_at_s": "failover begun at",
    "fenced_at_s": "fenced at",
    "transferred_at_s": "state there at",
    "promoted_at_s": "promoted at",
    "redirected_at_s": "redirected at",
}
"""What each column is called; those from `decided_at_s` on are the incident's first failover."""
_OF_FAILOVER = tuple(WORDS)[tuple(WORDS).index("decided_at_s") :]
MOST_MASTERS = 12
"""Masters that get lanes: those of the incident first."""
_BINS = 240
_NEWS = ("declared_at_s", "restored_at_s")
"""After the last of these moments little happens but that the fault is over."""


def columns(found: Tables) -> dict[str, list[Any]]:
    """All incidents, a column for each of `WORDS`; times in seconds, to 0.1 ms."""
    frame = found.incidents
    own = found.failovers
    first = own[own["incident"].notna() & ~own["retry"].astype(bool)]
    first = first.drop_duplicates("incident").set_index("incident")[list(_OF_FAILOVER)]
    frame = frame.join(first, on="incident")
    names = names_of(found)
    made: dict[str, list[Any]] = {}
    for name in WORDS:
        values = frame[name].map(names) if name == "cell" else frame[name]
        made[name] = [_plain(value) for value in values.tolist()]
    return made


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return None if value is pd.NA else value


def longest(found: Tables) -> list[int]:
    """The incident with the longest outage of each cell, or else its first: their numbers."""
    frame = found.incidents
    if frame.empty:
        return []
    outage = frame["outage_s"].fillna(frame["outage_censored_s"]).fillna(-1.0)
    places = outage.groupby(frame["cell"], sort=True).idxmax()
    return [int(frame.loc[place, "incident"]) for place in places]


def detail(number: int, cell: str, row: Mapping[str, Any], journal: Journal) -> dict[str, Any]:
    """One incident taken apart, for the page's script; times in seconds since its start.

    `row` is that of the incident, `journal` has its single messages.
    """
    journal = _own_tier(journal, str(row["master"]))
    observer = journal.observer()
    start_ns = nanoseconds(row["started_at_s"])
    story = explain(journal, row, observer)
    ends = [line.t_ns for line in story.lines] or [start_ns]
    room = max(max(ends) - start_ns, 10**9) // 10
    first_ns = max(0, start_ns - 3 * room)
    last_ns = min(journal.horizon_ns, max(ends) + 3 * room)
    spans = _Spans(start_ns, first_ns, last_ns)
    shown = _masters(journal, str(row["master"]), timeline_rows(journal, first_ns, last_ns))
    alerts = _add_alerts(spans, alerts_of(facts_of(journal, observer)))
    failed = _failed(spans, journal)
    for one in timeline_rows(journal, first_ns, last_ns):
        if one["lane"] in shown:
            strip = STRIPS[KINDS[one["kind"]][1]]
            spans.add(
                f"{one['lane']}: {strip}", one["kind"], one["start_s"], one["end_s"], one["label"]
            )
    _add_checks(spans, journal.seen_by(observer), shown)
    lanes = [lane for lane in _order(alerts, journal, shown) if lane in set(spans.rows["lane"])]
    return {
        "number": number,
        "title": f"Incident {number}: {row['kind']} at {row['master']} ({cell}; replication "
        f"{row['replication']})",
        "lanes": lanes,
        "spans": spans.rows,
        "failed": failed,
        "story": [
            [
                seconds(line.t_ns - start_ns),
                since(line.t_ns, start_ns),
                line.who,
                line.words(start_ns),
            ]
            for line in story.lines
        ],
        "ending": story.ending,
        "why": list(story.why),
        "extent": [seconds(first_ns - start_ns), seconds(last_ns - start_ns)],
        "view": _view(row, seconds(first_ns - start_ns), seconds(last_ns - start_ns)),
    }


def _view(row: Mapping[str, Any], first_s: float, last_s: float) -> list[float]:
    """The part of the time that is shown first: until service was restored and somewhat more.

    All of it, if it never was: a fault may last for hours after that, with nothing new in it.
    """
    if row["restored_at_s"] is None:
        return [first_s, last_s]
    since = [row[name] - row["started_at_s"] for name in _NEWS if row[name] is not None]
    length = max([*since, 0.5])
    return [max(first_s, -0.3 * length), min(last_s, 1.6 * length)]


def _own_tier(journal: Journal, master: str) -> Journal:
    """Of several tiers the one that a master belongs to, as if it were alone."""
    tier = journal.tier_of(master)
    return journal.of_tier(tier) if tier else journal


class _Spans:
    """Spans as columns, cut to a window, in seconds since the start of an incident."""

    def __init__(self, origin_ns: int, first_ns: int, last_ns: int) -> None:
        self.origin_s = seconds(origin_ns)
        self.first_ns, self.last_ns = first_ns, last_ns
        self.first_s, self.last_s = seconds(first_ns), seconds(last_ns)
        self.rows: dict[str, list[Any]] = {
            name: [] for name in ("lane", "kind", "start", "end", "label", "strength")
        }

    def add(
        self,
        lane: str,
        kind: str,
        start_s: float,
        end_s: float,
        label: str = "",
        strength: float | None = None,
    ) -> None:
        if end_s < self.first_s or start_s > self.last_s:
            return
        start_s, end_s = max(start_s, self.first_s), min(end_s, self.last_s)
        row = (
            lane,
            kind,
            round(start_s - self.origin_s, 4),
            round(end_s - self.origin_s, 4),
            label,
            strength,
        )
        for name, value in zip(self.rows, row, strict=True):
            self.rows[name].append(value)


def _masters(journal: Journal, own: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The masters that get lanes: the incident's, then those with anything in the window."""
    known = list(journal.masters)
    touched = {row["lane"] for row in rows} | {str(row["label"]) for row in rows}
    order = [own, *(m for m in known if m in touched), *known]
    return list(dict.fromkeys(m for m in order if m in known))[:MOST_MASTERS]


def _order(alerts: Sequence[str], journal: Journal, masters: Sequence[str]) -> list[str]:
    """The lanes from the top: control plane, gateways, masters."""
    gateways = sorted({m.gateway for _, m in journal.of(MessageRecord)})
    return [
        *alerts,
        *(f"{gateway}: failed messages" for gateway in gateways),
        *(f"{master}: {strip}" for master in masters for strip in ("checks", *STRIPS)),
    ]


def _add_alerts(spans: _Spans, alerts: Sequence[Alert]) -> list[str]:
    """The alerts of the control plane, a lane for each subject; those lanes."""
    lanes = []
    for alert in alerts:
        end_s = spans.last_s if alert.resolved_at_s is None else alert.resolved_at_s
        kind, lane = f"alert {alert.severity}", f"alert: {alert.subject.replace(':', ' ')}"
        spans.add(lane, kind, alert.raised_at_s, end_s, alert.text)
        lanes.append(lane)
    return list(dict.fromkeys(lanes))


def _failed(spans: _Spans, journal: Journal) -> dict[str, list[Any]]:
    """Failed messages per second of each gateway, as lanes and as the columns of a figure."""
    width_s = max((spans.last_s - spans.first_s) / _BINS, 1e-3)
    counts: defaultdict[tuple[str, int], int] = defaultdict(int)
    for _, message in journal.of(MessageRecord):
        if message.outcome in (Cause.OK, "in_flight"):
            continue
        if spans.first_ns <= message.ended_ns < spans.last_ns:
            place = int((seconds(message.ended_ns) - spans.first_s) // width_s)
            counts[message.gateway, place] += 1
    most = max(counts.values(), default=1)
    made: dict[str, list[Any]] = {
        name: [] for name in ("gateway", "at", "until", "per_s", "base", "top")
    }
    stacked: defaultdict[int, float] = defaultdict(float)
    for (gateway, place), count in sorted(counts.items()):
        at_s = spans.first_s + place * width_s
        per_s = round(count / width_s, 3)
        label = f"{per_s:g} a second"
        lane = f"{gateway}: failed messages"
        spans.add(lane, "failed messages", at_s, at_s + width_s, label, round(count / most, 3))
        base = stacked[place]
        stacked[place] = top = round(base + per_s, 3)
        times = (at_s - spans.origin_s, at_s + width_s - spans.origin_s)
        own = (gateway, *(round(time_s, 4) for time_s in times), per_s, base, top)
        for name, value in zip(made, own, strict=True):
            made[name].append(value)
    return made


def _add_checks(spans: _Spans, journal: Journal, masters: Sequence[str]) -> None:
    """Each check when it ended (or was sent, if nobody answered) and each heartbeat."""
    sent: dict[tuple[str, int], int] = {}
    single = singly(journal)
    for t_ns, body in single.of(events.SendProbe, events.ProbeReply, events.Heartbeat):
        if body.master not in masters:
            continue
        lane = f"{body.master}: checks"
        if isinstance(body, events.SendProbe):
            sent[body.master, body.probe] = t_ns
            continue
        kind, began_ns = "heartbeat", t_ns
        if isinstance(body, events.ProbeReply):
            kind = "check passed" if body.cause is Cause.OK else "check failed"
            began_ns = sent.pop((body.master, body.probe), t_ns)
        spans.add(
            lane,
            kind,
            seconds(t_ns),
            seconds(t_ns),
            f"sent {seconds(t_ns - began_ns):.4g} s before",
        )
    for (master, _), t_ns in sent.items():
        spans.add(
            f"{master}: checks", "check failed", seconds(t_ns), seconds(t_ns), "never answered"
        )
