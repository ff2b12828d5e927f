"""The warm-up of a run, as it is written in a scenario."""

from __future__ import annotations

from typing import Any, Literal

from hasim.settings import Setting
from hasim.units import format_duration

WarmUp = int | Literal["mser-5", "none"]
"""A duration in nanoseconds, a rule that finds it, or none."""
RULES = ("mser-5", "none")
_DURATION = Setting("duration", "The warm-up.", above=0)


class WarmUpRule:
    """The annotation that reads ``mser-5``, ``none`` or a duration."""

    def read(self, value: object) -> WarmUp:
        """The rule, or the duration in nanoseconds; ValueError says what was expected."""
        if value == "mser-5" or value == "none":  # noqa: PLR1714 - narrows the type
            return value
        try:
            return int(_DURATION.read(value))
        except ValueError as error:
            raise ValueError(f"{error} (or mser-5, or none)") from None

    def write(self, value: WarmUp) -> str:
        """What a user would write."""
        return value if isinstance(value, str) else format_duration(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            self.read, serialization=core_schema.plain_serializer_function_ser_schema(self.write)
        )

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"enum": list(RULES)}, _DURATION.json_schema()]}
