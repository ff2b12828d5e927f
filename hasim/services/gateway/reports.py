"""What a gateway has counted of each master, and what it tells the control plane of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hasim.events import GatewayReport, MasterTraffic, SendReport
from hasim.model import Cause
from hasim.services.frozen import freeze, thaw
from hasim.services.gateway.load import Load, is_end, is_news


class Reports:
    """Counts attempts, and reports the masters of which there is news.

    Regularly, an interval after the first attempt since the last regular report; and at once
    the first `watch_failures` failures of a run, and the answer that ends one. `loads` are
    the masters' counters, in the order of `ids`; `news` are the numbers of those of which there
    is any.
    """

    def __init__(
        self, ids: Sequence[str], gateway: str, interval_ns: int, watch_failures: int
    ) -> None:
        self.loads = [Load() for _ in ids]
        self._ids = ids
        self._gateway = gateway
        self._interval_ns = interval_ns
        self._watch_failures = watch_failures
        self.news: set[int] = set()
        self._sequence = 0
        self._due_ns: int | None = None

    def next_wakeup(self) -> int | None:
        """When the regular report is due (nanoseconds)."""
        return self._due_ns

    def expect(self, now: int) -> None:
        """An attempt is sent: a regular report is due in an interval."""
        if self._due_ns is None:
            self._due_ns = now + self._interval_ns

    def sent(self, now: int, index: int) -> None:
        """An attempt is sent to a master."""
        load = self.loads[index]
        load.sent += 1
        load.in_flight += 1
        self.expect(now)

    def answered(self, index: int, latency_ns: int) -> list[SendReport]:
        """An attempt was answered after `latency_ns`; the end of a run of failures is news."""
        load = self.loads[index]
        at_once = is_end(load.streak, self._watch_failures)
        load.answer(latency_ns)
        self.news.add(index)
        return self.report((index,)) if at_once else []

    def failed(self, index: int, cause: Cause) -> list[SendReport]:
        """An attempt failed; a run's first failures are reported at once."""
        load = self.loads[index]
        load.fail(cause)
        self.news.add(index)
        return self.report((index,)) if is_news(load.streak, self._watch_failures) else []

    def cancelled(self, index: int) -> None:
        """An attempt was given up."""
        self.loads[index].in_flight -= 1

    def learn(self, indexes: Iterable[int]) -> None:
        """There is news of these masters, which somebody else has counted into `loads`."""
        self.news.update(indexes)

    def regular(self, now: int) -> list[SendReport]:
        """The regular report, if it is due and there is news."""
        if self._due_ns is None or now < self._due_ns:
            return []
        self._due_ns = None
        return self.report(sorted(self.news)) if self.news else []

    def report(self, indexes: Sequence[int]) -> list[SendReport]:
        """Report these masters now."""
        self._sequence += 1
        self.news.difference_update(indexes)
        masters = tuple(map(self._traffic, indexes))
        return [SendReport(GatewayReport(self._gateway, self._sequence, masters))]

    def freeze(self) -> dict[str, Any]:
        """The state as plain data."""
        return {
            "loads": freeze(self.loads),
            "news": sorted(self.news),
            "sequence": self._sequence,
            "due_ns": self._due_ns,
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `freeze` gave."""
        self.loads[:] = thaw(list[Load], data["loads"])
        self.news = set(data["news"])
        self._sequence, self._due_ns = data["sequence"], data["due_ns"]

    def _traffic(self, index: int) -> MasterTraffic:
        load = self.loads[index]
        return MasterTraffic(
            self._ids[index],
            load.answered,
            load.failed,
            load.in_flight,
            load.streak,
            load.last_cause,
            load.latency_ns,
        )
