"""Outliers as evidence: a master that is worse than the others, by what gateways see of all."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from hasim.events import GatewayHello, GatewayReport, Input, Output
from hasim.model import Cause, Cluster, Status
from hasim.services.detection.evidence.source import (
    Judge,
    Source,
    SourceSettings,
    unknown_master,
)
from hasim.services.frozen import freeze, thaw
from hasim.services.overtaking import Latest
from hasim.services.watch import UNWATCHED, Watch
from hasim.settings import count, duration, factor, settings, share
from hasim.units import MILLISECOND, SECOND

OUT = (Status.FAILED, Status.RECOVERING)


@settings
class OutliersSettings(SourceSettings):
    """When a master is an outlier among those that get enough messages."""

    ACQUITS: ClassVar[bool] = False

    outlier_interval_ns: Annotated[
        int,
        duration(
            "Masters are compared by what ended in so long.",
            source="Envoy outlier detection interval (10 s)",
            above=0,
        ),
    ] = 10 * SECOND
    outlier_volume: Annotated[
        int,
        count(
            "Messages that must have ended at a master in it.",
            source="Envoy success_rate_request_volume (100)",
        ),
    ] = 20
    outlier_hosts: Annotated[
        int,
        count(
            "Masters with that many messages that it takes to compare.",
            source="Envoy success_rate_minimum_hosts (5)",
            least=2,
        ),
    ] = 3
    stdev_factor: Annotated[
        float,
        factor(
            "A success rate so many standard deviations below the mean makes an outlier; 0: rates "
            "do not count. Among n masters nobody is further off than sqrt(n - 1): with 1.9 it "
            "takes five.",
            source="Envoy success_rate_stdev_factor (1.9)",
            least=0,
            above=None,
        ),
    ] = 1.9
    latency_factor: Annotated[
        float,
        factor(
            "A latency of so many times the median of the others' makes an outlier, so that nobody "
            "is one if all are slow; 0: latency does not count.",
            source="what HAProxy issue 899 asks for",
            least=0,
            above=None,
        ),
    ] = 3.0
    latency_margin_ns: Annotated[
        int,
        duration(
            "And it must be longer than the median by this: masters are at different distances."
        ),
    ] = 100 * MILLISECOND
    most_outliers: Annotated[
        float,
        share(
            "No more than this share of the masters is failed for it at a time, but one may be.",
            source="Envoy max_ejection_percent (10 %)",
        ),
    ] = 0.34

    def watch(self, convicting_checks: int) -> Watch:
        """Failures are counted; none is news by itself."""
        return UNWATCHED


@dataclass(slots=True)
class Seen:
    """What one gateway has counted at one master since it started, and its latency there."""

    answered: int = 0
    against: int = 0
    latency_ns: int = 0


@dataclass(slots=True)
class Interval:
    """All gateways' counts: the latest, and when the interval began, by gateway and master."""

    latest: dict[str, dict[str, Seen]] = field(default_factory=dict)
    before: dict[str, dict[str, Seen]] = field(default_factory=dict)
    reports: Latest = field(default_factory=Latest)
    began_ns: int = -1

    def of(self, master: str) -> tuple[int, int, float]:
        """Of what ended at a master in the interval: answered, failed, the mean latency (ns)."""
        answered = against = 0
        spent_ns = 0.0
        for gateway, masters in self.latest.items():
            now = masters.get(master, Seen())
            then = self.before.get(gateway, {}).get(master, Seen())
            fresh = now.answered - then.answered
            answered += fresh
            against += now.against - then.against
            spent_ns += fresh * now.latency_ns
        return answered, against, spent_ns / answered if answered else 0.0

    def forget(self, gateway: str) -> None:
        """A new process of the gateway counts from 0."""
        self.latest.pop(gateway, None)
        self.before.pop(gateway, None)


class Outliers(Source):
    """Compares masters with each other at the end of each interval, and convicts who stands out.

    Two rules: the success rate (Envoy's success rate outlier detection), and the latency relative
    to the pool. A master that is failed gets no messages: checks alone can acquit it.
    """

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset({GatewayReport, GatewayHello})
    WHAT: ClassVar[str] = "message"
    OF_MESSAGES: ClassVar[bool] = True

    settings: OutliersSettings

    def __init__(self, settings: OutliersSettings, judge: Judge, cluster: Cluster) -> None:
        self.settings = settings
        self._judge = judge
        self._masters = [master.id for master in cluster.masters]
        self._interval = Interval()
        self._outlying: dict[str, str] = {}

    def step(self, now: int, item: Input) -> list[Output]:
        """Take a gateway's report, or its hello. KeyError for an unknown master."""
        assert isinstance(item, GatewayReport | GatewayHello)
        own, gateway = self._interval, item.gateway
        if isinstance(item, GatewayReport):
            for traffic in item.masters:
                if traffic.master not in self._masters:
                    raise unknown_master(traffic.master, self._masters)
        if own.reports.begins(gateway, item.incarnation):
            own.forget(gateway)
        told = [] if isinstance(item, GatewayHello) else own.reports.told_by(item)
        if not told:
            return []
        seen = own.latest.setdefault(gateway, {})
        for traffic in told:
            seen[traffic.master] = Seen(traffic.answered, traffic.against, traffic.latency_ns)
        if own.began_ns < 0:
            own.began_ns = now
        return self._judged(now) if now - own.began_ns >= self.settings.outlier_interval_ns else []

    def concerns(self, item: Input) -> Iterable[str] | None:
        """Any: who stands out depends on all of them."""
        return () if isinstance(item, GatewayHello) else None

    def standing(self, master: str) -> Cause | None:
        """Answers that are not as the others' are."""
        return Cause.ERROR if master in self._outlying else None

    def excuse(self, master: str, *, forgive: bool) -> None:
        """It is no outlier until the next interval ends."""
        self._outlying.pop(master, None)

    def report(self, master: str) -> dict[str, object]:
        """Why it is an outlier, if it is one."""
        return {"outlier": self._outlying.get(master, "")}

    def freeze(self) -> Any:
        """What was counted, and who stands out."""
        return {"interval": freeze(self._interval), "outlying": freeze(self._outlying)}

    def thaw(self, data: Any) -> None:
        """Go on with what was frozen."""
        self._interval = thaw(Interval, data["interval"])
        self._outlying = thaw(dict[str, str], data["outlying"])

    def _judged(self, now: int) -> list[Output]:
        """The interval is over: who stands out in it, the worst first."""
        own, judge, out = self._interval, self._judge, list[Output]()
        found = self._outliers()
        own.began_ns = now
        own.before = {gateway: dict(masters) for gateway, masters in own.latest.items()}
        failed = sum(judge.status(master) in OUT for master in self._masters)
        for master, why in found:
            most = max(1.0, self.settings.most_outliers * len(self._masters))
            if judge.status(master) in (*OUT, Status.MAINTENANCE) or failed + 1 > most:
                continue
            failed += 1
            self._outlying[master] = why
            out += judge.convicted(now, master, self, Cause.ERROR, why)
            out += judge.hurry(now, master)
        return out

    def _outliers(self) -> list[tuple[str, str]]:
        """Masters that stand out, and why in words; the worst by each rule first."""
        own, counts = self.settings, {m: self._interval.of(m) for m in self._masters}
        judged = {m: c for m, c in counts.items() if c[0] + c[1] >= own.outlier_volume}
        if len(judged) < own.outlier_hosts:
            return []
        rates = {m: answered / (answered + against) for m, (answered, against, _) in judged.items()}
        return [*self._by_rate(rates), *self._by_latency({m: c[2] for m, c in judged.items()})]

    def _by_rate(self, rates: dict[str, float]) -> list[tuple[str, str]]:
        mean, stdev = statistics.fmean(rates.values()), statistics.pstdev(rates.values())
        least = mean - self.settings.stdev_factor * stdev
        if not self.settings.stdev_factor:
            return []
        worst = sorted((rate, master) for master, rate in rates.items() if rate < least)
        return [
            (m, f"{r:.1%} of its messages succeed, {least:.1%} is the least among {len(rates)}")
            for r, m in worst
        ]

    def _by_latency(self, latencies_ns: dict[str, float]) -> list[tuple[str, str]]:
        own, found = self.settings, list[tuple[float, str, float]]()
        for master, own_ns in latencies_ns.items():
            others = statistics.median(ns for m, ns in latencies_ns.items() if m != master)
            slow = own_ns > own.latency_factor * others
            if own.latency_factor and slow and own_ns - others > own.latency_margin_ns:
                found.append((own_ns, master, others))
        return [
            (m, f"its latency is {ns / 1e6:.0f} ms, the others' median {others / 1e6:.0f} ms")
            for ns, m, others in sorted(found, reverse=True)
        ]
