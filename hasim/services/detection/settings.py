"""Settings of the failure detection service, and what can be said of it without running it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from hasim.services.detection.confirm.alone import AloneSettings
from hasim.services.detection.confirm.confirmation import ConfirmationSettings
from hasim.services.detection.detectors.detector import DetectorSettings
from hasim.services.detection.detectors.freshness import FreshnessSettings
from hasim.services.detection.detectors.threshold import ThresholdSettings
from hasim.services.detection.distrust.distrust import DistrustSettings
from hasim.services.detection.distrust.trusting import TrustingSettings
from hasim.services.detection.evidence.messages import MessageSettings
from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.services.detection.evidence.source import SourceSettings
from hasim.services.detection.flapping.flapping import FlappingSettings
from hasim.services.detection.flapping.never import NeverSettings
from hasim.services.detection.registry import (
    CONFIRMATIONS,
    DETECTORS,
    DISTRUSTS,
    FLAPPINGS,
    PRESETS,
    SOURCES,
)
from hasim.services.watch import UNWATCHED, Watch
from hasim.settings import settings
from hasim.settings.parts import KIND, Part, PartsBeside
from hasim.settings.presets import Preset
from hasim.settings.registry import Named


@settings
class DetectionSettings(PartsBeside):
    """Evidence x detector x confirmation, and flap detection: parts with settings of their own.

    In a scenario a part is its name, and its settings stand beside it: ``{evidence: [probe,
    messages], interval: 5s, detector: threshold, fall: 3}``, or in a mapping with its name. A
    preset is a system's own settings, and what stands beside it overrides it: ``{preset: haproxy,
    fall: 5}``.
    """

    PRESETS: ClassVar[Named[Preset]] = PRESETS

    evidence: tuple[Annotated[SourceSettings, Part(SOURCES)], ...] = (
        ProbeSettings(),
        MessageSettings(),
    )
    """What counts. Without anything that can speak for a failed master (messages alone), masters
    that are in doubt are probed, too."""
    detector: Annotated[DetectorSettings, Part(DETECTORS)] = ThresholdSettings()
    """How evidence becomes a verdict."""
    confirm: Annotated[ConfirmationSettings, Part(CONFIRMATIONS)] = AloneSettings()
    """Whether what the detector says is enough to declare a master failed."""
    flapping: Annotated[FlappingSettings, Part(FLAPPINGS)] = NeverSettings()
    """Whether a master that fails again and again is held down although its checks pass."""
    distrust: Annotated[DistrustSettings, Part(DISTRUSTS)] = TrustingSettings()
    """Whether an observer that was not well itself declares nobody for a while."""

    def __post_init__(self) -> None:
        if self.evidence and not any(source.ACQUITS for source in self.evidence):
            raise ValueError(
                "nothing speaks for a failed master: add ProbeSettings(when='in-doubt')"
            )

    @classmethod
    def completed(cls, field: str, names: list[str]) -> list[dict[str, Any]]:
        """Probes of masters in doubt where nothing else could acquit them."""
        known = SOURCES.settings()
        chosen = [known[name] for name in names if name in known] if field == "evidence" else []
        alone = bool(chosen) and not any(source.ACQUITS for source in chosen)
        return [{KIND: "probe", "when": "in-doubt"}] if alone else []

    @property
    def period_ns(self) -> int:
        """The rhythm of the evidence: its longest regular interval (nanoseconds)."""
        return max((source.period_ns for source in self.evidence), default=0)

    @property
    def late_window_ns(self) -> int:
        """After a cure, a declaration this soon still rests on what happened before it."""
        news_ns = max((source.news_ns for source in self.evidence), default=0)
        return self.detector.late_window_ns(news_ns)

    @property
    def recovery_ns(self) -> int:
        """A master that is cured is declared healthy within this time, if no check fails.

        A check that was under way and the wait for the first one, then a period for each other;
        and as long as it is held down before.
        """
        news_ns = max((source.news_ns for source in self.evidence), default=0)
        checks_ns = (self.detector.acquitting_checks + 1) * self.period_ns
        return news_ns + checks_ns + self.flapping.longest_ns

    @property
    def probes(self) -> ProbeSettings | None:
        """The settings of its probes, if there are any."""
        found = (own for own in self.evidence if isinstance(own, ProbeSettings))
        return next(found, None)

    @property
    def heartbeat_ns(self) -> int:
        """How often masters shall send heartbeats; 0: nobody asks for them."""
        asked = [source.heartbeat_ns for source in self.evidence if source.heartbeat_ns]
        return min(asked, default=0)

    @property
    def watch(self) -> Watch:
        """What gateways shall count against masters, and report at once."""
        checks = self.detector.convicting_checks
        watches = (source.watch(checks) for source in self.evidence)
        return next((watch for watch in watches if watch is not None), UNWATCHED)

    def problems(self) -> Iterator[tuple[str, str]]:
        """What does not fit together: (setting, message)."""
        for source in self.evidence:
            yield from source.problems()
        yield from self.flapping.problems()
        names = [SOURCES.name_of(type(source)) for source in self.evidence]
        if {"probe", "ping"} <= {*names}:
            yield "evidence", "probe and ping both ask the health endpoint: choose one of them"
        silent = isinstance(self.detector, FreshnessSettings)
        if silent and all(name in ("gossip", "messages", "outliers") for name in names):
            yield "detector", "gossip tells of changes, not of silence: choose hearsay"
        numbered = isinstance(self.detector, FreshnessSettings) and self.detector.NUMBERED
        if numbered and not self.heartbeat_ns:
            name = DETECTORS.name_of(type(self.detector))
            yield "detector", f"{name} reckons with heartbeats: evidence must have heartbeat"
