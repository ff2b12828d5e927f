"""The table of algorithms by itself, so that settings can name one without knowing what one is.

The registry fills it; whoever imports the package finds it filled.
"""

from __future__ import annotations

from typing import Any

TABLE: dict[str, Any] = {}
"""By name, in the order in which they are listed; see `registry.ALGORITHMS`."""


def names() -> tuple[str, ...]:
    """The names of all algorithms."""
    return tuple(TABLE)
