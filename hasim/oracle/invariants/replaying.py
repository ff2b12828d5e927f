"""The inputs of a control plane, fed to another one: it does the same, and forgets nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hasim.deployed import control_plane
from hasim.events import FailoverChanged, Promote, Restart
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.services.control_plane import ControlPlane
from hasim.services.door import take
from hasim.services.failover.failovers import KEPT

LOOKS = 2
"""So many times in a run the state is frozen and restored, in the middle and at promotions."""


def _find(case: Case) -> Iterator[Found]:
    machine = control_plane(case.journal, case.observer, case.settings)
    middle, looks = len(case.exchanges) // 2, 1
    for number, exchange in enumerate(case.exchanges):
        now, item = exchange.t_ns, exchange.item
        produced = machine.start(now) if item is None else take(machine, now, item)
        if produced != exchange.outputs:
            text = f"a replay of the same inputs gives {produced}, recorded were {exchange.outputs}"
            yield Found(now, case.observer, text)
            return
        promotes = looks < LOOKS and any(isinstance(out, Promote) for out in produced)
        looks += promotes
        lost = _lost(machine) if exchange.acts and (promotes or number == middle) else ""
        if lost:
            text = f"after it was frozen and restored, {lost} is not the same"
            yield Found(now, case.observer, text)
            return
    yield from _audit(case, machine)


def _lost(machine: ControlPlane) -> str:
    """What of the state another one does not have that was restored from it; empty: nothing."""
    text = json.dumps(machine.freeze())
    frozen: dict[str, Any] = json.loads(text)
    thawed = json.dumps(machine.reborn(frozen).freeze())
    if thawed == text:
        return ""
    again = json.loads(thawed)
    for service, state in frozen.items():
        if again[service] == state:
            continue
        if not isinstance(state, dict):
            return service
        return ", ".join(f"{service}.{k}" for k in state if again[service].get(k) != state[k])
    return ""


def _audit(case: Case, machine: ControlPlane) -> Iterator[Found]:
    """The trail has each step since the last start of the process, in order, as far as it is kept.

    Of failovers that ended long ago nothing is looked at.
    """
    steps: list[tuple[Any, ...]] = []
    for exchange in case.exchanges:
        if isinstance(exchange.item, Restart):
            steps.clear()
        steps += [
            (exchange.t_ns, o.failover, o.old, o.new, o.trigger, o.candidate, o.reason)
            for o in exchange.outputs
            if isinstance(o, FailoverChanged)
        ]
    entries = machine.failover.get_failover_history()
    last = set(list(dict.fromkeys(step[1] for step in steps))[-KEPT:])
    steps = [step for step in steps if step[1] in last]
    trail = [
        (e.t_ns, e.failover, e.old, e.new, e.trigger, e.candidate, e.reason)
        for e in entries
        if e.failover in last
    ]
    for step, told in zip(steps, trail[len(trail) - len(steps) :], strict=False):
        if step != told:
            text = f"the audit trail says {told}, what was done is {step}"
            yield Found(step[0], case.observer, text)
            return
    if len(trail) < len(steps):
        text = f"the audit trail has {len(trail)} steps, {len(steps)} were taken"
        yield Found(case.horizon_ns, case.observer, text)


NO_CLAIRVOYANCE = Invariant(
    "no-clairvoyance",
    "The recorded inputs alone, fed to another control plane, give the same effects, the same "
    "audit trail, and a state that can be frozen and restored without a loss.",
    "What was simulated is not what would run in production.",
    _find,
    "observer",
)
