"""When a dispatcher wants to be called: a queue of timeouts, and a heap for all else."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Any

from hasim.services.gateway.attempts import Attempt
from hasim.services.gateway.effects import HEDGE, LIMIT, TIMEOUT, Wakeup


class Serial:
    """Numbers from 0 on, each greater than the one before."""

    def __init__(self) -> None:
        self.next = 0

    def __call__(self) -> int:
        """The next one."""
        self.next += 1
        return self.next - 1


class Wakeups:
    """The wake-ups of a dispatcher; those about attempts that have ended count no more.

    All attempts wait equally long, so that they time out in the order in which they began to
    wait, of which `serial` gives their places.
    """

    def __init__(self, attempts: Mapping[int, Attempt], timeout_ns: int, serial: Serial) -> None:
        self._attempts = attempts
        self._timeout_ns = timeout_ns
        self._serial = serial
        self._timeouts: deque[Wakeup] = deque()
        self._others: list[Wakeup] = []

    def wait(self, attempt: Attempt) -> None:
        """A client begins to wait, for as long as its patience lasts."""
        expires_ns = attempt.since_ns + self._timeout_ns
        self._timeouts.append(Wakeup(expires_ns, TIMEOUT, self._serial(), attempt.number))

    def add(self, time_ns: int, kind: int, key: int, attempt: int) -> None:
        """Call for anything but a timeout."""
        heappush(self._others, Wakeup(time_ns, kind, key, attempt))

    def first(self) -> Wakeup | None:
        """The next one."""
        timeouts, others, attempts = self._timeouts, self._others, self._attempts
        while timeouts:
            head = timeouts[0]
            found = attempts.get(head.attempt)
            # One that waited for room has waited anew since it was sent.
            if found is not None and found.since_ns + self._timeout_ns == head.time_ns:
                break
            timeouts.popleft()
        while others and others[0].kind in (LIMIT, HEDGE) and others[0].attempt not in attempts:
            heappop(others)
        if not others or not timeouts:
            return others[0] if others else timeouts[0] if timeouts else None
        return min(others[0], timeouts[0])

    def remove(self, first: Wakeup) -> None:
        """The one that `first` has just given is taken care of."""
        if first.kind == TIMEOUT:
            self._timeouts.popleft()
        else:
            heappop(self._others)

    def freeze(self) -> dict[str, Any]:
        """The state as plain data."""
        return {
            "timeouts": [list(wakeup) for wakeup in self._timeouts],
            "others": [list(wakeup) for wakeup in sorted(self._others)],
            "serial": self._serial.next,
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `freeze` gave."""
        self._timeouts = deque(Wakeup(*fields) for fields in data["timeouts"])
        self._others = [Wakeup(*fields) for fields in data["others"]]
        self._serial.next = max(self._serial.next, data["serial"])
