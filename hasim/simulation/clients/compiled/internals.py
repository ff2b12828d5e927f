"""numba's private names: this is the only file that uses them.

Why any are needed. The kernel is one compiled program over more than forty arrays, which it
reaches through the address of a table (`layout`), and it calls pickers by their addresses
(`algorithms`). numba's public interface has no type that is an address, and its arrays ask at
every access whether the index is negative, which costs the kernel a seventh of its speed. So
there are two types of hasim's own, a pointer (`pointers`) and a fleet (`fleet`), declared with
the low-level part of `numba.extending`. That says how a value lies in memory (`register_model`,
`models`) and which instructions an operation becomes (`lower_builtin`, `lower_getattr_generic`),
but not of what type the operation's result is. For that, numba itself uses what stands here:

- `infer_global`, `AbstractTemplate`, `signature` (numba.core.typing.templates): the type of
  ``pointer[index]``, by the types of both, as numba declares it for its own arrays.
- `AttributeTemplate` (there as well): the type of ``fleet.weight``, by the attribute's name.
- `make_array`, `populate_array` (numba.np.arrayobj): an array over memory that belongs to
  somebody else. The public `numba.carray` makes one in Python code, not among instructions.
- `_nrt`, `no_cpython_wrapper`, `no_cfunc_wrapper`: options of `njit`. Without the first, compiled
  code counts references to memory that it does not own, at each access; the wrappers, for calls
  from Python and C, would be compiled for a hundred functions that only compiled code calls.

All of them are the same from numba 0.60 to the latest version that has been tried, and none is
promised to stay. pyproject.toml names the first version that has not been tried. With that or a
later one, `availability` tries whether the names are there, and messages run on the reference
plane if they are not. When a new version of numba is out: raise the bound there and in
pyproject.toml, and run tests/simulation/clients/compiled, which compares every message with the
reference plane.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core.typing import templates
from numba.np import arrayobj

# These have no types, or wrong ones.
_arrays: Any = arrayobj
_templates: Any = templates

infer_global: Any = _templates.infer_global
signature: Any = _templates.signature
AbstractTemplate: Any = _templates.AbstractTemplate
AttributeTemplate: Any = _templates.AttributeTemplate

OPTIONS: Any = {"_nrt": False, "error_model": "numpy"}
"""Nothing here owns memory (_nrt), which would be asked at every access to it, and a division
by zero, of which there is none, need not be an exception."""
INNER: Any = {**OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""What Python never calls needs no wrappers, which take time to compile."""


def view_at(
    context: Any, builder: Any, array: types.Array, address: Any, count: Any, itemsize: int
) -> Any:
    """The instructions for an array of this type over `count` items from an address on."""
    view = _arrays.make_array(array)(context, builder)
    step = context.get_constant(types.intp, itemsize)
    _arrays.populate_array(
        view,
        data=builder.inttoptr(address, view.data.type),
        shape=[count],
        strides=[step],
        itemsize=step,
        meminfo=None,
    )
    return view._getvalue()
