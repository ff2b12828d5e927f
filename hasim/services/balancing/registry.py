"""The balancing algorithms: one line for each, and a place for users' own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableSequence, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from hasim.services.balancing.chance import DRAWS
from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.names import TABLE
from hasim.services.balancing.pickers.draw import random, weighted_random
from hasim.services.balancing.pickers.geo import (
    geo,
    geo_hysteresis,
    geo_hysteresis_ended,
    geo_weighted_spillover,
)
from hasim.services.balancing.pickers.hashing import (
    maglev,
    maglev_bounded,
    maglev_home,
    ring_hash,
    ring_hash_bounded,
    ring_home,
)
from hasim.services.balancing.pickers.join_idle_queue import join_idle_queue, join_idle_queue_ended
from hasim.services.balancing.pickers.least_latency import least_latency, least_latency_ended
from hasim.services.balancing.pickers.least_loaded import least_loaded
from hasim.services.balancing.pickers.peak_ewma import peak_ewma, peak_ewma_ended
from hasim.services.balancing.pickers.power_aware import power_aware, power_aware_reported
from hasim.services.balancing.pickers.prequal import (
    FIRST_PROBE,
    FIRST_VALUE,
    PROBE,
    VALUE,
    prequal,
    prequal_probed,
)
from hasim.services.balancing.pickers.priority import (
    priority,
    priority_all_or_nothing,
    priority_spillover,
)
from hasim.services.balancing.pickers.round_robin import round_robin
from hasim.services.balancing.pickers.sticky import session_home, sticky
from hasim.services.balancing.pickers.turns import begin_turns
from hasim.services.balancing.pickers.two_choices import two_choices, two_choices_with_replacement
from hasim.services.balancing.pickers.weighted_round_robin import weighted_round_robin
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.balancing.tables import Members, maglev_table, ring

Size = Callable[[int, BalancingSettings], int]


def _none(masters: int, settings: BalancingSettings) -> int:
    return 0


def _one(masters: int, settings: BalancingSettings) -> int:
    return 1


def _each(masters: int, settings: BalancingSettings) -> int:
    return masters


def _turns(masters: int, settings: BalancingSettings) -> int:
    return masters + 1


def _each_and_turns(masters: int, settings: BalancingSettings) -> int:
    return masters + _turns(masters, settings)


def _snitch(masters: int, settings: BalancingSettings) -> int:
    return masters + 1 + _turns(masters, settings)


def _twice(masters: int, settings: BalancingSettings) -> int:
    return 2 * masters


def _choices(masters: int, settings: BalancingSettings) -> int:
    return settings.choices


def _sessions(masters: int, settings: BalancingSettings) -> int:
    return settings.sessions + _turns(masters, settings)


def _probe_counts(masters: int, settings: BalancingSettings) -> int:
    return FIRST_PROBE + PROBE * settings.prequal.pool


def _probe_values(masters: int, settings: BalancingSettings) -> int:
    return FIRST_VALUE + VALUE * settings.prequal.pool


def _ring(
    members: Members, eligible: Sequence[bool], settings: BalancingSettings
) -> tuple[int, ...]:
    return ring(members, settings.ring_size)


def _maglev(
    members: Members, eligible: Sequence[bool], settings: BalancingSettings
) -> tuple[int, ...]:
    return maglev_table(tuple(m for m in members if eligible[m[0]]), settings.table_size)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """What there is to know of one algorithm.

    `counts` and `values` give the size of its memory (see `Fleet`), which is zeros at first;
    `begin` then makes the start of each gateway another one, as begin(counts, masters, start),
    where `start` is the index of the master that comes first. `own_view`: what it knows of load
    and latency are its own gateway's messages. `draws` says how many
    uniforms a pick needs (`by_choices`: as many as the setting `choices`). `build` makes the
    table of (masters, who is eligible, settings).
    `ended` is told of every attempt that ended (after it left the count of those in flight),
    as ended(fleet, index, now, elapsed_ns, failed); `reported` of what masters report of
    themselves, as reported(fleet, index, now, rate, error_rate, utilisation). `probed` is
    told of answers to load probes, as probed(fleet, index, now, in_flight, latency_ns); a
    picker that has it leaves in `counts` how many masters shall be probed now, and then
    which. `home` says to which master a key belongs, as home(fleet, hash) without changing
    anything, -1 for none; only algorithms that keep a key at a master have it, and key churn is
    measured of those alone. `equal`: all masters that may be picked are alike to it, whatever
    their weights. `group`: it prefers those of one tier or region; with tiers, the panic
    threshold holds for each by itself. `slow_start`: what keeps messages from a master that is
    newly back: its lowered weight, turns that it has to earn (among its group), or nothing.
    """

    about: str
    pick: Callable[[Fleet, Request], int]
    draws: int = 0
    by_choices: bool = False
    counts: Size = _none
    values: Size = _none
    build: Callable[[Members, Sequence[bool], BalancingSettings], tuple[int, ...]] | None = None
    ended: Callable[[Fleet, int, int, int, bool], None] | None = None
    reported: Callable[[Fleet, int, int, float, float, float], None] | None = None
    probed: Callable[[Fleet, int, int, int, int], None] | None = None
    home: Callable[[Fleet, int], int] | None = None
    equal: bool = False
    group: Literal["all", "tier", "region"] = "all"
    slow_start: Literal["weights", "turns", "none"] = "weights"
    begin: Callable[[MutableSequence[int], int, int], None] | None = None
    own_view: bool = False

    @property
    def listed(self) -> str:
        """What it does, and what it can see of it."""
        return (
            f"{self.about} Each gateway goes by its own messages." if self.own_view else self.about
        )

    def draws_by(self, settings: BalancingSettings) -> int:
        """How many uniforms a pick needs, with these settings."""
        return settings.choices if self.by_choices else self.draws


_LISTED: dict[str, Algorithm] = {
    "round-robin": Algorithm(
        "The next eligible master in a fixed circle.",
        round_robin,
        counts=_one,
        equal=True,
        slow_start="turns",
    ),
    "weighted-round-robin": Algorithm(
        "Smooth weighted round robin, as nginx.", weighted_round_robin, values=_each
    ),
    "random": Algorithm(
        "Any eligible master, all alike.", random, draws=1, equal=True, slow_start="turns"
    ),
    "weighted-random": Algorithm(
        "Any eligible master, in proportion to its weight.", weighted_random, draws=1
    ),
    "priority": Algorithm(
        "The best tier with room; VIP messages first; spill-over to the next tier.",
        priority,
        group="tier",
        slow_start="turns",
        counts=_turns,
        begin=begin_turns,
        own_view=True,
    ),
    "priority-spillover": Algorithm(
        "A tier by Envoy's shares (140 % overprovisioning), its least loaded.",
        priority_spillover,
        draws=1,
        group="tier",
        slow_start="turns",
        counts=_turns,
        begin=begin_turns,
        own_view=True,
    ),
    "priority-all-or-nothing": Algorithm(
        "The best tier with anybody eligible takes all (gRPC), its least loaded.",
        priority_all_or_nothing,
        group="tier",
        slow_start="turns",
        counts=_turns,
        begin=begin_turns,
        own_view=True,
    ),
    "least-loaded": Algorithm(
        "Fewest messages in flight (queued ones too) over weight, by a full scan; ties in turns "
        "(HAProxy leastconn).",
        least_loaded,
        slow_start="turns",
        counts=_turns,
        begin=begin_turns,
        own_view=True,
    ),
    "two-choices": Algorithm(
        "Of two (or `choices`) different masters drawn at random, the least loaded; a tie goes to "
        "the first drawn.",
        two_choices,
        by_choices=True,
        counts=_choices,
        slow_start="turns",
        own_view=True,
    ),
    "two-choices-with-replacement": Algorithm(
        "The same with draws that may hit one master twice (Envoy, gRPC).",
        two_choices_with_replacement,
        by_choices=True,
        slow_start="turns",
        own_view=True,
    ),
    "least-latency": Algorithm(
        "The lowest moving average of latency, which fades in silence.",
        least_latency,
        values=_twice,
        ended=least_latency_ended,
        equal=True,
        slow_start="turns",
        counts=_each_and_turns,
        begin=begin_turns,
        own_view=True,
    ),
    "peak-ewma": Algorithm(
        "Two choices by peak-sensitive latency times messages in flight (Finagle).",
        peak_ewma,
        draws=2,
        counts=_each,
        values=_each,
        ended=peak_ewma_ended,
        equal=True,
        slow_start="turns",
        own_view=True,
    ),
    "prequal": Algorithm(
        "Among probed masters that are not hot, the least latency (Prequal).",
        prequal,
        draws=DRAWS,
        counts=_probe_counts,
        values=_probe_values,
        probed=prequal_probed,
        equal=True,
        slow_start="turns",
    ),
    "join-idle-queue": Algorithm(
        "Masters with a free worker stand in line; any if there is none.",
        join_idle_queue,
        draws=1,
        ended=join_idle_queue_ended,
        equal=True,
        slow_start="turns",
        counts=_turns,
        begin=begin_turns,
        own_view=True,
    ),
    "power-aware": Algorithm(
        "Weighted round robin by rate over utilisation, as masters report them (gRPC, Envoy).",
        power_aware,
        counts=_twice,
        values=_twice,
        reported=power_aware_reported,
        equal=True,
        slow_start="turns",
    ),
    "geo": Algorithm(
        "The nearest eligible region; least loaded within it.",
        geo,
        group="region",
        slow_start="turns",
        counts=_turns,
        begin=begin_turns,
        own_view=True,
    ),
    "geo-weighted-spillover": Algorithm(
        "A region by weight and availability (Envoy, 140 %), its least loaded.",
        geo_weighted_spillover,
        draws=1,
        slow_start="turns",
        counts=_turns,
        begin=begin_turns,
        own_view=True,
    ),
    "geo-hysteresis": Algorithm(
        "The nearest, unless its latency exceeds the best by the badness (Cassandra).",
        geo_hysteresis,
        values=_each,
        ended=geo_hysteresis_ended,
        group="region",
        slow_start="turns",
        counts=_snitch,
        begin=begin_turns,
        own_view=True,
    ),
    "ring-hash": Algorithm(
        "By the message's key on a hash ring (ketama).",
        ring_hash,
        build=_ring,
        home=ring_home,
        slow_start="none",
    ),
    "ring-hash-bounded": Algorithm(
        "The same, passing over masters above the load bound.",
        ring_hash_bounded,
        build=_ring,
        home=ring_home,
        own_view=True,
    ),
    "maglev": Algorithm(
        "By the message's key in Maglev's table.",
        maglev,
        build=_maglev,
        home=maglev_home,
        slow_start="none",
    ),
    "maglev-bounded": Algorithm(
        "The same, jumping on from masters above the load bound.",
        maglev_bounded,
        build=_maglev,
        home=maglev_home,
        own_view=True,
    ),
    "sticky": Algorithm(
        "A session stays with its master while that is eligible and not drained (Envoy; HAProxy "
        "keeps sessions while a master drains); new ones to the least loaded.",
        sticky,
        counts=_sessions,
        home=session_home,
        begin=begin_turns,
        own_view=True,
    ),
}
ALGORITHMS: dict[str, Algorithm] = TABLE
"""By name, in the order in which they are listed."""
ALGORITHMS.update(_LISTED)
SHIPPED: Mapping[str, Algorithm] = MappingProxyType(_LISTED)
"""Those that hasim comes with, as they are, whatever is registered."""


def register(name: str, algorithm: Algorithm) -> None:
    """Add an algorithm of one's own, to be chosen by name like the others.

    It runs in plain Python: in a service, and in simulations on the reference data
    plane. Worker processes import its functions by module and name, so all of them must stand
    at the top level of a module; with others, a study runs in this process alone.
    ValueError if there is one of that name.
    """
    if name in ALGORITHMS:
        raise ValueError(f"there is an algorithm {name!r} already")
    ALGORITHMS[name] = algorithm
