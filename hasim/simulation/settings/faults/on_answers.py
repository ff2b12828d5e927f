"""The kinds of faults that strike answers on their way to a control plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from hasim.settings import duration, settings
from hasim.simulation.settings.faults.fault import Cure, Fault, Named, Pool, Reach
from hasim.units import SECOND


@settings
class _OnAnswers(Fault):
    """It strikes what comes to control planes."""

    STRIKES: ClassVar[Pool] = "observers"

    target: str | tuple[str, ...] = "random"
    """A control plane (`observer`, or the name of its tier), several, `random` (one of them),
    `each` (every one has a schedule of its own), or `all` (all of them together)."""

    @property
    def needs_repair(self) -> bool:
        """It passes by itself."""
        return False


@settings
class LostAnswers(_OnAnswers):
    """What masters, gateways and the fencing device answer to orders of a control plane is lost.

    The orders are carried out; checks and reports come in as ever.
    """

    kind: Literal["lost-answers"]

    def strike(self, reach: Reach, masters: Sequence[Named], lasting_ns: int) -> Cure:
        """Lose them."""
        return reach.on_answers(masters)


@settings
class DoubledAnswers(_OnAnswers):
    """What answers an order of a control plane comes a second time, later."""

    kind: Literal["doubled-answers"]
    after_ns: Annotated[int, duration("So long after the first time.", above=0)] = 5 * SECOND

    def strike(self, reach: Reach, masters: Sequence[Named], lasting_ns: int) -> Cure:
        """Have them come twice."""
        return reach.on_answers(masters, again_ns=self.after_ns)
