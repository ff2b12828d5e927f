"""How long what comes to a master waits for a worker, as the arrays have counted it."""

from __future__ import annotations

from hasim.simulation.clients.compiled.layout import Memory
from hasim.simulation.masters.waits import Waited, Waits


class CompiledWaits(Waits):
    """The queue of one master: compiled code adds up the waiting of each that leaves it."""

    def __init__(self, memory: Memory, number: int) -> None:
        super().__init__()
        self._memory = memory
        self._number = number

    def found(self, now: int) -> Waited:
        """All up to now."""
        row, attempts = self._memory["masters"][self._number], self._memory["attempts"]
        started, waited, waited_ns, lost_ns = (
            int(row[name]) for name in ("started", "waited", "waited_ns", "lost_ns")
        )
        still_ns, slot = 0, int(row["head"])
        for _ in range(int(row["waiting"])):
            still_ns += now - int(attempts["since_ns"][slot])
            slot = int(attempts["next"][slot])
        return Waited(started, waited, waited_ns, waited_ns + lost_ns + still_ns)
