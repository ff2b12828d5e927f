"""From a journal to numbers: every function here is pure."""

from hasim.measures.measured import ROWS, Measured
from hasim.measures.measuring import measure

__all__ = ["ROWS", "Measured", "measure"]
