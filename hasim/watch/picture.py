"""What is to be seen of a control plane at one moment, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hasim.services.control_plane import ControlPlane
from hasim.units import seconds


@dataclass(frozen=True, slots=True)
class MasterLine:
    """A master: what is known of it, and what really is (`truth`, of which nobody is told).

    `suspicion` convicts at 1. Counts are attempts that ended, as the gateways reported them;
    `latency_s` is None before the first answer.
    """

    name: str
    status: str
    suspicion: float
    in_flight: int
    answered: int
    failed: int
    latency_s: float | None
    owns: tuple[str, ...]
    truth: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A control plane at `now_s`: masters, failovers, alerts, uptime; `board` is the monitor's.

    `news` are the last events, as (seconds, who, what).
    """

    now_s: float
    end_s: float
    observer: str
    masters: tuple[MasterLine, ...]
    board: Mapping[str, Any]
    news: Sequence[tuple[float, str, str]] = field(default_factory=tuple)

    @property
    def over(self) -> bool:
        """Whether the end is reached."""
        return self.now_s >= self.end_s


def picture(
    plane: ControlPlane,
    now_ns: int,
    end_ns: int,
    faults: Mapping[str, Sequence[str]],
    news: Sequence[tuple[float, str, str]],
) -> Picture:
    """The control plane now; `faults` are the kinds that strike each master in truth."""
    board = plane.monitor.get_dashboard_data(now_ns)
    health = plane.detection.generate_health_report(now_ns)
    owned: dict[str, list[str]] = {}
    for row in board["partitions"]:
        owned.setdefault(row["owner"], []).append(row["partition"])
    masters = tuple(
        MasterLine(
            name=row["master"],
            status=row["status"],
            suspicion=float(str(health.get(row["master"], {}).get("suspicion", 0.0))),
            in_flight=row["in_flight"],
            answered=row["answered"],
            failed=row["failed"],
            latency_s=row["latency_s"],
            owns=tuple(owned.get(row["master"], ())),
            truth=tuple(faults.get(row["master"], ())),
        )
        for row in board["masters"]
    )
    return Picture(seconds(now_ns), seconds(end_ns), board["observer"], masters, board, tuple(news))
