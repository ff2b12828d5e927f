"""How the messages of a run ended, as arrays, whichever data plane ran them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hasim.model import Cause

IN_FLIGHT = "in_flight"
OUTCOMES = (*(cause.value for cause in Cause), IN_FLIGHT)
"""The outcomes of messages; an outcome's number is its place here."""


@dataclass(frozen=True)
class Results:
    """Per message, shape (n,): how, when (ns; 0 if in flight), where, after how many attempts.

    `outcome` is a place in `OUTCOMES`, `master` the index of the last master tried, or
    -1 if there was none.
    """

    outcome: NDArray[np.int8]
    ended_ns: NDArray[np.int64]
    master: NDArray[np.int32]
    tries: NDArray[np.int32]
