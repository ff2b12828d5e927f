"""The control plane that a journal's header describes, and its recorded inputs fed to it anew."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from hasim.journal import Journal, JournalError
from hasim.model import Cluster
from hasim.replay import Replay, replay
from hasim.services.accession import AccessionSettings
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.control_plane import ControlPlane
from hasim.services.detection.settings import DetectionSettings
from hasim.services.failover.settings import FailoverSettings
from hasim.services.leadership.settings import LeadershipSettings
from hasim.services.monitoring.settings import MonitorSettings
from hasim.settings import from_plain, settings
from hasim.settings.validation import adapter


@settings
class ControlPlaneSettings:
    """The settings of the four services, by the names they have in scenarios and journals."""

    detection: DetectionSettings = DetectionSettings()
    """Failure detection."""
    failover: FailoverSettings = FailoverSettings()
    """Failover orchestration."""
    balancing: BalancingSettings = BalancingSettings()
    """Load balancing."""
    monitor: MonitorSettings = MonitorSettings()
    """High-availability monitoring."""
    accession: AccessionSettings = AccessionSettings()
    """How the control plane asks before it acts."""
    leadership: LeadershipSettings = LeadershipSettings()
    """Which of several control planes acts."""


class ReplayError(ValueError):
    """A setting for a replay that cannot be read; the message says what was expected."""


def replay_recorded(journal: Journal, observer: str | None = None) -> Replay:
    """Feed an observer's inputs to a control plane with the settings that it had.

    `observer` is its name (None: the first that the journal names). Raises JournalError for an
    unknown one, and JournalError or SettingsError if the header does not describe a control plane.
    """
    observer = journal.observer(observer)
    made = settings_of(journal, observer)
    return replay(journal, control_plane(journal, observer, made), observer)


def settings_of(
    journal: Journal, observer: str, overrides: Iterable[tuple[str, Any]] = ()
) -> ControlPlaneSettings:
    """The settings of an observer's services, with others in place of some.

    `overrides` are pairs of a dotted path (``detection.fall``) and a plain value as users write
    it (``3``, ``"500ms"``). Raises SettingsError or ReplayError for one that cannot be.
    """
    written = copy.deepcopy(journal.header["observers"][observer].get("settings", {}))
    for path, value in overrides:
        _override(written, path, value)
    return from_plain(ControlPlaneSettings, written)


def control_plane(journal: Journal, observer: str, made: ControlPlaneSettings) -> ControlPlane:
    """An observer's control plane as it was before its first input.

    Raises JournalError if the header does not describe its cluster.
    """
    try:
        cluster = adapter(Cluster).validate_python(journal.header["cluster"])
    except (KeyError, ValidationError):
        raise JournalError("the header does not describe a cluster that can be replayed") from None
    return ControlPlane(
        cluster,
        made.detection,
        made.failover,
        made.balancing,
        made.monitor,
        made.accession,
        made.leadership,
        observer=observer,
        seed=journal.header["observers"][observer].get("seed"),
        acts=journal.header["observers"][observer].get("acts", True),
    )


def _override(written: dict[str, Any], path: str, value: Any) -> None:
    """Put a value where the path leads; whether such a setting exists is seen later."""
    *groups, last = path.split(".")
    if not all((*groups, last)):
        raise ReplayError(f"{path!r} is no path such as detection.fall")
    for name in groups:
        inside = written.setdefault(name, {})
        if not isinstance(inside, dict):
            raise ReplayError(f"{path}: {name} is a value, it has no settings inside")
        written = inside
    written[last] = value
