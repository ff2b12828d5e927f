"""The load of a scenario, and the settings that make it more or less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hasim.settings import plain
from hasim.simulation.settings import TraceArrivals, WorldSettings
from hasim.simulation.settings.traffic import CurveArrivals
from hasim.units import format_rate

DIGITS = 4
"""Significant digits of a load that is tried."""


@dataclass(frozen=True)
class Loads:
    """The loads of one scenario: messages a second, or, of a recorded trace, multiples of it.

    `today` is what the scenario says: of a curve the mean, of a trace 1.
    """

    arrivals: Any
    today: float
    recorded: bool

    def settings(self, load: float) -> dict[str, Any]:
        """The setting that makes the load so much.

        A curve keeps its shape; a trace is replayed faster or slower, so that it is shorter.
        """
        own = dict(plain(self.arrivals))
        if isinstance(self.arrivals, TraceArrivals):
            own["time_scale"] = self.arrivals.time_scale * load
        elif isinstance(self.arrivals, CurveArrivals):
            more = load / self.today
            own["rates"] = [format_rate(rate * more) for rate in self.arrivals.rates_per_s]
        else:
            own["rate"] = format_rate(load)
        return {"traffic.arrivals": own}

    def named(self, load: float) -> str:
        """``148/s``, or ``1.48 x`` of what was recorded."""
        number = f"{float(f'{load:.{DIGITS}g}'):,g}"
        return f"{number} x" if self.recorded else f"{number}/s"


def loads_of(world: WorldSettings) -> Loads:
    """The loads of a scenario."""
    arrivals = world.traffic.arrivals
    if isinstance(arrivals, TraceArrivals):
        return Loads(arrivals, 1.0, recorded=True)
    if isinstance(arrivals, CurveArrivals):
        return Loads(arrivals, sum(arrivals.rates_per_s) / len(arrivals.rates_per_s), False)
    return Loads(arrivals, arrivals.rate_per_s, recorded=False)


def rounded(load: float) -> float:
    """A load as it is tried and shown."""
    return float(f"{load:.{DIGITS}g}")
