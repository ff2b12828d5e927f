"""Settings of the network: latency between sites, jitter, loss, bandwidth."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.settings import Choice, bandwidth, duration, factor, settings, share
from hasim.simulation.settings.recordings import JitterTrace, MatrixTrace
from hasim.units import MILLISECOND


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
