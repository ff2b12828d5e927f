"""The load of a run in blocks of time, of which the first can be left out as warm-up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hasim.mser import BATCH
from hasim.simulation.settings.warm_up import WarmUp
from hasim.sketch import ACCURACY, Cells, merge, sketch
from hasim.truth import BlockSketch, LoadBlock

BINS = 500
"""Equal parts of a run whose mean latencies MSER-5 looks at: 100 batches."""
FOREVER = 2**62
CLASSES = ("ordinary", "vip")
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Division:
    """How a run is divided: blocks of `block_ns`, the last of which (number `last`) has the rest.

    MSER-5: a block has as many bins of `bin_ns` as the rule has in a batch, and the second half
    of the run, of which nothing is ever left out, is the last block. A set duration: that, and the
    rest. None: one block.
    """

    block_ns: int
    last: int
    bin_ns: int = FOREVER
    bins: int = 0

    @classmethod
    def of(cls, rule: WarmUp, horizon_ns: int) -> Division:
        """The division that a rule needs."""
        if isinstance(rule, int):
            return cls(rule, 1)
        if rule == "none":
            return cls(FOREVER, 0)
        bin_ns = -(-horizon_ns // BINS)
        return cls(BATCH * bin_ns, BINS // BATCH // 2, bin_ns, BINS)

    def bins_of(self, block: int) -> slice:
        """The bins of a block."""
        if not self.bins:
            return slice(0, 0)
        return slice(BATCH * block, self.bins if block == self.last else BATCH * (block + 1))


class BlockCounter:
    """Counts messages that have ended by block; the order in which they come does not matter."""

    def __init__(self, division: Division, *, deadline_ns: int) -> None:
        self.division = division
        self._deadline_ns = deadline_ns
        blocks = division.last + 1
        self._messages, self._in_time, self._tries = np.zeros((3, blocks), dtype=np.int64)
        self._latency_ns = np.zeros(division.bins, dtype=np.int64)
        self._answered = np.zeros(division.bins, dtype=np.int64)
        self._sketches: dict[tuple[int, int], Cells] = {}

    def add(
        self,
        arrival_ns: Ints,
        vip: Bools,
        answered: Bools,
        ended_ns: Ints,
        tries: NDArray[np.integer],
    ) -> None:
        """Count messages: arrays of shape (messages,)."""
        division = self.division
        if not division.last or not len(arrival_ns):
            return
        block = np.minimum(arrival_ns // division.block_ns, division.last)
        latency_ns = np.where(answered, ended_ns - arrival_ns, 0)
        np.add.at(self._messages, block, 1)
        np.add.at(self._in_time, block, answered & (latency_ns <= self._deadline_ns))
        np.add.at(self._tries, block, tries)
        if division.bins:
            place = np.minimum(arrival_ns // division.bin_ns, division.bins - 1)
            np.add.at(self._latency_ns, place, latency_ns)  # whole numbers: no rounding
            np.add.at(self._answered, place, answered)
        for key in np.unique(block).tolist():
            for klass in (False, True):
                mine = answered & (vip == klass) & (block == key)
                if mine.any():
                    made = [self._sketches.get((key, klass), ()), sketch(latency_ns[mine])]
                    self._sketches[key, klass] = merge(made)

    def records(self, chosen: Ints) -> Iterator[LoadBlock | BlockSketch]:
        """What was counted; `chosen`, shape (blocks, masters), are attempts. None of one block."""
        division = self.division
        for block in range(division.last + 1) if division.last else ():
            bins, start_ns = division.bins_of(block), block * division.block_ns
            yield LoadBlock(
                start_ns=start_ns,
                latency_ns=tuple(self._latency_ns[bins].tolist()),
                answered=tuple(self._answered[bins].tolist()),
                messages=int(self._messages[block]),
                in_time=int(self._in_time[block]),
                attempts=int(self._tries[block]),
                chosen=tuple(chosen[block].tolist()),
            )
            for klass, name in enumerate(CLASSES):
                if (block, klass) in self._sketches:
                    yield BlockSketch(start_ns, name, ACCURACY, self._sketches[block, klass])
