"""All guards of one gateway together: who may be sent an attempt, and what becomes of it.

Written over fields and indexable sequences, for lists and for compiled code alike.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

from hasim.services.balancing.fleet import Fleet
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.gateway.guards.breaker import BreakerSettings
from hasim.services.gateway.guards.breaker import note_answer as breaker_answer
from hasim.services.gateway.guards.breaker import note_cancelled as breaker_cancelled
from hasim.services.gateway.guards.breaker import note_failure as breaker_failure
from hasim.services.gateway.guards.breaker import note_sent as breaker_sent
from hasim.services.gateway.guards.guard import Guard
from hasim.services.gateway.guards.limits import LimitSettings
from hasim.services.gateway.guards.outliers import OutlierSettings, sweep
from hasim.services.gateway.guards.outliers import note_answer as outlier_answer
from hasim.services.gateway.guards.outliers import note_failure as outlier_failure
from hasim.services.gateway.guards.panic import admit_all_in_panic
from hasim.services.gateway.guards.screen import (
    FULL,
    NOBODY,
    ROOM,
    find_available,
    narrow,
)
from hasim.services.gateway.guards.slow_start import SlowStartSettings, ramp, ramping
from hasim.services.gateway.rules import NEVER

SENT, ANSWERED, FAILED, CANCELLED = range(4)
"""What becomes of an attempt: kinds of `note`."""


@dataclass(frozen=True)
class Rules:
    """The guards' settings; what is off has its defaults here, and a flag of 0."""

    panic_threshold: float
    overprovisioning: int
    """In whole per cent."""
    outliers_on: int
    outliers: OutlierSettings
    breaker_on: int
    breaker: BreakerSettings
    slow_start_on: int
    slow_start: SlowStartSettings
    limits: LimitSettings

    @property
    def any(self) -> bool:
        """Whether anything is on at all."""
        on = self.outliers_on or self.breaker_on or self.slow_start_on or self.panic_threshold > 0.0
        return bool(on or any(getattr(self.limits, f.name) for f in fields(self.limits)))


def rules_of(settings: BalancingSettings) -> Rules:
    """The rules of some balancing settings."""
    return Rules(
        panic_threshold=settings.panic_threshold,
        overprovisioning=round(100 * settings.overprovisioning),
        outliers_on=int(settings.outliers is not None),
        outliers=settings.outliers or OutlierSettings(),
        breaker_on=int(settings.breaker is not None),
        breaker=settings.breaker or BreakerSettings(),
        slow_start_on=int(settings.slow_start is not None),
        slow_start=settings.slow_start or SlowStartSettings(),
        limits=settings.limits,
    )


@dataclass(slots=True)
class Gate:
    """What one gateway keeps beside what it knows of each master.

    `sweep_ns`: when the present interval of outlier detection ends. `in_flight`: attempts
    at all masters together. `tiered`: 1 if the
    algorithm goes by tiers, each of which is then a level of its own to the panic threshold.
    `turns`: 1 if slow start counts a master's turns instead of lowering its weight; among
    all masters, or those of its tier, or (`regional`) of its region. `equal`: 1 if a turn is
    due to all of them alike, whatever their weights. `opens_ns`: after an attempt that was not
    admitted, when one may be although nothing ends; else `NEVER`.
    """

    sweep_ns: int = 0
    in_flight: int = 0
    tiered: int = 0
    turns: int = 0
    regional: int = 0
    equal: int = 0
    opens_ns: int = NEVER


class Protection(NamedTuple):
    """The guards of one gateway: `guards` and `members` by master (1: part of the cluster and
    not drained), `pool` is room for as many numbers."""

    rules: Rules
    gate: Gate
    guards: Sequence[Guard]
    members: MutableSequence[int]
    pool: MutableSequence[int]


def admit(protection: Protection, fleet: Fleet, now: int) -> int:
    """Set the weights of a stateless attempt at `now`; ROOM, FULL or NOBODY.

    A weight is the master's own times its slow start, and 0 if it must not be picked.
    """
    # Flags are 0 or 1 and columns are filled by loops, since the compiled plane compiles this very
    # function over arrays. The order matters: ejections that are over end before anybody is
    # counted, panic adds members then, and breakers and limits come last and hold even in panic,
    # for they protect the master and not the message.
    rules, gate, guards = protection.rules, protection.gate, protection.guards
    if rules.outliers_on != 0:
        gate.sweep_ns = sweep(rules.outliers, guards, protection.members, gate.sweep_ns, now)
    pool, members, threshold = protection.pool, protection.members, rules.panic_threshold
    find_available(now, fleet.eligible, members, guards, pool, fleet.available)
    if threshold > 0.0:
        carried, tier = rules.overprovisioning, fleet.tier
        admit_all_in_panic(threshold, carried, tier, gate.tiered, members, pool)
    found = narrow(now, guards, fleet.in_flight, rules.limits.max_concurrency, pool)
    if found == ROOM and 0 < rules.limits.max_requests <= gate.in_flight:
        found = FULL
    gate.opens_ns = NEVER if found == ROOM else opens_at(protection, now)
    for index in range(len(pool)):
        fleet.weight[index] = fleet.base_weight[index] if pool[index] != 0 else 0.0
    if found == ROOM and rules.slow_start_on != 0:
        slow_down(protection, fleet, now)
    return found


def opens_at(protection: Protection, now: int) -> int:
    """When the next breaker lets a trial through, or an ejection may end: NEVER if none does.

    Of all members, since panic may let in whom the routing does not.
    """
    at, gate, members = NEVER, protection.gate, protection.members
    for index in range(len(protection.guards)):
        guard = protection.guards[index]
        if members[index] == 0:
            continue
        if guard.ejected != 0:
            at = min(at, gate.sweep_ns)
        if guard.opened != 0 and guard.trial == 0 and guard.open_until_ns > now:
            at = min(at, guard.open_until_ns)
    return at


MOST_CREDIT = 10.0
"""Turns that a master saves up at most while others are preferred to it."""


def slow_down(protection: Protection, fleet: Fleet, now: int) -> None:
    """Slow start: masters that are newly back get less.

    Their weights are lowered; or, where weights alone would not keep messages from them
    (`turns`), such a master earns with each message its lowered share of a turn, and is
    passed over until it has earned a whole one.
    """
    rules, weight = protection.rules.slow_start, fleet.weight
    for index in range(len(weight)):
        guard = protection.guards[index]
        part = ramp(rules, guard, now)
        if protection.pool[index] == 0 or part >= 1.0:
            continue
        if protection.gate.turns == 0:
            weight[index] *= part
        else:
            due = share_of_turns(protection, fleet, index, now)
            if due > 0.0:
                guard.credit = min(MOST_CREDIT, guard.credit + part * due)
                if guard.credit < 1.0:
                    weight[index] = 0.0


def share_of_turns(protection: Protection, fleet: Fleet, index: int, now: int) -> float:
    """A master's share of the turns of its group; 0 if nobody else is there to take them."""
    gate, rules, base = protection.gate, protection.rules.slow_start, fleet.base_weight
    total, whole = 0.0, 0
    for other in range(len(base)):
        if (
            protection.pool[other] != 0
            and (gate.tiered == 0 or fleet.tier[other] == fleet.tier[index])
            and (gate.regional == 0 or fleet.region[other] == fleet.region[index])
        ):
            total += 1.0 if gate.equal != 0 else base[other]
            whole += 0 if ramping(rules, protection.guards[other], now) else 1
    if whole == 0:
        return 0.0
    return (1.0 if gate.equal != 0 else base[index]) / total


def admit_owned(protection: Protection, fleet: Fleet, owner: int) -> int:
    """Whether an owned message may be sent to its owner now, by the limits alone: ROOM or FULL.

    Ejection, breaker and panic are about choosing, and here there is nothing to choose.
    """
    limits = protection.rules.limits
    if 0 < limits.max_concurrency <= fleet.in_flight[owner]:
        return FULL
    return FULL if 0 < limits.max_requests <= protection.gate.in_flight else ROOM


def note(protection: Protection, kind: int, index: int, now: int, sent_ns: int) -> None:
    """An attempt at the master `index`, sent at `sent_ns`, is sent, or has ended, at `now`."""
    rules, gate, guard = protection.rules, protection.gate, protection.guards[index]
    gate.in_flight += 1 if kind == SENT else -1
    # A turn is spent by being sent, not by being picked from: retries and owned messages spend too.
    if kind == SENT and guard.credit >= 1.0:
        guard.credit -= 1.0
    if rules.breaker_on != 0:
        if kind == SENT:
            breaker_sent(guard, now)
        elif kind == ANSWERED:
            breaker_answer(guard, now, sent_ns)
        elif kind == FAILED:
            breaker_failure(rules.breaker, guard, now, sent_ns)
        else:
            breaker_cancelled(guard, sent_ns)
    # A cancelled attempt says nothing of its master: its twin was merely faster.
    if rules.outliers_on != 0 and kind in (ANSWERED, FAILED):
        members, guards = protection.members, protection.guards
        gate.sweep_ns = sweep(rules.outliers, guards, members, gate.sweep_ns, now)
        if kind == ANSWERED:
            outlier_answer(guard)
        else:
            outlier_failure(rules.outliers, guards, members, index, now)


__all__ = ["FULL", "NOBODY", "ROOM", "Gate", "Protection", "Rules", "rules_of"]
