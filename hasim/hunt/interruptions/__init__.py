"""What comes of a failover that is interrupted, in each state and by each way to interrupt it."""

from __future__ import annotations

from hasim.hunt.interruptions.cells import FENCINGS, Cell, cells, meet
from hasim.hunt.interruptions.kinds import KINDS, Met
from hasim.hunt.interruptions.situations import SITUATIONS

__all__ = ["FENCINGS", "KINDS", "SITUATIONS", "Cell", "Met", "cells", "meet"]
