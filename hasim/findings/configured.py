"""Settings of Chen's detectors, worked out from a wanted quality of service, as a finding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hasim.report.finding import Finding
from hasim.report.format import percent, seconds
from hasim.report.sheet import Column, Field, Paper, Sheet
from hasim.services.detection import configurator
from hasim.services.detection.configurator import Configuration, Network, Quality, Wanted
from hasim.units import format_duration, nanoseconds

DETECTORS = {"nfd-s": "shift", "nfd-e": "margin"}
"""The detectors that can be configured, and the setting that goes with the interval."""
LAWS = ("unknown", "exponential")
NEEDS_LAW = "nfd-e asks for no law of the delays: its bounds rest on the deviation alone"


@dataclass(frozen=True)
class Configured(Finding):
    """What to set, and what it promises; `quality` if the law of the delays is known."""

    detector: str
    configuration: Configuration
    quality: Quality | None

    @property
    def settings(self) -> dict[str, str]:
        """The settings as a scenario has them."""
        interval_ns = nanoseconds(self.configuration.interval_s)
        return {
            "evidence": "heartbeat",
            "heartbeat_interval": format_duration(interval_ns),
            "detector": self.detector,
            DETECTORS[self.detector]: format_duration(nanoseconds(self.configuration.extra_s)),
        }

    def paper(self, *, brief: bool = False) -> Paper:
        """The line for a scenario, and the figures."""
        line = ", ".join(f"{name}: {value}" for name, value in self.settings.items())
        own = self.configuration
        rows: list[list[Field]] = [
            _row("interval", seconds(own.interval_s), own.interval_s),
            _row(DETECTORS[self.detector], seconds(own.extra_s), own.extra_s),
            _row("heartbeats a second", f"{1 / own.interval_s:.4g}", 1 / own.interval_s),
        ]
        if self.quality is not None:
            apart, lasts = self.quality.recurrence_s, self.quality.duration_s
            never = math.isinf(apart)
            rows += [
                _row("time between mistakes", "never" if never else seconds(apart), apart),
                _row("a mistake lasts", seconds(lasts), lasts),
                _row("right for", percent(self.quality.accuracy), self.quality.accuracy),
            ]
        columns = [Column("what"), Column("value", align="right")]
        return Paper([Sheet(columns, rows)], said=[f"detection: {{{line}}}"])

    def plain(self) -> dict[str, Any]:
        """Settings and figures; times in seconds."""
        own, found = self.configuration, self.quality
        promised = None if found is None else dict(vars(found))
        if promised is not None and math.isinf(promised["recurrence_s"]):
            promised["recurrence_s"] = None
        return {"detection": self.settings, **vars(own), "promised": promised}


def _row(name: str, text: str, value: float) -> list[Field]:
    return [Field(name), Field(text, value=value if math.isfinite(value) else None)]


def configured(detector: str, wanted: Wanted, network: Network, law: str = "unknown") -> Configured:
    """Work out the settings of a detector; `law` is one of `LAWS`.

    Raises `configurator.UnreachableError` (a ValueError) if nothing gives the wanted quality, and
    ValueError for another detector or law.
    """
    if detector not in DETECTORS:
        raise ValueError(f"unknown detector {detector!r}; expected one of {', '.join(DETECTORS)}")
    if law not in LAWS:
        raise ValueError(f"unknown law {law!r}; expected one of {', '.join(LAWS)}")
    if detector == "nfd-e":
        if law != "unknown":
            raise ValueError(NEEDS_LAW)
        return Configured(detector, _rounded(configurator.nfd_e(wanted, network)), None)
    if law == "unknown":
        return Configured(detector, _rounded(configurator.nfd_s_by_moments(wanted, network)), None)
    tail = configurator.exponential_tail(network.mean_s)
    made = _rounded(configurator.nfd_s(wanted, network.loss, tail))
    return Configured(detector, made, configurator.quality(made, network.loss, tail))


def _rounded(exact: Configuration) -> Configuration:
    """The same with a little shorter an interval, in whole milliseconds: it keeps the bounds.

    Where the largest interval ends, the bounds are broken above it and kept below.
    """
    step_s = 1e-3 if exact.interval_s >= 0.1 else 1e-6
    interval_s = math.floor(exact.interval_s / step_s) * step_s
    whole_s = exact.interval_s + exact.extra_s
    return Configuration(round(interval_s, 6), round(whole_s - interval_s, 9))
