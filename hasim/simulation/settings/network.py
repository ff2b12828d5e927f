"""Settings of the network: latency between sites, jitter, loss, bandwidth."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.settings import Choice, bandwidth, duration, factor, settings, share
from hasim.units import MILLISECOND


@settings
class JitterTrace:
    """Recorded round-trip times: each value over its pair's median is a ratio to draw from."""

    trace: str
    """A CSV file, relative to the scenario file."""
    column: str
    """The column with the round-trip times (any unit: only ratios are used)."""
    pair: tuple[str, ...] = ()
    """The columns that name a pair; the median is taken per pair. Empty: one pair."""
    count: str = ""
    """The column that says how often a row's value was seen. Empty: each row counts once."""


@settings
class JitterLaw:
    """A lognormal factor with mean 1 on each crossing."""

    law: Literal["lognormal"] = "lognormal"
    cv: Annotated[float, factor("Coefficient of variation of the factor.")] = 0.1


@settings
class FixedRtt:
    """One round-trip time for every pair of sites."""

    rtt_ns: Annotated[int, duration("Median round-trip time.")]


@settings
class MatrixTrace:
    """Round-trip times between sites, from a CSV file."""

    matrix: str
    """A CSV file, relative to the scenario file."""
    source: str = "source"
    """The column with the first site."""
    destination: str = "destination"
    """The column with the second site."""
    column: str = "rtt"
    """The column with the round-trip time."""
    unit: Literal["ns", "us", "ms", "s"] = "ms"
    """The unit of that column."""


@settings
class NetworkSettings:
    """Links between sites; every probe, message, report, command and write crosses one."""

    rtt: Annotated[FixedRtt | MatrixTrace, Choice(tag="", text=FixedRtt, text_field="rtt")] = (
        FixedRtt(rtt_ns=10 * MILLISECOND)
    )
    """Median round-trip time: one duration for all pairs, or a matrix."""
    local_rtt_ns: Annotated[int, duration("Round-trip time inside one site.")] = MILLISECOND
    jitter: Annotated[JitterLaw | JitterTrace, Choice(tag="law")] | None = None
    """The factor by which a crossing is slower or faster than the median."""
    loss: Annotated[float, share("Probability that a packet is lost, each way.")] = 0.0
    bandwidth_bytes_per_s: Annotated[int, bandwidth("Bandwidth of a state transfer.")] = 200 * 2**20
