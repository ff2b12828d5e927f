"""A fleet in compiled code: the columns that a gateway's balancer shares with the kernel.

The balancer's `Fleet` has numpy arrays for columns here. In compiled code a fleet is the
address of a table: two entries for each column, the address of its array and its length,
and one more, the address of the settings. `fleet.weight` is the array, as in Python.
"""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import extending, from_dtype
from numba import types as numba_types
from numpy.typing import NDArray

from hasim.services.balancing.fleet import Fleet
from hasim.services.balancing.settings import BalancingSettings
from hasim.simulation.clients.compiled.internals import AttributeTemplate, view_at

INT, FLOAT = np.dtype(np.int64), np.dtype(np.float64)
REALS = ("weight", "held", "base_weight", "values")
# The settings come last.
COLUMNS = {name: FLOAT if name in REALS else INT for name in Fleet._fields if name != "settings"}
COUNTS = 2 * list(COLUMNS).index("counts")
"""Where the address of a fleet's column `counts` is in its table."""
INT64: Any = ir.IntType(64)
# These have types that say less than they do.
types: Any = numba_types
numba: Any = extending


def dtype_of(settings: Any) -> np.dtype[Any]:
    """The numbers of a settings object as a structured type, groups nested, names as they are."""
    fields: list[Any] = []
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            fields.append((field.name, dtype_of(value)))
        elif isinstance(value, int | float):
            fields.append((field.name, FLOAT if isinstance(value, float) else INT))
    return np.dtype(fields)


SETTINGS = dtype_of(BalancingSettings())


def settings_record(settings: BalancingSettings) -> NDArray[Any]:
    """The settings as an array of one record."""
    return np.array([numbers_of(settings, SETTINGS)], dtype=SETTINGS)


def numbers_of(settings: Any, dtype: np.dtype[Any]) -> tuple[Any, ...]:
    """The values that such a type has room for."""
    found = []
    for name in cast(tuple[str, ...], dtype.names):
        value = getattr(settings, name)
        found.append(numbers_of(value, dtype[name]) if dtype[name].names else value)
    return tuple(found)


def address_table(fleet: Fleet, settings: NDArray[Any]) -> NDArray[np.int64]:
    """What a fleet is in compiled code; valid as long as its columns are."""
    table = []
    for name in COLUMNS:
        column = getattr(fleet, name)
        table += [address_of(column), len(column)]
    return np.array([*table, settings.ctypes.data], dtype=np.int64)


def address_of(column: Any) -> int:
    """Where the numbers of a column are."""
    return int(column.ctypes.data)


class FleetType(types.Type):  # type: ignore[misc]
    """The address of such a table."""

    def __init__(self) -> None:
        super().__init__("Fleet")

    def column(self, name: str) -> Any:
        """The type of a column."""
        return types.Array(from_dtype(COLUMNS[name]), 1, "C")


FLEET = FleetType()


@numba.register_model(FleetType)
class _FleetModel(numba.models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, fleet: FleetType) -> None:
        super().__init__(manager, fleet, INT64)


@numba.infer_getattr
class _FleetAttributes(AttributeTemplate):  # type: ignore[misc]
    key = FleetType

    def generic_resolve(self, fleet: FleetType, name: str) -> Any:
        """The type of `fleet.name`."""
        return from_dtype(SETTINGS) if name == "settings" else fleet.column(name)


def _entry(builder: Any, fleet: Any, position: int) -> Any:
    table = builder.inttoptr(fleet, INT64.as_pointer())
    return builder.load(builder.gep(table, [INT64(position)]))


@numba.lower_getattr_generic(FleetType)  # type: ignore[untyped-decorator]
def _get(context: Any, builder: Any, fleet: FleetType, value: Any, name: str) -> Any:
    """The instructions for `fleet.name`."""
    if name == "settings":
        pointer = context.get_value_type(from_dtype(SETTINGS))
        return builder.inttoptr(_entry(builder, value, 2 * len(COLUMNS)), pointer)
    position, size = 2 * list(COLUMNS).index(name), COLUMNS[name].itemsize
    address, count = (_entry(builder, value, place) for place in (position, position + 1))
    return view_at(context, builder, fleet.column(name), address, count, size)


def _fleet_at(_: Any, address: Any) -> Any:
    return FLEET(types.int64), lambda context, builder, signature, args: args[0]


fleet_at: Any = numba.intrinsic(_fleet_at)
"""In compiled code: the fleet whose table is at an address."""
