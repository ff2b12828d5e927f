"""A mapping of measures to what is read of each: limits, precisions."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hasim.measures.catalogue import MEASURES

if TYPE_CHECKING:
    from pydantic_core import SchemaValidator


class ByMeasure:
    """The annotation of such a mapping; its measures are those that exist when it is read."""

    def keys(self) -> Iterable[str]:
        """The measures that exist."""
        return MEASURES

    def read(self, measure: str, value: Any) -> Any:
        """What the value means. Raises ValueError that names what was expected."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self._read_all)

    def _read_all(self, data: Any) -> Any:
        """The values by measure, in the order of the catalogue.

        Raises pydantic's ValidationError, which the one around it takes over place by place.
        """
        return _validator(self, tuple(MEASURES)).validate_python(data)


@functools.cache
def _validator(reader: ByMeasure, measures: tuple[str, ...]) -> SchemaValidator:
    from pydantic_core import SchemaValidator, core_schema

    fields = {
        measure: core_schema.typed_dict_field(
            core_schema.no_info_plain_validator_function(functools.partial(reader.read, measure)),
            required=False,
        )
        for measure in measures
    }
    return SchemaValidator(core_schema.typed_dict_schema(fields, extra_behavior="forbid"))
