"""Detection time against mistakes: each detector's curve as its parameter is swept.

No world is simulated: detectors hear streams of heartbeats (those that count failed checks: of
checks by the clock) over the network. One pass tells the mistakes, and at many moments how
long a crash then would go undeclared; all detectors hear the same streams.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hasim.model import Cause, Status
from hasim.scenario.traces.heard import Evidence, Heard
from hasim.services.agenda import NEVER
from hasim.services.detection.settings import DetectionSettings
from hasim.settings import SettingsError
from hasim.simulation.streams import generator
from hasim.study.hearing.contest import DetectorError, parse_detector
from hasim.study.hearing.crossings import Draw, checks, heartbeats
from hasim.study.hearing.listening import Ear, detection_for
from hasim.study.hearing.quality import quality_of
from hasim.study.hearing.sweeps import Sweep
from hasim.units import HOUR, SECOND, seconds

Ints = NDArray[np.int64]
MASTER = "m"
CRASHES = 200
"""Moments in each replication at which a crash is looked at."""


@dataclass(frozen=True)
class Amounts:
    """How much is heard: replications of so many heartbeats or checks, one each interval."""

    interval_ns: int
    timeout_ns: int
    replications: int = 10
    heard: int = 5000


@dataclass
class Point:
    """One detector with one value of its parameter, by replication; times in seconds.

    `detection_s`: of each crash that was looked at. `mistakes` in `up_h` hours without a crash,
    in `mistaken_s` of which the master was declared failed.
    """

    value: str
    written: str
    detection_s: list[list[float]] = field(default_factory=list)
    mistakes: list[int] = field(default_factory=list)
    up_h: list[float] = field(default_factory=list)
    mistaken_s: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Curve:
    """A detector as its parameter is swept."""

    sweep: Sweep
    points: list[Point]


@dataclass(frozen=True)
class _Stream:
    """What is heard in one replication: of what is sent at `sent_ns`, and moments of crashes."""

    evidence: Evidence
    sent_ns: Ints
    crashes_ns: Ints
    timeout_ns: int


def curves_of(
    sweeps: Iterable[Sweep],
    draw: Draw,
    amounts: Amounts,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> list[Curve]:
    """The curve of each detector. Raises DetectorError for a value that none can have."""
    wanted = list(sweeps)
    curves = [Curve(s, [Point(v, s.written(v)) for v in s.values]) for s in wanted]
    points = [point for curve in curves for point in curve.points]
    done, total = 0, amounts.replications * len(points)
    for replication in range(amounts.replications):
        beats, asked = _streams(draw, amounts, seed, replication)
        for point in points:
            _hear(point, beats, asked)
            done += 1
            if progress is not None:
                progress(done, total)
    return curves


def _streams(draw: Draw, amounts: Amounts, seed: int, replication: int) -> tuple[_Stream, _Stream]:
    """Heartbeats and checks of one replication, sent at the same times."""
    interval_ns = amounts.interval_ns
    sent = np.arange(1, amounts.heard + 1, dtype=np.int64) * interval_ns
    crossings = draw(replication, sent)
    ends_ns = int(sent[-1]) + interval_ns
    chance = generator(seed, replication, "crashes")
    # One in each of as many equal parts, so that they meet every phase alike.
    parts = (np.arange(CRASHES) + chance.random(CRASHES)) / CRASHES
    # Estimates have been learned by then, and there is time left to declare it.
    crashes = (interval_ns * amounts.heard * (0.1 + 0.8 * parts)).astype(np.int64)
    heard = (heartbeats(crossings, sent), checks(crossings, sent, amounts.timeout_ns))
    made = [
        _Stream(
            Evidence({MASTER: each}, interval_ns, 0, ends_ns, {}), sent, crashes, amounts.timeout_ns
        )
        for each in heard
    ]
    return made[0], made[1]


def _hear(point: Point, beats: _Stream, asked: _Stream) -> None:
    """Let one detector hear one replication, and note what it did."""
    settings, stream = settings_for(point.written, beats.evidence), beats
    if settings.detector.convicting_checks:
        settings, stream = settings_for(point.written, asked.evidence), asked
    ear, detections = _pass(settings, stream)
    evidence = stream.evidence
    found = quality_of({MASTER: ear.changes}, {}, 0, evidence.ends_ns)
    point.detection_s.append(detections)
    point.mistakes.append(found.mistakes)
    point.up_h.append(found.up_ns / HOUR)
    point.mistaken_s.append(seconds(found.mistaken_ns))


def settings_for(written: str, evidence: Evidence) -> DetectionSettings:
    """The settings of a detector as a user writes it. Raises DetectorError."""
    name, own = parse_detector(written)
    try:
        settings = detection_for(evidence, name, **own)
    except SettingsError as error:
        raise DetectorError(f"{written}: {str(error).replace(chr(10), '; ')}") from None
    return settings


def _pass(settings: DetectionSettings, stream: _Stream) -> tuple[Ear, list[float]]:
    """All that is heard, and how long each crash would have gone undeclared."""
    ear = Ear(settings, MASTER, 0)
    heard = stream.evidence.heard[MASTER]
    counts = settings.detector.convicting_checks > 0
    numbers = np.array([each.number for each in heard], dtype=np.int64)
    # What was sent before the crash is heard, and nothing after it.
    sent_before = np.searchsorted(stream.sent_ns, stream.crashes_ns, side="right")
    heard_before = np.searchsorted(numbers, sent_before, side="right").tolist()
    detections, place = [], 0
    for crash_ns, last in zip(stream.crashes_ns.tolist(), heard_before, strict=True):
        for each in heard[place:last]:
            ear.hear(each)
        place = last
        if counts:
            after = stream.sent_ns[np.searchsorted(stream.sent_ns, crash_ns, side="right") :]
            detections.append(_declared_by_checks(ear, crash_ns, after, stream))
        else:
            detections.append(_declared_by_silence(ear, crash_ns))
    for each in heard[place:]:
        ear.hear(each)
    ear.wait(stream.evidence.ends_ns)
    return ear, detections


def _declared_by_silence(ear: Ear, crash_ns: int) -> float:
    """When nothing more is heard: 0 if it is declared failed already, by mistake."""
    due_ns = ear.health.changes_ns
    if ear.health.status is Status.FAILED or due_ns == NEVER:
        return 0.0
    return max(0.0, (due_ns - crash_ns) / SECOND)


def _declared_by_checks(ear: Ear, crash_ns: int, sent_ns: Ints, stream: _Stream) -> float:
    """When all checks from now on time out; as by silence."""
    if ear.health.status is Status.FAILED:
        return 0.0
    twin, timeout_ns = ear.twin(), stream.timeout_ns
    for number, sent in enumerate(sent_ns, 1):
        each_ns = int(sent)
        twin.hear(Heard(each_ns + timeout_ns, number, timeout_ns, Cause.TIMEOUT, "check"))
        for t_ns, event in twin.changes:
            if event.new is Status.FAILED:
                return (t_ns - crash_ns) / SECOND
    return (stream.evidence.ends_ns - crash_ns) / SECOND
