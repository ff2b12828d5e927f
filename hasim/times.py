"""Many times in a row, in eight bytes each, that nobody changes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload


class Times(Sequence[int]):
    """A sequence of whole numbers of nanoseconds (times or durations), equal to any with the same.

    In a journal's file, a list.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[int] | bytes = ()) -> None:
        """The items, or the bytes of so many 64-bit numbers as the machine has them."""
        self._items = array("q", items)

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Times: ...
    def __getitem__(self, index: int | slice) -> int | Times:
        found = self._items[index]
        return found if isinstance(found, int) else Times(found)

    def __iter__(self) -> Iterator[int]:
        return iter(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Times) and self._items == other._items

    def __hash__(self) -> int:
        return hash(self._items.tobytes())

    def __repr__(self) -> str:
        return f"Times({self._items.tolist()})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(
            cls,
            core_schema.list_schema(core_schema.int_schema()),
            serialization=core_schema.plain_serializer_function_ser_schema(list),
        )
