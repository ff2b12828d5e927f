"""Settings of the load balancing service."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.settings import duration, settings, share
from hasim.units import SECOND

Algorithm = Literal["round-robin", "priority", "least-loaded", "geo"]


@settings
class BalancingSettings:
    """The algorithm, and how gateways and control plane keep each other informed."""

    algorithm: Algorithm = "round-robin"
    """Who takes a stateless message; an owned message goes to the owner of its partition."""
    reserve: Annotated[
        float,
        share(
            "Of each tier's workers, the share kept for VIP messages by the priority algorithm.",
        ),
    ] = 0.2
    report_interval_ns: Annotated[
        int,
        duration(
            "A gateway with news reports at least this often; failures are reported at once.",
            above=0,
        ),
    ] = 10 * SECOND
    resend_interval_ns: Annotated[
        int,
        duration("A routing table that a gateway has not acknowledged is sent again.", above=0),
    ] = 1 * SECOND
