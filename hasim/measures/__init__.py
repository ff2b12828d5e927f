"""From a journal to numbers: every function here is pure."""

from hasim.measures.measured import ROWS, Measured, measure

__all__ = ["ROWS", "Measured", "measure"]
