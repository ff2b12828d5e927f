"""What is wrong with the operations of a scenario: each must make sense when its time comes."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.scenario.switchovers import switchover_problems
from hasim.settings.validation import Where, nearest
from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.operations import OnMaster, Operation, Switchover
from hasim.units import format_duration

PRESENT, DRAINING, AWAY, ABSENT = "in service", "draining", "in maintenance", "absent"
STEPS: dict[str, dict[str, str]] = {
    "drain": {PRESENT: DRAINING},
    "undrain": {DRAINING: PRESENT},
    "maintenance": {PRESENT: AWAY, DRAINING: AWAY},
    "end-maintenance": {AWAY: PRESENT},
    "add": {ABSENT: PRESENT},
    "remove": {PRESENT: ABSENT, DRAINING: ABSENT, AWAY: ABSENT},
    # A verdict from outside ends a maintenance; whoever is asked or failed over stays what it is.
    "declare-failed": {PRESENT: PRESENT, DRAINING: DRAINING, AWAY: PRESENT},
    "declare-healthy": {PRESENT: PRESENT, DRAINING: DRAINING, AWAY: PRESENT},
    "check": {PRESENT: PRESENT, DRAINING: DRAINING},
    "acknowledge": {PRESENT: PRESENT, DRAINING: DRAINING, AWAY: AWAY},
    "fail-over": {PRESENT: PRESENT, DRAINING: DRAINING, AWAY: AWAY},
    "confirm-off": {PRESENT: PRESENT, DRAINING: DRAINING, AWAY: AWAY},
}
"""What an operation makes of a master, by what the master is before."""


def operation_problems(world: WorldSettings) -> Iterator[tuple[Where, str]]:
    """(where, message) for each operation that cannot be done, in the order of the file."""
    found: list[tuple[Where, str]] = []
    ids = [master.id for master in world.all_masters]
    state = {master.id: ABSENT if master.absent else PRESENT for master in world.all_masters}
    order = sorted(range(len(world.operations)), key=lambda n: world.operations[n].at_ns)
    for number in order:
        operation, where = world.operations[number], ("operations", number)
        if operation.at_ns >= world.horizon_ns:
            at, end = format_duration(operation.at_ns), format_duration(world.horizon_ns)
            found.append(((*where, "at"), f"lies beyond the end of the run ({at}, horizon {end})"))
        if isinstance(operation, Switchover):
            problems = switchover_problems(world, operation)
            found += [((*where, field), message) for field, message in problems]
        if not isinstance(operation, OnMaster):
            continue
        if operation.master not in ids:
            message = f"no master {operation.master!r}{nearest(operation.master, ids)}"
            found.append(((*where, "master"), message))
            continue
        message = _step(operation, operation.master, state)
        if message:
            found.append(((*where, "do"), message))
    yield from sorted(found, key=lambda problem: problem[0][1])


def _step(operation: Operation, master: str, state: dict[str, str]) -> str:
    """Take the step; why it cannot be taken, or an empty text."""
    steps, now = STEPS[operation.do], state[master]
    if now not in steps:
        at = format_duration(operation.at_ns)
        return f"at {at} {master} is {now}; expected one that is {' or '.join(steps)}"
    state[master] = steps[now]
    return ""
