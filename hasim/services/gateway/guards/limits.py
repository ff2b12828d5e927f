"""Limits of what a gateway sends at a time: per master, in all, and how many wait for room."""

from __future__ import annotations

from typing import Annotated

from hasim.settings import count, settings


@settings
class LimitSettings:
    """Limits of one gateway; 0 is no limit, except for `max_queue`."""

    max_concurrency: Annotated[
        int,
        count("Attempts in flight at one master at most.", source="HAProxy maxconn", least=0),
    ] = 0
    max_requests: Annotated[
        int,
        count(
            "Attempts in flight at all masters together at most.",
            source="Envoy circuit breakers max_requests (default 1024)",
            least=0,
        ),
    ] = 0
    max_queue: Annotated[
        int,
        count(
            "Attempts that wait at the gateway, first come, first served, for room at a master, "
            "each for traffic.timeout at most, then it has failed (overflow). Once it is sent, "
            "it has all of traffic.timeout again. More are refused (overflow).",
            source="HAProxy maxqueue, timeout queue and timeout server; Envoy "
            "max_pending_requests (default 1024)",
            least=0,
        ),
    ] = 0
