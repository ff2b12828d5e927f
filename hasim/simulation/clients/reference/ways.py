"""From one gateway to one master and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from hasim.simulation.clock import Call
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.network import Link


class Way(NamedTuple):
    """What requests between them need.

    `number` is the master's; `demands_ns` are the service times there, by place of the attempt;
    `answered` takes a call that carries the key of an attempt, how it ended, and when (ns).
    """

    master: SimMaster
    number: int
    there: Link
    back: Link
    demands_ns: Sequence[int]
    answered: Callable[[Call], None]
