"""Heartbeats as evidence: masters say by themselves that they live; silence is for the detector."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from hasim.events import Heartbeat, Input, Output
from hasim.model import Cluster
from hasim.services.detection.evidence.source import (
    Judge,
    Source,
    SourceSettings,
    unknown_master,
)
from hasim.settings import duration, settings
from hasim.units import SECOND


@settings
class HeartbeatSettings(SourceSettings):
    """Heartbeats that masters send by their own clocks."""

    heartbeat_interval_ns: Annotated[
        int,
        duration(
            "Time between a master's heartbeats.",
            source="Akka cluster failure-detector heartbeat-interval (1 s)",
            above=0,
        ),
    ] = SECOND

    @property
    def period_ns(self) -> int:
        """The interval."""
        return self.heartbeat_interval_ns

    @property
    def news_ns(self) -> int:
        """One interval: the first heartbeat after the cure."""
        return self.heartbeat_interval_ns

    @property
    def heartbeat_ns(self) -> int:
        """The interval."""
        return self.heartbeat_interval_ns


class Heartbeats(Source):
    """Tells of each heartbeat that is newer than all before it.

    One that was overtaken says nothing that is not known (Chen, Toueg, Aguilera 2002: what counts
    is the highest number heard).
    """

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset({Heartbeat})
    WHAT: ClassVar[str] = "heartbeat"
    NUMBERED: ClassVar[bool] = True

    settings: HeartbeatSettings

    def __init__(self, settings: HeartbeatSettings, judge: Judge, cluster: Cluster) -> None:
        self.settings = settings
        self._judge = judge
        self.of_masters = {master.id: 0 for master in cluster.masters}

    def step(self, now: int, item: Input) -> list[Output]:
        """A heartbeat was heard, or a farewell: one that was overtaken says nothing, either."""
        assert isinstance(item, Heartbeat)
        master, number, sent_ns = item.master, item.number, item.sent_ns
        last = self.of_masters.get(master)
        if last is None:
            raise unknown_master(master, self.of_masters)
        if item.leaving:
            if number >= last:
                self.of_masters[master] = number
                self._judge.left(now, master)
            return []
        if number <= last:
            return []
        self.of_masters[master] = number
        took_ns = now - sent_ns if sent_ns is not None and sent_ns < now else 0
        return self._judge.passed(now, master, self, number, took_ns)

    def report(self, master: str) -> dict[str, object]:
        """The number of the latest heartbeat."""
        return {"heartbeat": self.of_masters[master]}

    def freeze(self) -> Any:
        """The numbers."""
        return dict(self.of_masters)

    def thaw(self, data: Any) -> None:
        """Take them over."""
        self.of_masters.update(data)
