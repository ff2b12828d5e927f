"""Settings of those who cure faults."""

from __future__ import annotations

from typing import Annotated

from hasim.settings import count, settings


@settings
class RepairSettings:
    """Who cures faults."""

    crews: Annotated[
        int,
        count(
            "Repair crews: so many faults are being repaired at once, first come first served, "
            "and the others wait; 0: as many as there are faults.",
            least=0,
        ),
    ] = 0
