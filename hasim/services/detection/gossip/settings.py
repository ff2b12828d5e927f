"""Settings of gossip: SWIM's, memberlist's, and which of Lifeguard's parts are at work."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.settings import count, duration, settings
from hasim.units import MILLISECOND, SECOND

LAN = "memberlist DefaultLANConfig"


@settings
class SwimSettings:
    """How members probe each other, and how long one that is suspected has to refute it."""

    probe_interval_ns: Annotated[
        int, duration("Each member probes another one so often.", source=f"{LAN} (1 s)", above=0)
    ] = SECOND
    probe_timeout_ns: Annotated[
        int,
        duration(
            "A ping without an answer after this is tried through others.",
            source=f"{LAN} (500 ms)",
            above=0,
        ),
    ] = 500 * MILLISECOND
    indirect_checks: Annotated[
        int,
        count("Members that are asked to ping for another.", source=f"{LAN} (3)", least=0),
    ] = 3
    suspicion_mult: Annotated[
        int,
        count(
            "A suspicion lasts at least this x max(1, log10 n) probe intervals.",
            source=f"{LAN} (4); alpha of Lifeguard",
        ),
    ] = 4
    suspicion_max_mult: Annotated[
        int,
        count(
            "Without confirmations it lasts so many times as long.",
            source=f"{LAN} (6); beta of Lifeguard",
        ),
    ] = 6
    retransmit_mult: Annotated[
        int,
        count("News is sent this x ceil(log10(n + 1)) times.", source=f"{LAN} (4)"),
    ] = 4
    gossip_interval_ns: Annotated[
        int, duration("News is sent so often.", source=f"{LAN} (200 ms)", above=0)
    ] = 200 * MILLISECOND
    gossip_nodes: Annotated[
        int, count("Members to which news is sent at a time.", source=f"{LAN} (3)")
    ] = 3
    sync_interval_ns: Annotated[
        int,
        duration(
            "Two members tell each other all that they know so often.",
            source=f"{LAN} PushPullInterval (30 s)",
            above=0,
        ),
    ] = 30 * SECOND
    awareness_max: Annotated[
        int,
        count(
            "The local health score stays below this; 1 + score multiplies the probe interval.",
            source="memberlist AwarenessMaxMultiplier (8)",
        ),
    ] = 8
    probe_order: Literal["round-robin", "random"] = "round-robin"
    """Whom a member probes: each in turn, shuffled anew each round (SWIM, section 4.3), or anybody
    at random (section 3)."""
    lha_probe: bool = True
    """Lifeguard: a member whose probes fail, or that is suspected itself, probes more slowly."""
    lha_suspicion: bool = True
    """Lifeguard: a suspicion begins long, and is shortened as others confirm it."""
    buddy: bool = True
    """Lifeguard: a ping to a suspected member says so, so that it can refute it at once."""
