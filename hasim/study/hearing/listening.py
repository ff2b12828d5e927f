"""One detector hears evidence: the verdicts that follow, as the detection service would declare."""

from __future__ import annotations

import copy
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


class Ear:
    """One master's evidence comes to the court of a detection service, piece by piece."""

    def __init__(self, settings: DetectionSettings, master: str, begins_ns: int) -> None:
        cluster = Cluster((Master(master, ""),), (), (), ())
        self.court = Court(settings, cluster, chance_of(None, (master,)))
        self.health = self.court.health[master]
        self.changes: Changes = []
        self._settings = settings
        self._master = master
        self._last_ns = begins_ns
        self.court.begin(begins_ns, self.health)

    def hear(self, heard: Heard) -> None:
        """A heartbeat was heard, or a check ended; before that, silence told what it does."""
        t_ns, number, took_ns, cause, kind = heard
        court, source = self.court, SOURCES[kind]
        if kind == "check":  # which was sent before, but not before the last one ended
            asked_ns = max(self._last_ns, t_ns - took_ns)
            self.wait(asked_ns)
            court.asked(asked_ns, self._master)
            self._last_ns = t_ns
        self.wait(t_ns)
        if cause is Cause.OK:
            out = court.passed(t_ns, self._master, source, number, took_ns)
        else:
            reason = f"{source.WHAT} {number}: {cause}"
            out = court.failed(t_ns, self._master, source, cause, reason)
        if out:
            _note(self.changes, t_ns, out)

    def twin(self) -> Ear:
        """Another one that has heard the same, and has declared nothing yet."""
        made = Ear(self._settings, self._master, self._last_ns)
        made.health = made.court.health[self._master] = copy.deepcopy(self.health)
        made.court.agenda.set(self._master, made.health.changes_ns)
        return made

    def wait(self, until_ns: int) -> None:
        """Nothing is heard: let silence tell what it does before a time."""
        if self.court.keeps_time:
            while (due_ns := self.court.agenda.earliest()) < until_ns:
                _note(self.changes, due_ns, self.court.wake(due_ns))


def _listen(
    settings: DetectionSettings, master: str, heard: Sequence[Heard], begins_ns: int, ends_ns: int
) -> Changes:
    ear = Ear(settings, master, begins_ns)
    hear = ear.hear
    for each in heard:
        hear(each)
    ear.wait(ends_ns)
    return ear.changes


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
