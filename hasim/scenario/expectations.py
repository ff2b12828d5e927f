"""What a scenario promises: ``detection_time.p99: < 5s``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hasim import units
from hasim.measures.catalogue import MEASURES, find
from hasim.measures.catalogue.definition import Unit
from hasim.scenario.by_measure import ByMeasure

_BOUND = re.compile(r"\s*(<=|>=|<|>)\s*(\S.*?)\s*")


@dataclass(frozen=True)
class Expectation:
    """A limit that a measure shall keep.

    `bound` is in the measure's unit: seconds, a ratio, events per hour or a
    plain number; `op` is one of ``<``, ``<=``, ``>``, ``>=``; `text` is what the user wrote.
    """

    measure: str
    op: str
    bound: float
    text: str

    @classmethod
    def parse(cls, measure: str, text: object) -> Expectation:
        """Read ``"< 5s"``.

        Raises ValueError that names what was expected, LookupError for an unknown measure.
        """
        read, example = _READERS[find(measure).unit]
        match = _BOUND.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise ValueError(f'expected a limit such as "{example}", got {text!r}')
        try:
            bound = read(match.group(2))
        except ValueError:
            raise ValueError(f'expected a limit such as "{example}", got {text!r}') from None
        return cls(measure, match.group(1), bound, match.group(0).strip())

    def __str__(self) -> str:
        return f"{self.measure} {self.text}"


def _number(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError(f"expected a number, got {text!r}")
    return number


def _ratio(text: str) -> float:
    ratio = units.parse_percent(text) if text.endswith("%") else _number(text)
    if ratio > 1:
        raise ValueError(f"more than 100%: {text!r}")
    return ratio


_READERS: dict[Unit, tuple[Callable[[str], float], str]] = {
    "s": (lambda text: units.seconds(units.parse_duration(text)), "< 5s"),
    "ratio": (_ratio, ">= 99.99%"),
    "per_hour": (lambda text: units.parse_rate(text) * 3600, "<= 0.1/h"),
    "per_year": (lambda text: units.parse_rate(text) * units.seconds(units.YEAR), "<= 1/y"),
    "count": (_number, "<= 3"),
}


class Expectations(ByMeasure):
    """The annotation that reads ``{measure: limit, ...}`` to a tuple of `Expectation`."""

    def read(self, measure: str, value: Any) -> Expectation:
        """The limit of a measure. Raises ValueError that names what was expected."""
        return Expectation.parse(measure, value)

    def write(self, expectations: tuple[Expectation, ...]) -> dict[str, str]:
        """What a user would write."""
        return {item.measure: item.text for item in expectations}

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(
            lambda found: tuple(found.values()),
            super().__get_pydantic_core_schema__(source, handler),
        )

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                name: {
                    "type": "string",
                    "description": measure.description,
                    "examples": [_READERS[measure.unit][1]],
                    "pattern": r"^\s*(<=|>=|<|>)\s*\S.*$",
                }
                for name, measure in MEASURES.items()
            },
        }
