"""Defects by their names."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Patch = pytest.MonkeyPatch
Defect = Callable[[Patch], None]
DEFECTS: dict[str, Defect] = {}


def defect(put: Defect) -> Defect:
    """Add one under the name of its function."""
    DEFECTS[put.__name__.replace("_", " ")] = put
    return put
