"""Invariants of a scenario's own: ``invariants: [{always: served}]``."""

from __future__ import annotations

from typing import Any

EXAMPLE = "always: served, eventually within 30s: healthy or always: outage.max < 10s"


class Statements:
    """The annotation that reads a list of statements to a tuple of texts, each as one line.

    In YAML ``always: served`` is a mapping of one key; a mapping of several is several.
    """

    def read(self, value: Any) -> tuple[str, ...]:
        """The statements. Raises ValueError that names what was expected."""
        return tuple(
            line
            for item in (value if isinstance(value, list | tuple) else [value])
            for line in self._lines(item)
        )

    def write(self, statements: tuple[str, ...]) -> list[str]:
        """What a user would write."""
        return list(statements)

    def _lines(self, item: Any) -> list[str]:
        from hasim.oracle.statements import stated  # only where there are any

        lines = [item] if isinstance(item, str) else []
        if isinstance(item, dict):
            lines = [f"{how}: {what}" for how, what in item.items()]
        if not lines:
            raise ValueError(f"expected statements such as {EXAMPLE}, got {item!r}")
        return [stated(line).name for line in lines]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            self.read, serialization=core_schema.plain_serializer_function_ser_schema(self.write)
        )

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        line = {"type": "string", "pattern": r"^\s*(always|eventually within \S+)\s*:\s*\S.*$"}
        pair = {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": r"^(always|eventually within \S+)$"},
            "additionalProperties": {"type": "string"},
        }
        one = {"anyOf": [line, pair]}
        return {"anyOf": [*one["anyOf"], {"type": "array", "items": one}]}
