"""Detectors compared on recorded evidence, as a finding."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hasim.journal import is_journal, read
from hasim.report.finding import Finding
from hasim.report.sheet import Column, Paper, Sheet, Value
from hasim.scenario.traces.evidence import read_evidence
from hasim.scenario.traces.heard import Evidence
from hasim.simulation.settings.recordings import NumberUnit, TimeUnit
from hasim.study.hearing.contest import Contestant, contest, interval_of
from hasim.study.hearing.journals import evidence_of
from hasim.told import as_told
from hasim.units import seconds

NAME = Column("detector", code=True)
COUNTED = (
    NAME,
    Column("suspicions"),
    Column("declarations"),
    Column("failed\nmean", "failed_mean_s", "s"),
    Column("failed\nlongest", "failed_longest_s", "s"),
)
JUDGED = (
    NAME,
    Column("suspicions"),
    Column("declarations"),
    Column("outages\ndetected", "detected"),
    Column("outages\nmissed", "missed"),
    Column("detection\nmean", "detection_mean_s", "s"),
    Column("detection\nlongest", "detection_longest_s", "s"),
    Column("mistakes"),
    Column("mistakes\nper hour", "mistake_rate", "per_hour"),
    Column("mistake\nmean", "mistake_mean_s", "s"),
    Column("between\nmistakes", "mistake_recurrence_mean_s", "s"),
    Column("query\naccuracy", "query_accuracy", "ratio"),
    Column("healthy\nagain", "recovery_mean_s", "s"),
)


@dataclass(frozen=True)
class Contest(Finding):
    """What each detector made of the same evidence."""

    source: str
    evidence: Evidence
    contestants: Sequence[Contestant]

    def paper(self, *, brief: bool = False) -> Paper:
        """A row for each detector."""
        judged = self.evidence.outages is not None
        sheet = Sheet(
            JUDGED if judged else COUNTED,
            [_judged(one) if judged else _counted(one) for one in self.contestants],
            notes=self._notes(judged),
        )
        return Paper([sheet], title=f"Detectors on {self.source}")

    def tidy(self) -> Sheet:
        """All verdicts of all detectors, a row each."""
        rows: list[Sequence[Value]] = [
            [one.written, master, seconds(t_ns), event.old.value, event.new.value, event.reason]
            for one in self.contestants
            for master, changes in one.verdicts.items()
            for t_ns, event in changes
        ]
        columns = ("detector", "master", "time_s", "old", "new", "reason")
        return Sheet([Column(name) for name in columns], rows)

    def _notes(self, judged: bool) -> list[str]:
        evidence = self.evidence
        what = " and ".join(f"{kind}s" for kind in evidence.kinds)
        masters = len(evidence.heard)
        of = "one master" if masters == 1 else f"{masters} masters"
        long = seconds(evidence.ends_ns - evidence.begins_ns)
        notes = [f"{evidence.count:,} {what} of {of} in {long:,.0f} s.", *evidence.said]
        if "check" not in evidence.kinds:
            notes += [
                f"{one.written} counts failed checks, and no heartbeat fails: it sees nothing."
                for one in self.contestants
                if one.settings.detector.convicting_checks
            ]
        if not judged:
            notes.append("When masters were down is not known (--outages): nothing is a mistake.")
            return notes
        assert evidence.outages is not None
        count = sum(map(len, evidence.outages.values()))
        notes.append(f"{count} outage{'s' * (count != 1)}; times in seconds.")
        already = max((one.quality.already for one in self.contestants), default=0)
        if already:
            notes.append(f"Up to {already} began while the master was declared failed already.")
        return notes


def _counted(one: Contestant) -> list[Value]:
    quality = one.quality
    return [
        one.written,
        quality.suspicions,
        quality.declarations,
        _mean(quality.failed_s),
        max(quality.failed_s, default=None),
    ]


def _judged(one: Contestant) -> list[Value]:
    quality = one.quality
    return [
        one.written,
        quality.suspicions,
        quality.declarations,
        len(quality.detection_s),
        len(quality.censored_s),
        _mean(quality.detection_s),
        max(quality.detection_s, default=None),
        quality.mistakes,
        quality.mistake_rate,
        _mean(quality.mistakes_s),
        _mean(quality.recurrence_s),
        quality.accuracy,
        _mean(quality.recovery_s),
    ]


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def hear(
    file: str | Path,
    detectors: Sequence[str],
    *,
    outages: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    unit: TimeUnit = "timestamp",
    took_unit: NumberUnit = "ms",
    interval: str | None = None,
    observer: str | None = None,
) -> Contest:
    """What detectors make of recorded evidence, without a simulation.

    `file` is a table (CSV) or JSON Lines with a row for each heartbeat or check, whose columns are
    found or named by `columns` (``{"time": "ts", "target": "host"}``, see
    `hasim.scenario.traces.evidence.WHAT`), or one of hasim's own journals (of which `observer`
    heard it). `detectors` are written as ``phi-accrual:threshold=8``. `outages` is a table of when
    masters were down, with columns start, end and resource; a journal knows that. `unit`: of
    times that are numbers, `took_unit` of how long something took, `interval` (``"1s"``) the
    regular time between two hearings (None: the median of the gaps).

    Raises DetectorError for a detector that cannot be, TraceError or JournalError for a file.
    """

    path = Path(file)
    if is_journal(path):
        journal = as_told(read(path), observer)
        evidence = evidence_of(journal, observer)
        if journal.cut:
            evidence = replace(evidence, said=(*evidence.said, journal.cut))
    else:
        evidence = read_evidence(
            path,
            columns or {},
            unit=unit,
            took_unit=took_unit,
            period_ns=interval_of(interval),
            outages=None if outages is None else Path(outages),
        )
    return Contest(path.name, evidence, contest(evidence, detectors))
