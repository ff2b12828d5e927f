"""Message outcomes as evidence: failed messages, as the gateways report them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, ClassVar, Literal

from hasim.events import GatewayHello, GatewayReport, Input, MasterTraffic, Output
from hasim.model import Cause, Cluster, Status
from hasim.services.detection.evidence.counting import OVERTAKEN, Counting
from hasim.services.detection.evidence.runs import Runs
from hasim.services.detection.evidence.shares import Shares
from hasim.services.detection.evidence.source import (
    Judge,
    Source,
    SourceSettings,
    unknown_master,
)
from hasim.services.detection.evidence.windows import Windowed
from hasim.services.frozen import freeze, thaw
from hasim.services.watch import ANSWERED, UNCONNECTED, Watch, causes_set
from hasim.settings import count, duration, settings, share
from hasim.units import SECOND

DEAF = (Status.FAILED, Status.RECOVERING, Status.MAINTENANCE)
"""Only checks can speak for a master that gets no messages, so messages do not count."""
COUNTED: dict[str, type[Any]] = {"in-row": Runs, "in-window": Windowed, "share": Shares}


@settings
class MessageSettings(SourceSettings):
    """Outcomes of messages."""

    ACQUITS: ClassVar[bool] = False

    observe: Literal["connection", "answers"] = "answers"
    """`connection`: only whether a connection was made counts (HAProxy observe layer4); `answers`:
    what came of the message, too (layer7)."""
    counted: tuple[Literal["reset", "error", "timeout", "rejected", "not_owner"], ...] = (
        *("reset", "error", "timeout"),
    )
    """With `observe: answers`, which ends count as failures beside no connection (nginx
    proxy_next_upstream: error, timeout, http_500, ...). A full queue is no sign of a dead
    master, nor is a wrong address."""
    count_by: Literal["in-row", "in-window", "share"] = "in-row"
    """What makes a failed check: failures in a row (HAProxy error-limit), failures within a window
    (nginx max_fails in fail_timeout), or the share that fails in an interval (Envoy
    failure_percentage)."""
    error_limit: Annotated[
        int,
        count(
            "So many failed messages count as one failed check: in a row, summed over the "
            "gateways' own runs, or within the window.",
            source="HAProxy error-limit (default 10), nginx max_fails (default 1)",
        ),
    ] = 2
    error_window_ns: Annotated[
        int,
        duration(
            "The window, or the interval of the share. In a row: after this long without a "
            "further failure checks that pass end the suspicion.",
            source="nginx fail_timeout (default 10 s), Envoy outlier detection interval (10 s)",
            above=0,
        ),
    ] = 10 * SECOND
    error_share: Annotated[
        float,
        share(
            "The share of failed messages that makes a failed check.",
            source="Envoy failure_percentage_threshold (85 %)",
        ),
    ] = 0.85
    error_volume: Annotated[
        int,
        count(
            "The share of fewer messages than this says nothing.",
            source="Envoy failure_percentage_request_volume (50)",
        ),
    ] = 50
    on_error: Literal["fast-interval", "fail-check", "sudden-death", "mark-down"] = "fail-check"
    """What so many failures do, beside a check of the master at once: nothing more, one failed
    check, all failed checks but the last one that convicts, or a conviction (HAProxy on-error:
    fastinter, fail-check, sudden-death, mark-down)."""

    def watch(self, convicting_checks: int) -> Watch:
        """Failures up to those that may make the last failed check that convicts."""
        checks = 1 if self.on_error == "mark-down" else convicting_checks
        if self.on_error == "fast-interval":
            checks = max(1, checks)
        against, refuting = self._sets()
        if self.count_by == "share" or not checks:
            return Watch(against=against, refuting=refuting)
        window_ns = self.error_window_ns if self.count_by == "in-window" else 0
        return Watch(self.error_limit * checks, window_ns, against, refuting)

    def counting(self) -> Counting:
        """What counts the messages of one master."""
        if self.count_by == "share":
            return Shares(self.error_share, self.error_volume, self.error_window_ns)
        kind = COUNTED[self.count_by]
        made: Counting = kind(self.error_limit, self.error_window_ns)
        return made

    def problems(self) -> Iterator[tuple[str, str]]:
        """Ends that are said to count where only connections do."""
        if self.observe == "connection" and self.counted != type(self)().counted:
            yield "counted", "says which answers count, but observe is connection"

    def _sets(self) -> tuple[int, int]:
        """The ends that speak against a master, and those that speak for it."""
        if self.observe == "connection":
            # Whatever came over it: there was a connection. A timeout says nothing of that.
            made = (Cause.RESET, Cause.ERROR, Cause.REJECTED, Cause.NOT_OWNER)
            return UNCONNECTED, ANSWERED | causes_set(made)
        return UNCONNECTED | causes_set(map(Cause, self.counted)), ANSWERED


class Messages(Source):
    """Takes the gateways' reports: failed messages become failed checks, or what `on_error` says.

    Suspicion by messages is refuted by messages: a check that passes beside messages that fail
    is what gray failure looks like (Huang et al., HotOS 2017). So it lasts until a message is
    answered, or none has failed for `error_window`; and messages that go on failing convict.
    """

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset({GatewayReport, GatewayHello})
    WHAT: ClassVar[str] = "message"
    OF_MESSAGES: ClassVar[bool] = True

    settings: MessageSettings

    def __init__(self, settings: MessageSettings, judge: Judge, cluster: Cluster) -> None:
        self.settings = settings
        self._judge = judge
        self.of_masters = {master.id: settings.counting() for master in cluster.masters}
        self._incarnations = dict.fromkeys(cluster.gateways, 1)

    def step(self, now: int, item: Input) -> list[Output]:
        """Take a gateway's report, or its hello. KeyError for an unknown master."""
        assert isinstance(item, GatewayReport | GatewayHello)
        known = self._incarnations.get(item.gateway, 1)
        if item.incarnation > known:
            self._incarnations[item.gateway] = item.incarnation
            for counted in self.of_masters.values():
                counted.restarted(item.gateway)
        if isinstance(item, GatewayHello) or item.incarnation < known:
            return []
        out: list[Output] = []
        for traffic in item.masters:
            of_master = self.of_masters.get(traffic.master)
            if of_master is None:
                raise unknown_master(traffic.master, self.of_masters)
            checks = of_master.update(now, item.gateway, item.sequence, traffic)
            if checks != OVERTAKEN and (checks or traffic.streak):
                out += self._weighed(now, traffic, of_master, checks)
        return out

    def _weighed(
        self, now: int, traffic: MasterTraffic, counted: Counting, checks: int
    ) -> list[Output]:
        judge, master, out = self._judge, traffic.master, list[Output]()
        if traffic.streak:
            judge.doubted(master)
        if not checks or judge.status(master) in DEAF:
            return out
        cause, reason, does = traffic.last_cause, counted.words(), self.settings.on_error
        if does == "mark-down":
            out += judge.convicted(now, master, self, cause, reason)
        elif does != "fast-interval":
            if does == "sudden-death":
                judge.brink(now, master)
            for _ in range(checks):
                out += judge.failed(now, master, self, cause, reason)
        return out + judge.hurry(now, master)

    def concerns(self, item: Input) -> Iterable[str]:
        """Those at which failures may have become as many as a failed check."""
        if isinstance(item, GatewayHello):
            return ()  # it convicts nobody, and who is watched by others has nothing standing
        assert isinstance(item, GatewayReport)
        if self.settings.count_by == "share":
            return [traffic.master for traffic in item.masters]
        if self.settings.count_by == "in-window":
            return [traffic.master for traffic in item.masters if traffic.against]
        streaks = [(t.master, t.streak) for t in item.masters if t.streak]
        limit = self.settings.error_limit
        return [m for m, streak in streaks if self.of_masters[m].standing() + streak >= limit]

    def standing(self, master: str) -> Cause | None:
        """How the last failed message ended of those that nothing has refuted."""
        counted = self.of_masters[master]
        return counted.last_cause if counted.standing() else None

    def insists(self, now: int, master: str) -> bool:
        """Whether as many as a failed check failed of late, and no answer has refuted them."""
        return self.of_masters[master].insists(now)

    def excuse(self, master: str, *, forgive: bool) -> None:
        """What stands is no failed check any more."""
        self.of_masters[master].excuse(forgive=forgive)

    def report(self, master: str) -> dict[str, object]:
        """Failures that nothing has refuted."""
        return {"failed_messages_standing": self.of_masters[master].standing()}

    def freeze(self) -> Any:
        """What was counted at each master."""
        return {"incarnations": freeze(self._incarnations), "of": freeze(self.of_masters)}

    def thaw(self, data: Any) -> None:
        """Go on with what was frozen."""
        kind = COUNTED[self.settings.count_by]
        self.of_masters = {master: thaw(kind, counted) for master, counted in data["of"].items()}
        self._incarnations = thaw(dict[str, int], data["incarnations"])
