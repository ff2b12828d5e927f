"""How near a declaration a state seems to be: which of many paths are worth going on with."""

from __future__ import annotations

import math
from collections.abc import Iterable

from hasim.study.rare.falsely.carried import Loss
from hasim.study.rare.falsely.exchange import Exchange
from hasim.study.rare.falsely.surroundings import Surroundings
from hasim.units import SECOND

LEAST = 0.5
"""No further loss is taken to be likelier."""
WITHIN = 0.5
"""How likely it is taken to be within a burst."""


class Promise:
    """The logarithm of a guess at the probability of a declaration, in part.

    Whatever it says, the estimate is without bias; it decides how many paths come through. What it
    goes by: how many further losses convict, and that failures in a row must not be parted by an
    answer, of which a gateway gets one in each gap between its messages, unless that is lost. Of
    the former the share `losses` counts, of the latter the share `gaps`: those are left to luck,
    and where nothing is decided on the way any more, the square root of a probability, a share of
    one half, leaves the least variance.
    """

    def __init__(self, around: Surroundings, losses: float, gaps: float) -> None:
        self._around, self._losses, self._gaps = around, losses, gaps
        detection, own = around.tier.detection, around.messages
        self._limit = own.error_limit if own is not None else 1
        self._in_row = own is not None and own.count_by == "in-row"
        self._does = own.on_error if own is not None else "fast-interval"
        self._checks = max(1, detection.detector.convicting_checks)
        self._asks = around.patience_ns > 0 or around.beat_ns > 0
        traffic, network = around.tier.traffic, around.tier.network
        mean_rate = getattr(traffic.arrivals, "rate_per_s", 0.0) / len(around.tier.masters)
        chances = 1.0 + mean_rate * traffic.timeout_ns / SECOND
        lost = max(1e-9, 1.0 - (1.0 - network.loss) ** 2)
        bursts = network.bursts is not None and network.bursts.share > 0.0
        self._each_check = -math.log(WITHIN if bursts else min(LEAST, lost))
        self._each = -math.log(WITHIN if bursts else min(LEAST, lost * chances))
        self._per_ns = mean_rate / SECOND / len(around.reporting)

    def of(self, exchange: Exchange, master: str, added: Loss) -> float:
        """That of where it stands, if this were lost."""
        losses = [loss for loss in exchange.losses if loss.master == master]
        losses = [loss for loss in losses if loss.known_ns >= exchange.now]
        losses.append(added)
        checks = exchange.service.failed_checks(master)
        checks += sum(loss.gateway < 0 for loss in losses)
        messages, gaps_ns = 0, 0.0
        if self._around.messages is not None:
            standing = exchange.streaks(master)
            if self._in_row:
                standing -= self._limit * exchange.service.messages_weighed(master)
            place = self._around.place[master]
            for number, gateway in enumerate(exchange.gateways):
                known = sorted(loss.known_ns for loss in losses if loss.gateway == number)
                if known:
                    began = gateway.reports.loads[place].streak > 0
                    count, gap_ns = self._row(known, exchange.now if began else None)
                    messages, gaps_ns = messages + count, gaps_ns + gap_ns
            messages = max(0, messages + standing)
        missing = min(self._by_messages(checks, messages), self._by_checks(checks, messages))
        return -self._losses * missing - self._gaps * self._per_ns * gaps_ns

    def _by_messages(self, checks: int, messages: int) -> float:
        """What it takes by failed messages alone."""
        if self._does == "fast-interval":
            return math.inf
        if self._does == "mark-down":
            needed = self._limit
        elif self._does == "sudden-death":
            needed = self._limit * min(2, self._checks - checks)
        else:
            needed = self._limit * (self._checks - checks)
        return self._each * max(0, needed - messages)

    def _by_checks(self, checks: int, messages: int) -> float:
        """What it takes by checks of the master from now on."""
        if not self._asks:
            return math.inf
        if self._does in ("fail-check", "sudden-death"):
            checks += messages // self._limit
        return self._each_check * max(0, self._checks - checks)

    def _row(self, known: Iterable[int], began_ns: int | None) -> tuple[int, float]:
        """The most promising run of failures to come: how many, and over how long (nanoseconds)."""
        times = list(known)
        if not self._in_row:
            return len(times), 0.0
        best, found = -math.inf, (0, 0.0)
        firsts = range(len(times)) if began_ns is None else (0,)
        for first in firsts:
            start_ns = times[first] if began_ns is None else began_ns
            for last in range(first, len(times)):
                count, gap_ns = last - first + 1, float(times[last] - start_ns)
                if (value := count * self._each - self._gaps * self._per_ns * gap_ns) > best:
                    best, found = value, (count, gap_ns)
        return found
