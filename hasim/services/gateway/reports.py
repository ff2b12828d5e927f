"""What a gateway has counted of each master, and what it tells the control plane of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hasim.events import GatewayReport, MasterTraffic, SendReport
from hasim.model import Cause
from hasim.services.frozen import freeze, thaw
from hasim.services.gateway.load import Load
from hasim.services.watch import CODES, Watch, holds, is_end, is_news, is_rare


class Reports:
    """Counts attempts, and reports the masters of which there is news.

    Regularly, an interval after the first attempt since the last regular report; and at once
    what the `watch` names. `loads` are
    the masters' counters, in the order of `ids`; `news` are the numbers of those of which there
    is any.
    """

    def __init__(
        self,
        ids: Sequence[str],
        gateway: str,
        interval_ns: int,
        watch: Watch,
        incarnation: int = 1,
    ) -> None:
        self.loads = [Load() for _ in ids]
        # With a window: when so many failures were reported at once, in turn.
        self._marks = [[-watch.window_ns] * watch.failures * (watch.window_ns > 0) for _ in ids]
        self._turns = [0] * len(ids)
        self._ids = ids
        self._gateway = gateway
        self._incarnation = incarnation
        # What was counted before this incarnation, by master: answered, failed, against it.
        self._before = [(0, 0, 0) for _ in ids]
        self._interval_ns = interval_ns
        self._watch = watch
        self.news: set[int] = set()
        self._sequence = 0
        self._due_ns: int | None = None

    def restart(self, incarnation: int) -> None:
        """The process is a new one: numbers and counts begin anew.

        What is under way is counted on: somebody waits for it all the same.
        """
        self._incarnation, self._sequence = incarnation, 0
        self._before = [(load.answered, load.failed, load.against) for load in self.loads]
        self.news.clear()
        self.back(range(len(self.loads)))
        for load in self.loads:
            load.latency_ns = 0
            load.last_cause = Cause.OK

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
        self.loads[index].answer(latency_ns)
        self.news.add(index)
        return self.report((index,)) if self._refuted(index) else []

    def failed(self, now: int, index: int, cause: Cause) -> list[SendReport]:
        """An attempt failed; what is watched for is reported at once."""
        load, watch, code = self.loads[index], self._watch, CODES[cause]
        load.fail()
        self.news.add(index)
        if holds(watch.against, code):
            load.blame(cause)
            at_once = self._blamed(now, index)
        else:
            at_once = holds(watch.refuting, code) and self._refuted(index)
        return self.report((index,)) if at_once else []

    def back(self, indexes: Iterable[int]) -> None:
        """These masters get messages again: what was counted in a row before does not go on."""
        for index in indexes:
            self.loads[index].streak = 0
            self._marks[index] = [-self._watch.window_ns] * len(self._marks[index])

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
        report = GatewayReport(self._gateway, self._sequence, masters, self._incarnation)
        return [SendReport(report)]

    def freeze(self) -> dict[str, Any]:
        """The state as plain data."""
        return {
            "loads": freeze(self.loads),
            "marks": [list(marks) for marks in self._marks],
            "turns": list(self._turns),
            "news": sorted(self.news),
            "before": freeze(self._before),
            "incarnation": self._incarnation,
            "sequence": self._sequence,
            "due_ns": self._due_ns,
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `freeze` gave."""
        self.loads[:] = thaw(list[Load], data["loads"])
        self._marks = [list(marks) for marks in data["marks"]]
        self._turns = list(data["turns"])
        self.news = set(data["news"])
        self._before = thaw(list[tuple[int, int, int]], data["before"])
        self._incarnation, self._sequence = data["incarnation"], data["sequence"]
        self._due_ns = data["due_ns"]

    def _traffic(self, index: int) -> MasterTraffic:
        load, (answered, failed, against) = self.loads[index], self._before[index]
        return MasterTraffic(
            self._ids[index],
            load.answered - answered,
            load.failed - failed,
            load.in_flight,
            load.streak,
            load.last_cause,
            load.latency_ns,
            load.against - against,
        )

    def _refuted(self, index: int) -> bool:
        """A run of failures has ended, if there was one: whether that is reported at once."""
        load, watch = self.loads[index], self._watch
        at_once = not watch.window_ns and is_end(load.streak, watch.failures)
        load.streak = 0
        return at_once

    def _blamed(self, now: int, index: int) -> bool:
        """One more failure counts: whether that is reported at once."""
        watch, marks = self._watch, self._marks[index]
        if not marks:
            return not watch.window_ns and is_news(self.loads[index].streak, watch.failures)
        place = self._turns[index] % len(marks)
        if not is_rare(now, marks[place], watch.window_ns):
            return False
        marks[place] = now
        self._turns[index] += 1
        return True
