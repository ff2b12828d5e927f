"""Settings of the failover orchestrator."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.services.failover.selection import RULES
from hasim.settings import Name, count, duration, settings
from hasim.units import SECOND


@settings
class FencingSettings:
    """Whether and how long the orchestrator insists that the old owner is off."""

    mode: Literal["confirmed", "none"] = "confirmed"
    """`confirmed`: nothing is promoted before the fencing device confirms; `none`: no fencing."""
    timeout_ns: Annotated[
        int,
        duration(
            "A fencing order without an answer after this time is repeated.",
            source="Pacemaker stonith-timeout (60 s); shorter for a power switch",
            above=0,
        ),
    ] = 5 * SECOND
    attempts: Annotated[
        int,
        count(
            "Fencing orders before the failover gives up.",
            source="Pacemaker stonith-max-attempts (10)",
        ),
    ] = 10


@settings
class FailoverSettings:
    """Selection, fencing and the time that each step may take."""

    selection: tuple[Annotated[str, Name(RULES.names)], ...] = ("priority",)
    """The rules that choose the backup among the eligible masters, applied in this order."""
    fencing: FencingSettings = FencingSettings()
    """Fencing of the failed owner before a backup is promoted."""
    transfer_timeout_ns: Annotated[
        int,
        duration(
            "A state transfer without a result after this time is torn and rolled back.",
            source="Vitess wait-replicas-timeout (30 s)",
            above=0,
        ),
    ] = 30 * SECOND
    promote_timeout_ns: Annotated[
        int,
        duration(
            "A promotion without an answer after this time is rolled back.",
            source="Patroni retry_timeout (10 s); one command here",
            above=0,
        ),
    ] = 3 * SECOND
    demote_timeout_ns: Annotated[
        int,
        duration(
            "A demotion without an answer after this time makes the candidate be fenced.", above=0
        ),
    ] = 3 * SECOND
    redirect_timeout_ns: Annotated[
        int,
        duration(
            "A failover ends after this time even if a gateway has not acknowledged the routing.",
            above=0,
        ),
    ] = 10 * SECOND
    retry_interval_ns: Annotated[
        int,
        duration(
            "Time until the next failover of a master whose failover could not finish.", above=0
        ),
    ] = 5 * SECOND
