"""Random worlds as scenarios: same seed and number, same world."""

from __future__ import annotations

from hasim.hunt.drawing.worlds import TRIES, Data, draw, kinds

__all__ = ["TRIES", "Data", "draw", "kinds"]
