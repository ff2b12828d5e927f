"""The kinds of faults that strike gateways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from hasim.settings import settings
from hasim.simulation.settings.faults.fault import Cure, Fault, Named, Pool, Reach


@settings
class GatewayCrash(Fault):
    """The gateway of a client region is killed; at the cure a new process takes its place.

    Meanwhile the messages of its region find no master, and nothing is reported. The new one
    knows the cluster as it is at the start, says hello as another incarnation, and counts anew;
    it gets the answers to what was under way, as after a hot restart.
    """

    STRIKES: ClassVar[Pool] = "gateways"

    kind: Literal["gateway-crash"]
    target: str | tuple[str, ...] = "random"
    """A client region, several, `random` (one of them), `each` (every one has a schedule of its
    own), or `all` (all of them together)."""

    def strike(self, reach: Reach, masters: Sequence[Named], lasting_ns: int) -> Cure:
        """Kill them."""
        cures = [reach.kill_gateway(gateway.id) for gateway in masters]

        def start() -> None:
            for cure in cures:
                cure()

        return start
