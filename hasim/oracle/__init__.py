"""What must hold in every run, looked at from outside: in a journal, beside the truth."""

from __future__ import annotations

from hasim.oracle.checking import check
from hasim.oracle.invariant import Breach, Found, Invariant
from hasim.oracle.registry import INVARIANTS
from hasim.oracle.same import difference

__all__ = ["INVARIANTS", "Breach", "Found", "Invariant", "check", "difference"]
