"""What a run lost, by cause, of each measure that a budget can be of.

All are in seconds, so that what faults cost adds up alike: downtime as it is; of messages the time
in which as many come on average; of users' time the same share of the run. They are sums over the
run, and faults are rare: windowed user-uptime, a minimum, has no budget.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal, get_args

from hasim.measures import Measured
from hasim.measures.availability import Downtime
from hasim.measures.catalogue import totals
from hasim.measures.causes import CAUSES
from hasim.model import SERVED, Cause
from hasim.simulation.settings import WorldSettings
from hasim.study.rare.estimate import MISTAKEN
from hasim.units import MINUTE, seconds

Measure = Literal["uptime", "uptime.mean", "uptime.k_of_n", "success", "user_uptime"]
MEASURES = get_args(Measure)
"""What a budget can be of."""
MINUTE_S = seconds(MINUTE)
LATE = "late"
"""Messages that were answered after their deadline."""
UNSERVED = "unserved"
"""Users' time without the service."""
_CAUSES: dict[str, tuple[str, ...]] = {
    "success": (LATE, *(cause.value for cause in Cause if cause not in SERVED), MISTAKEN),
    "user_uptime": (UNSERVED, MISTAKEN),
}


def causes_of(of: Measure) -> tuple[str, ...]:
    """By what a shortfall is split: why nothing served, or how messages ended."""
    return _CAUSES.get(of, CAUSES)


def unfit(world: WorldSettings, of: Measure) -> str:
    """Why a world has no such measure; empty if it has."""
    if of == "user_uptime" and world.traffic.keys is None:
        return "a budget of user_uptime needs users: give messages keys (traffic.keys)"
    return ""


def lost_s(measured: Measured, of: Measure) -> tuple[float, ...]:
    """The seconds lost in a run, in the order of `causes_of`."""
    if of == "success":
        return _of_messages(measured)
    if of == "user_uptime":
        return (_of_users(measured), 0.0)
    rows: tuple[Downtime, ...] = (measured.service,)
    if of == "uptime.k_of_n" and measured.k_of_n is not None:
        rows = (measured.k_of_n,)
    if of == "uptime.mean" and measured.partitions:
        rows = measured.partitions
    return tuple(sum(getattr(row, f"{c}_s") for row in rows) / len(rows) for c in CAUSES)


def by_mistake(down_s: tuple[float, ...], of: Measure) -> tuple[float, ...]:
    """The same of a run without a fault in which a failover was false.

    How a message ended does not say why: all that such a run lost is charged to the false failover.
    """
    if of not in _CAUSES:
        return down_s
    return tuple(sum(down_s) if cause == MISTAKEN else 0.0 for cause in _CAUSES[of])


def _of_messages(measured: Measured) -> tuple[float, ...]:
    lost: Counter[str] = Counter()
    for row in measured.messages:
        if row.settled:
            served = row.outcome in {cause.value for cause in SERVED}
            lost[LATE if served else row.outcome] += row.messages - row.in_time
    # Those that come within a deadline of the end are not settled.
    each_s = (measured.horizon_s - measured.deadline_s) / max(1, totals.settled(measured))
    return tuple(each_s * lost[cause] for cause in _CAUSES["success"])


def _of_users(measured: Measured) -> float:
    """Users' seconds without the service, over how many of them are active at a time.

    That is counted from the second minute on: in the first, they come one after the other.
    """
    minutes = int(measured.horizon_s // MINUTE_S) - 1
    whole = [r for r in measured.users if 1 <= r.started_at_s // MINUTE_S <= minutes]
    active = sum(row.up_s + row.down_s for row in whole) / max(1, minutes * MINUTE_S)
    return sum(row.down_s for row in measured.users) / active if active else 0.0
