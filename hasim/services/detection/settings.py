"""Settings of the failure detection service."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.settings import count, duration, settings
from hasim.units import MILLISECOND, SECOND

Evidence = Literal["probe", "messages"]


@settings
class DetectionSettings:
    """Evidence source x detector, and the rhythm of the probes."""

    evidence: tuple[Evidence, ...] = ("probe", "messages")
    """What counts: answers of the health endpoint (`probe`), outcomes of messages (`messages`)."""
    detector: Literal["threshold"] = "threshold"
    """How evidence becomes a verdict."""
    interval_ns: Annotated[
        int,
        duration(
            "Time between probes of a master whose verdict is settled.",
            source="HAProxy inter (default 2 s); 30 s as AWS ALB",
            above=0,
        ),
    ] = 30 * SECOND
    fast_interval_ns: Annotated[
        int,
        duration(
            "Time between probes while a change of the verdict is pending.",
            source="HAProxy fastinter",
            above=0,
        ),
    ] = 500 * MILLISECOND
    timeout_ns: Annotated[
        int,
        duration(
            "A probe without an answer after this time has failed.",
            source="HAProxy timeout check",
            above=0,
        ),
    ] = 500 * MILLISECOND
    fall: Annotated[
        int,
        count(
            "Failed checks in a row that make a master failed.", source="HAProxy fall (default 3)"
        ),
    ] = 2
    rise: Annotated[
        int,
        count(
            "Passed checks in a row that make a failed master healthy.",
            source="HAProxy rise (default 2)",
        ),
    ] = 2
    error_limit: Annotated[
        int,
        count(
            "Failed messages in a row, summed over the gateways' own runs, that count as one "
            "failed check and shorten the interval.",
            source="HAProxy error-limit with on-error fail-check (default 10)",
        ),
    ] = 2
