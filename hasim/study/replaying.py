"""A recorded journal fed to a fresh control plane with other settings."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, cast

from hasim.deployed import ControlPlaneSettings, control_plane, settings_of
from hasim.events import (
    Demote,
    FailoverChanged,
    Fence,
    Input,
    Output,
    Promote,
    SendProbe,
    StatusChanged,
    TransferState,
    WakeUp,
)
from hasim.journal import Journal, lane_of
from hasim.services.control_plane import ControlPlane
from hasim.services.door import take
from hasim.settings import plain
from hasim.singles import singly
from hasim.units import SECOND

COMMANDS = (Fence, TransferState, Promote, Demote)


def what_if(
    journal: Journal, overrides: Iterable[tuple[str, Any]], observer: str | None = None
) -> Journal:
    """What a control plane with other settings would have done with an observer's inputs.

    `overrides` are pairs of a dotted path (``detection.fall``) and a plain
    value as users write it (``3``, ``"500ms"``). What came from outside stays
    as recorded; the wake-ups are the new control plane's own, an input at the
    same instant going first. The world does not answer anew: a probe that the
    recorded run never sent stays without an answer, and so does a command.

    Raises JournalError for an observer that the journal does not have (None: the first) or if
    the header does not describe a control plane, and SettingsError or ReplayError for a setting
    that does not exist or does not allow the value.
    """
    observer = journal.observer(observer)
    made = settings_of(journal, observer, overrides)
    machine = control_plane(journal, observer, made)
    replayed = Journal(_header(journal.header, observer, made))
    _take(replayed, 0, machine, machine.start(0))
    for record in singly(journal.seen_by(observer)).records:
        if record.lane == "input" and not isinstance(record.body, WakeUp):
            _wake(machine, replayed, record.t_ns)
            item = cast(Input, record.body)
            replayed.add(record.t_ns, "input", item, observer)
            _take(replayed, record.t_ns, machine, take(machine, record.t_ns, item))
    _wake(machine, replayed, journal.horizon_ns)
    return replayed


def _wake(machine: ControlPlane, replayed: Journal, until_ns: int) -> None:
    """Give the machine the wake-ups that it asks for before `until_ns`."""
    while (due := machine.next_wakeup()) is not None and due < until_ns:
        replayed.add(due, "input", WakeUp(), machine.observer)
        _take(replayed, due, machine, take(machine, due, WakeUp()))


def _take(replayed: Journal, t_ns: int, machine: ControlPlane, outputs: list[Output]) -> None:
    for output in outputs:
        replayed.add(t_ns, lane_of(output), output, machine.observer)


def conclusions(recorded: Journal, replayed: Journal) -> tuple[list[str], list[str]]:
    """What two journals of one observer's inputs conclude: a line per verdict and failover step.

    The failovers of a master are told up to the first step that differs: what
    would follow depends on answers that only the recorded run was given.
    """
    before, after = _steps(recorded), _steps(replayed)
    for master in before.keys() | after.keys():
        one, other = before.get(master, []), after.get(master, [])
        pairs = zip(one, other, strict=False)
        same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
        before[master], after[master] = one[: same + 1], other[: same + 1]
    return _told(recorded, before), _told(replayed, after)


Step = tuple[int, str]


def _steps(journal: Journal) -> dict[str, list[Step]]:
    """The steps of failovers, with their times, by failed master."""
    found: dict[str, list[Step]] = {}
    for t_ns, step in journal.of(FailoverChanged):
        to = f", candidate {step.candidate}" if step.candidate else ""
        text = f"failover {step.failover} of {step.master}: {step.new}{to}"
        found.setdefault(step.master, []).append((t_ns, text))
    return found


def _told(journal: Journal, steps: dict[str, list[Step]]) -> list[str]:
    verdicts = [
        (t_ns, f"{change.master}: {change.old} -> {change.new} ({change.reason})")
        for t_ns, change in journal.of(StatusChanged)
    ]
    told = [*verdicts, *(step for master in sorted(steps) for step in steps[master])]
    # Stable: at one instant the verdict comes before the failover that follows from it.
    told.sort(key=lambda step: step[0])
    return [f"{t_ns / SECOND:12.3f} s  {text}" for t_ns, text in told]


def unanswered(recorded: Journal, replayed: Journal) -> tuple[int, int]:
    """How many probes and commands of the replay the recorded run did not send."""
    probes = {effect for _, effect in singly(recorded).of(SendProbe)}
    commands = {(t_ns, effect) for t_ns, effect in recorded.of(*COMMANDS)}
    return (
        sum(effect not in probes for _, effect in replayed.of(SendProbe)),
        sum((t_ns, effect) not in commands for t_ns, effect in replayed.of(*COMMANDS)),
    )


def _header(header: dict[str, Any], observer: str, made: ControlPlaneSettings) -> dict[str, Any]:
    """The header of a journal in which this observer has other settings."""
    about = header["observers"][observer] | {
        "settings": plain(made),
        "late_window_ns": made.detection.late_window_ns,
        "recovery_ns": made.detection.recovery_ns,
        "one_primary": made.failover.fencing.one_primary,
    }
    return {**header, "observers": {**header["observers"], observer: about}}
