"""Settings of the network: latency between sites, jitter, loss, bandwidth."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.settings import Choice, bandwidth, duration, factor, settings, share
from hasim.simulation.settings.places import NearRttSettings
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
class BurstSettings:
    """Loss in bursts, of each path by itself, both ways at once.

    Between any two endpoints the path is good or bad in turn, for exponential times. Source:
    Gilbert 1960, Elliott 1963 (their chain, in continuous time).
    """

    share: Annotated[float, share("Share of all packets that are lost in bursts.")]
    mean_ns: Annotated[int, duration("Mean length of a burst.", above=0)]
    within: Annotated[float, share("Share of the packets that a burst loses.")] = 1.0

    @property
    def bad_share(self) -> float:
        """Share of the time for which a path is bad."""
        return self.share / self.within

    @property
    def good_ns(self) -> float:
        """Mean time between two bursts, in nanoseconds."""
        return self.mean_ns * (1.0 - self.bad_share) / self.bad_share


@settings
class NetworkSettings:
    """Links between sites; every probe, message, report, command and write crosses one."""

    rtt: Annotated[FixedRtt | MatrixTrace, Choice(tag="", text=FixedRtt, text_field="rtt")] = (
        FixedRtt(rtt_ns=10 * MILLISECOND)
    )
    """Median round-trip time: one duration for all pairs, or a matrix."""
    local_rtt_ns: Annotated[int, duration("Round-trip time inside one region.")] = MILLISECOND
    near: NearRttSettings = NearRttSettings()
    """Round-trip times inside a zone, a rack, on one host."""
    jitter: Annotated[JitterLaw | JitterTrace, Choice(tag="law")] | None = None
    """The factor by which a crossing is slower or faster than the median."""
    loss: Annotated[float, share("Probability that a packet is lost, each way, by itself.")] = 0.0
    bursts: BurstSettings | None = None
    """Loss in bursts, beside that: what false failovers come from."""
    retransmit_ns: Annotated[
        int,
        duration(
            "First retransmission timeout of clients' connections, which doubles each time: when a "
            "partition or a power cut is over, they stay silent until the next retransmission. 0: "
            "new messages take new connections.",
            source="RFC 6298; Linux: 200ms",
        ),
    ] = 0
    bandwidth_bytes_per_s: Annotated[int, bandwidth("Bandwidth of a state transfer.")] = 200 * 2**20
