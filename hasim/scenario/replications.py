"""How often each cell is run: a fixed number of times, or until estimates are precise enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from hasim.measures.catalogue import MEASURES
from hasim.scenario.by_measure import ByMeasure
from hasim.settings import Setting, count, settings

PRECISION = Setting("share", "Relative half-width of the 95 % interval.", above=0.0, most=1.0)


class Precisions(ByMeasure):
    """The annotation that reads ``{measure: share, ...}``: a mapping of known measures."""

    def read(self, measure: str, value: Any) -> Any:
        """The relative precision of a measure. Raises ValueError that names what was expected."""
        return PRECISION.read(value)

    def write(self, until: Mapping[str, float]) -> dict[str, Any]:
        """What a user would write."""
        return {measure: PRECISION.write(share) for measure, share in until.items()}

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        return {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {
                name: {**PRECISION.json_schema(), "description": measure.description}
                for name, measure in MEASURES.items()
            },
        }


@settings
class Sequential:
    """Replications in rounds, until every named measure of a cell is known precisely enough.

    A precision of g is reached when the half-width of the 95 % interval is at most
    g/(1+g) of the estimate, so that the relative error is at most g (Law,
    Kelton, Simulation Modeling and Analysis, section 9.4.1).
    """

    until: Annotated[dict[str, float], Precisions()]
    """Measure to the relative precision that it shall have: `outage.p95: 5%`."""
    at_least: Annotated[int, count("Replications before a cell may stop.", least=2)] = 20
    at_most: Annotated[int, count("Replications at which a cell stops in any case.", least=2)] = 400
    events: Annotated[
        int,
        count(
            "Incidents (for failovers and mistakes: those) that a cell must have seen before it "
            "may stop: a start without any looks precise and is not.",
            least=0,
        ),
    ] = 10


@dataclass(frozen=True)
class Replications:
    """The annotation of a number of replications, for which a mapping means `Sequential`."""

    fixed: Setting

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        from hasim.settings.choices import label_of

        sequential = label_of(Sequential)

        def which(value: Any) -> str:
            return sequential if isinstance(value, dict | Sequential) else "fixed"

        members = {
            "fixed": core_schema.no_info_before_validator_function(
                self.fixed.read, core_schema.int_schema()
            ),
            sequential: handler.generate_schema(Sequential),
        }
        return core_schema.tagged_union_schema(members, which)

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        _, sequential = handler(core)["oneOf"]
        return {"anyOf": [self.fixed.json_schema(), sequential]}


def most(replications: int | Sequential) -> int:
    """The number of replications that a cell has, or may have."""
    return replications.at_most if isinstance(replications, Sequential) else replications
