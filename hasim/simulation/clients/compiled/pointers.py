"""How compiled code reaches the arrays behind a table of addresses, given by its own address.

Through a `Pointer` for single elements: numba's own arrays would do, but an index into
one of these may be negative, and to ask every time costs the kernel a seventh of its
speed. A picker gets the columns of its fleet as arrays all the same (see `fleet`).
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numba import from_dtype, types
from numba.extending import intrinsic, lower_builtin, models, register_model

from hasim.simulation.clients.compiled.internals import (
    AbstractTemplate,
    infer_global,
    signature,
    view_at,
)

# These have no types, or wrong ones.
lower: Any = lower_builtin
make_model: Any = register_model
Primitive: Any = models.PrimitiveModel


class Pointer(types.Type):
    """Where many records or numbers of one type begin."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Pointer({dtype})")


@make_model(Pointer)
class _Model(Primitive):  # type: ignore[misc]
    def __init__(self, manager: Any, pointer: Any) -> None:
        item = manager.lookup(pointer.dtype).get_data_type()
        super().__init__(manager, pointer, item.as_pointer())


@infer_global(operator.getitem)
class _Get(AbstractTemplate):  # type: ignore[misc]
    def generic(self, args: Any, _: Any) -> Any:
        pointed = isinstance(args[0], Pointer)
        return signature(args[0].dtype, *args) if pointed else None


@infer_global(operator.setitem)
class _Set(AbstractTemplate):  # type: ignore[misc]
    def generic(self, args: Any, _: Any) -> Any:
        pointed = isinstance(args[0], Pointer)
        return signature(types.void, *args) if pointed else None


def _get(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    index = context.cast(builder, args[1], signature.args[1], types.int64)
    return context.unpack_value(builder, signature.return_type, builder.gep(args[0], [index]))


def _set(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    dtype = signature.args[0].dtype
    index = context.cast(builder, args[1], signature.args[1], types.int64)
    value = context.cast(builder, args[2], signature.args[2], dtype)
    context.pack_value(builder, dtype, value, builder.gep(args[0], [index]))
    return context.get_dummy_value()


lower(operator.getitem, Pointer, types.Integer)(_get)
lower(operator.setitem, Pointer, types.Integer, types.Any)(_set)


def pointer_of(position: int, dtype: np.dtype[Any]) -> Any:
    """A compiled function from a table of addresses to the pointer at one of its places."""
    pointer = Pointer(from_dtype(dtype))

    def typed(_: Any, table: Any) -> Any:
        def generate(context: Any, builder: Any, _: Any, args: Any) -> Any:
            address = _load(context, builder, args[0], position)
            return builder.inttoptr(address, context.get_value_type(pointer))

        return pointer(table), generate

    return intrinsic(typed)


def _integers_at(_: Any, address: Any) -> Any:
    pointer = Pointer(types.int64)

    def generate(context: Any, builder: Any, _: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(pointer))

    return pointer(types.int64), generate


integers_at: Any = intrinsic(_integers_at)
"""In compiled code: the whole numbers at an address."""


def _numbers_at(_: Any, address: Any, count: Any) -> Any:
    array = types.Array(types.int64, 1, "C")

    def generate(context: Any, builder: Any, _: Any, args: Any) -> Any:
        return view_at(context, builder, array, args[0], args[1], 8)

    return array(types.int64, types.int64), generate


numbers_at: Any = intrinsic(_numbers_at)
"""In compiled code: so many whole numbers from an address on, as an array."""


def _bits_of(_: Any, number: Any) -> Any:
    def generate(context: Any, builder: Any, _: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(types.int64))

    return types.int64(types.float64), generate


bits_of: Any = intrinsic(_bits_of)
"""In compiled code: the 64 bits of a float64 as a whole number."""


def _load(context: Any, builder: Any, table: Any, position: int) -> Any:
    """The address at one place of the table, whose own address is given."""
    addresses = builder.inttoptr(table, context.get_value_type(types.intp).as_pointer())
    return builder.load(builder.gep(addresses, [context.get_constant(types.intp, position)]))
