"""Detection time against mistakes, a curve for each detector, as a finding and a figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hasim.report.finding import Finding
from hasim.report.sheet import Column, Paper, Sheet, Value
from hasim.report.tradeoff import Drawn, tradeoff_plot
from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.simulation.settings.recordings import NumberUnit
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.statistics import (
    Interval,
    mean_interval,
    quantile_interval,
    rate_interval,
    ratio_interval,
)
from hasim.study.hearing.contest import HearingError, interval_of
from hasim.study.hearing.crossings import Draw, of_recording, of_scenario
from hasim.study.hearing.sweeps import parse_sweep, usual_sweeps
from hasim.study.hearing.tradeoff import Amounts, Curve, Point, curves_of
from hasim.units import HOUR, SECOND, format_duration

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hasim.scenario.loader import Loaded

COLUMNS = (
    Column("detector", code=True),
    Column("value", code=True),
    Column("detection\nmean", "detection_mean", "s"),
    Column("detection\np99", "detection_p99", "s"),
    Column("mistakes\nper hour", "mistake_rate", "per_hour"),
    Column("mistake\nmean", "mistake_mean", "s"),
    Column("query\naccuracy", "query_accuracy", "ratio"),
)


@dataclass(frozen=True)
class Tradeoff(Finding):
    """What each detector's parameter buys: time to detect a crash, and mistakes without one."""

    name: str
    path: str
    amounts: Amounts
    seed: int
    curves: Sequence[Curve]

    def paper(self, *, brief: bool = False) -> Paper:
        """A row for each detector and value."""
        rows: list[Sequence[Value]] = [
            [curve.sweep.detector, _setting(curve, point), *_estimates(point).values()]
            for curve in self.curves
            for point in curve.points
        ]
        sheet = Sheet(COLUMNS, rows, names=2, stacked=True, notes=self._notes())
        return Paper([sheet], title=f"Detection time against mistakes: {self.name}")

    def plain(self) -> dict[str, Any]:
        """All estimates, by detector and value."""
        from hasim.report.sheet import plain_estimate

        return {
            "name": self.name,
            "seed": self.seed,
            "interval_s": self.amounts.interval_ns / SECOND,
            "replications": self.amounts.replications,
            "curves": [
                {
                    "detector": curve.sweep.detector,
                    "fixed": dict(curve.sweep.fixed),
                    "parameter": curve.sweep.parameter,
                    "points": [
                        {"value": point.value}
                        | {name: plain_estimate(e) for name, e in _estimates(point).items()}
                        for point in curve.points
                    ],
                }
                for curve in self.curves
            ],
        }

    def figure(self) -> Figure:
        """Detection time across, mistakes upwards, both with their intervals."""
        curves = [
            Drawn(
                f"{curve.sweep.detector} ({curve.sweep.parameter})".removesuffix(" ()"),
                [(e["detection_mean"], e["mistake_rate"]) for e in map(_estimates, curve.points)],
            )
            for curve in self.curves
        ]
        return tradeoff_plot(curves, self.name)

    def _notes(self) -> list[str]:
        amounts = self.amounts
        every = format_duration(amounts.interval_ns)
        hours = amounts.replications * amounts.heard * amounts.interval_ns / HOUR
        fixed = [
            f"{curve.sweep.label}: what is fixed." for curve in self.curves if curve.sweep.fixed
        ]
        return [
            *fixed,
            f"{self.path}: one heartbeat each {every} (detectors that count failed checks: one "
            f"check, which times out after {format_duration(amounts.timeout_ns)}), "
            f"{amounts.replications} replications, {hours:,.0f} hours in all, seed {self.seed}.",
            "Detection of a crash in silence, at any moment. Mistakes while nothing is wrong but "
            "the network. The same streams for all; 95 % confidence intervals below.",
        ]


def compare_tradeoff(
    loaded: Loaded | None,
    *,
    detectors: Sequence[str] = (),
    rtt: tuple[str | Path, str] | None = None,
    unit: NumberUnit = "ms",
    master: str | None = None,
    interval: str | None = None,
    replications: int = 10,
    heartbeats: int = 5000,
    seed: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Tradeoff:
    """What `hasim.api.tradeoff` gives, of a scenario that is loaded."""
    period_ns = interval_of(interval)
    timeout_ns = None
    if rtt is not None:
        draw, path, name, seed = _recorded(rtt, unit, seed or 1)
    else:
        assert loaded is not None, "it is either a scenario or recorded times"
        cell = loaded.cells[0]
        world, name, seed = cell.world, loaded.scenario.name, loaded.scenario.seed
        known = [m.id for m in world.all_masters]
        chosen = master or known[0]
        if chosen not in known:
            from hasim.settings.validation import nearest

            raise HearingError(f"no master {chosen!r}{nearest(chosen, known)}")
        draw = of_scenario(world, loaded.recorded_of(cell), seed, chosen)
        path = f"The network between {chosen} and its observer"
        period_ns = period_ns or world.detection.heartbeat_ns or world.detection.period_ns
        probes = [s for s in world.detection.evidence if isinstance(s, ProbeSettings)]
        timeout_ns = probes[0].patience_ns if probes else None
    period_ns = period_ns or SECOND
    timeout_ns = min(period_ns, timeout_ns or period_ns // 2)
    amounts = Amounts(period_ns, timeout_ns, replications, heartbeats)
    sweeps = [parse_sweep(text) for text in detectors] or usual_sweeps(period_ns)
    curves = curves_of(sweeps, draw, amounts, seed, progress)
    return Tradeoff(name, path, amounts, seed, curves)


def _recorded(
    rtt: tuple[str | Path, str], unit: NumberUnit, seed: int
) -> tuple[Draw, str, str, int]:
    """Crossings by recorded round-trip times."""
    from hasim.scenario.traces.evidence import read_rtt

    file, column = rtt
    times_ns = read_rtt(Path(file), column, unit)
    path = f"Half of {len(times_ns):,} recorded round-trip times, in their order"
    return of_recording(times_ns, seed), path, Path(file).name, seed


def _setting(curve: Curve, point: Point) -> str:
    return f"{curve.sweep.parameter}={point.value}" if curve.sweep.parameter else ""


def _estimates(point: Point) -> dict[str, Estimate]:
    """What is told of a detector with one value of its parameter, by column."""
    means = [sum(each) / len(each) for each in point.detection_s]
    every = [time for each in point.detection_s for time in each]
    up_s = [hours * 3600 for hours in point.up_h]
    wrong = ratio_interval(point.mistaken_s, up_s)
    if any(point.mistakes):
        rate = ratio_interval(point.mistakes, point.up_h)
    else:
        rate = rate_interval(0, sum(point.up_h))
    lasting = ratio_interval(point.mistaken_s, point.mistakes)
    found = {
        "detection_mean": ("s", mean_interval(means)),
        "detection_p99": ("s", quantile_interval(every, 0.99)),
        "mistake_rate": ("per_hour", rate),
        "mistake_mean": ("s", lasting),
        "query_accuracy": ("ratio", _rest(wrong)),
    }
    return {name: _estimate(name, unit, one) for name, (unit, one) in found.items()}


def _rest(share: Interval) -> Interval:
    value = None if share.value is None else 1 - share.value
    low, high = max(0.0, 1 - share.high), min(1.0, 1 - share.low)
    return Interval(value, low, high, share.n, share.method, share.needed, share.note)


def _estimate(name: str, unit: str, one: Interval) -> Estimate:
    low = None if one.value is None else max(0.0, one.low)
    high = None if one.value is None else one.high
    return Estimate(name, unit, one.value, low, high, one.n, one.method, one.needed, one.note)
