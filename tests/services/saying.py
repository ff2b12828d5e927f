"""What services say has the form that is stated: it can be written down, and read again."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter

from hasim.events import Output


@functools.cache
def _form(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def assert_well_formed(said: Iterable[Output]) -> None:
    """Each field is of its declared type, so that a journal of it is read as it was."""
    for out in said:
        form = _form(type(out))
        written = form.dump_json(out, warnings="error")
        assert form.validate_json(written, strict=True) == out, out
