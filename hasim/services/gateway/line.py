"""Those who wait at a gateway for room at a master, and when somebody looks after them."""

from __future__ import annotations

from typing import Any

from hasim.services.gateway.attempts import Attempt
from hasim.services.gateway.effects import LIMIT, LINE
from hasim.services.gateway.rules import NEVER, looks_at
from hasim.services.gateway.wakeups import Wakeups


class Line:
    """The numbers of the attempts that wait, in turn (`waiting`); `number` is the gateway's own."""

    def __init__(self, number: int, wakeups: Wakeups) -> None:
        self.waiting: dict[int, None] = {}
        self._number = number
        self._wakeups = wakeups
        # Whether they will be looked after now, and when they will if nothing happens.
        self._called = False
        self._look_ns = NEVER

    def join(self, attempt: Attempt, held_ns: int) -> None:
        """An attempt waits: as long as a client does, or for so long if it is held."""
        self.waiting[attempt.number] = None
        if attempt.held:
            until_ns = attempt.since_ns + held_ns
            self._wakeups.add(until_ns, LIMIT, attempt.number, attempt.number)
        else:
            self._wakeups.wait(attempt)

    def call(self, now: int) -> None:
        """There may be room for one who waits: look when all has ended that ends now."""
        if self.waiting and not self._called:
            self._called = True
            self._wakeups.add(now, LINE, self._number, -1)

    def begin(self, now: int) -> None:
        """Somebody looks, now."""
        self._called = False
        if now >= self._look_ns:
            self._look_ns = NEVER

    def look_again(self, now: int, opens_ns: int) -> None:
        """Look when there may be room although nothing ends, unless that is done before."""
        if self.waiting and looks_at(now, opens_ns, self._look_ns):
            self._look_ns = opens_ns
            self._wakeups.add(opens_ns, LINE, self._number, -1)

    def freeze(self) -> dict[str, Any]:
        """The state as plain data."""
        return {"line": list(self.waiting), "called": self._called, "look_ns": self._look_ns}

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `freeze` gave."""
        self.waiting = dict.fromkeys(data["line"])
        self._called, self._look_ns = data["called"], data["look_ns"]
