"""One detector hears evidence: the verdicts that follow, as the detection service would declare."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from hasim.events import Output, StatusChanged
from hasim.model import Cause, Cluster, Master
from hasim.scenario.traces.heard import Evidence, Heard, Kind
from hasim.services.detection.chance import chance_of
from hasim.services.detection.court import Court
from hasim.services.detection.evidence.heartbeats import HeartbeatSettings
from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.services.detection.evidence.source import Source, SourceSettings
from hasim.services.detection.settings import DetectionSettings
from hasim.settings import from_plain
from hasim.settings.parts import KIND

Changes = list[tuple[int, StatusChanged]]
"""The verdicts on one master, with their times in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Told:
    """A source of evidence as far as the court knows it: what speaks for a master, in words."""

    WHAT: str
    NUMBERED: bool
    OF_MESSAGES: bool = False


SOURCES: dict[Kind, Source] = {
    "heartbeat": cast(Source, Told("heartbeat", NUMBERED=True)),
    "check": cast(Source, Told("check", NUMBERED=False)),
}


def detection_for(evidence: Evidence, detector: str, **settings: Any) -> DetectionSettings:
    """The settings of a detector that hears such evidence, from what users write.

    `settings` are the detector's own and those beside it (``threshold=8``). Raises SettingsError.
    """
    written = {"detector": {KIND: detector}, **settings}
    made = from_plain(DetectionSettings, {"evidence": list(_names(evidence.kinds)), **written})
    return _with_period(made, evidence.period_ns)


def listen(settings: DetectionSettings, evidence: Evidence) -> dict[str, Changes]:
    """What is declared of each master: the verdicts, as the detection service has them.

    What is heard at an instant comes before what silence tells then.
    """
    return {
        master: _listen(settings, master, heard, evidence.begins_ns, evidence.ends_ns)
        for master, heard in evidence.heard.items()
    }


def _listen(
    settings: DetectionSettings, master: str, heard: Sequence[Heard], begins_ns: int, ends_ns: int
) -> Changes:
    cluster = Cluster((Master(master, ""),), (), (), ())
    court = Court(settings, cluster, chance_of(None, (master,)))
    found: Changes = []
    court.begin(begins_ns, court.health[master])
    passed, failed, last_ns = court.passed, court.failed, begins_ns
    for t_ns, number, took_ns, cause, kind in heard:
        source = SOURCES[kind]
        if kind == "check":  # which was sent before, but not before the last one ended
            asked_ns = max(last_ns, t_ns - took_ns)
            _wake(court, asked_ns, found)
            court.asked(asked_ns, master)
            last_ns = t_ns
        _wake(court, t_ns, found)
        if cause is Cause.OK:
            out = passed(t_ns, master, source, number, took_ns)
        else:
            out = failed(t_ns, master, source, cause, f"{source.WHAT} {number}: {cause}")
        if out:
            _note(found, t_ns, out)
    _wake(court, ends_ns, found)
    return found


def _wake(court: Court, until_ns: int, found: Changes) -> None:
    """Let silence tell what it does before a time."""
    if court.keeps_time:
        while (due_ns := court.agenda.earliest()) < until_ns:
            _note(found, due_ns, court.wake(due_ns))


def _note(found: Changes, t_ns: int, outputs: Iterable[Output]) -> None:
    found += [(t_ns, output) for output in outputs if isinstance(output, StatusChanged)]


def _names(kinds: Iterable[Kind]) -> Iterable[str]:
    return ("heartbeat" if kind == "heartbeat" else "probe" for kind in kinds)


def _with_period(made: DetectionSettings, period_ns: int) -> DetectionSettings:
    """The same, for evidence of this rhythm."""
    sources: list[SourceSettings] = []
    for source in made.evidence:
        if isinstance(source, HeartbeatSettings):
            sources.append(dataclasses.replace(source, heartbeat_interval_ns=period_ns))
        elif isinstance(source, ProbeSettings):
            sources.append(
                dataclasses.replace(
                    source,
                    interval_ns=period_ns,
                    fast_interval_ns=min(period_ns, source.fast_ns),
                    timeout_ns=min(period_ns, source.patience_ns),
                )
            )
    return dataclasses.replace(made, evidence=tuple(sources))
