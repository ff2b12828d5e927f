"""Prequal: probes tell of requests in flight and latency; hot masters are kept out.

Wydrowski et al., "Load is not what you should balance: Introducing Prequal", NSDI 2024.

Memory. `counts`: how many masters to probe now, and which (6 places); the number of probes
in the pool; 1 if the next removal takes the oldest; then for each probe in the pool its
master, when it came, and the requests in flight that it tells of. `values`: what is left
of fractional removals and uses; then for each probe its latency and the uses it has left.
"""

from __future__ import annotations

from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.pickers.draw import candidate, candidates, place_apart

MOST_TARGETS = 6
SIZE, OLDEST = MOST_TARGETS + 1, MOST_TARGETS + 2
FIRST_PROBE, PROBE = MOST_TARGETS + 3, 3
FIRST_VALUE, VALUE = 2, 2
ENDLESS = 1e18


def master_of(fleet: Fleet, probe: int) -> int:
    """The master that a probe in the pool tells of."""
    return fleet.counts[FIRST_PROBE + PROBE * probe]


def load_of(fleet: Fleet, probe: int) -> int:
    """The requests in flight that it tells of."""
    return fleet.counts[FIRST_PROBE + PROBE * probe + 2]


def latency_of(fleet: Fleet, probe: int) -> float:
    """The latency that it tells of (nanoseconds)."""
    return fleet.values[FIRST_VALUE + VALUE * probe]


def remove(fleet: Fleet, probe: int) -> None:
    """Take a probe out of the pool; the order of the others stays, from the oldest on."""
    counts, values = fleet.counts, fleet.values
    counts[SIZE] -= 1
    for later in range(probe, counts[SIZE]):
        for part in range(PROBE):
            place = FIRST_PROBE + PROBE * later + part
            counts[place] = counts[place + PROBE]
        for part in range(VALUE):
            place = FIRST_VALUE + VALUE * later + part
            values[place] = values[place + VALUE]


def uses_of_a_probe(fleet: Fleet) -> float:
    """b_reuse = max(1, (1 + delta) / ((1 - m/n) r_probe - r_remove)); endless if that is negative.

    m: size of the pool, n: masters.
    """
    settings = fleet.settings.prequal
    kept = max(0.0, 1.0 - settings.pool / len(fleet.weight))
    surplus = kept * settings.probes - settings.removals
    return max(1.0, (1.0 + settings.delta) / surplus) if surplus > 0.0 else ENDLESS


def prequal_probed(fleet: Fleet, index: int, now: int, in_flight: int, latency_ns: int) -> None:
    """A probe was answered: it takes the place of the master's last one, or of the oldest."""
    counts, values = fleet.counts, fleet.values
    for probe in range(counts[SIZE]):
        if master_of(fleet, probe) == index:
            remove(fleet, probe)
            break
    if counts[SIZE] == fleet.settings.prequal.pool:
        remove(fleet, 0)
    size = counts[SIZE]
    place = FIRST_PROBE + PROBE * size
    counts[place], counts[place + 1], counts[place + 2] = index, now, in_flight
    values[1] += min(uses_of_a_probe(fleet), ENDLESS)
    whole = float(int(values[1]))  # the fraction is left to the probes that follow
    values[1] -= whole
    place = FIRST_VALUE + VALUE * size
    values[place], values[place + 1] = float(latency_ns), whole
    counts[SIZE] += 1


def usable(fleet: Fleet, probe: int) -> bool:
    """Whether the probe's master may be picked."""
    return fleet.weight[master_of(fleet, probe)] > 0.0


def in_order(fleet: Fleet, place: int) -> int:
    """The load at a place of the usable probes' loads in ascending order."""
    for probe in range(fleet.counts[SIZE]):
        if usable(fleet, probe):
            load, less, same = load_of(fleet, probe), 0, 0
            for other in range(fleet.counts[SIZE]):
                if usable(fleet, other):
                    if load_of(fleet, other) < load:
                        less += 1
                    elif load_of(fleet, other) == load:
                        same += 1
            if less <= place < less + same:
                return load
    return 0


def hot_above(fleet: Fleet, count: int) -> float:
    """The quantile of the usable probes' loads above which a master is hot (type 7)."""
    place = fleet.settings.prequal.hot_quantile * (count - 1)
    below = int(place)
    low = in_order(fleet, below)
    if below + 1 >= count:
        return float(low)
    return low + (place - below) * (in_order(fleet, below + 1) - low)


def best_probe(fleet: Fleet, limit: float) -> int:
    """The rule: the cold master of the least latency; if all are hot, the least loaded one."""
    cold, hot = -1, -1
    for probe in range(fleet.counts[SIZE]):
        if usable(fleet, probe):
            if load_of(fleet, probe) <= limit:
                if cold < 0 or latency_of(fleet, probe) < latency_of(fleet, cold):
                    cold = probe
            elif hot < 0 or load_of(fleet, probe) < load_of(fleet, hot):
                hot = probe
    return cold if cold >= 0 else hot


def worst_probe(fleet: Fleet, limit: float) -> int:
    """The other way round: the most loaded hot one; if none is hot, that of the most latency."""
    cold, hot = -1, -1
    for probe in range(fleet.counts[SIZE]):
        if load_of(fleet, probe) > limit:
            if hot < 0 or load_of(fleet, probe) > load_of(fleet, hot):
                hot = probe
        elif cold < 0 or latency_of(fleet, probe) > latency_of(fleet, cold):
            cold = probe
    return hot if hot >= 0 else cold


def tidy(fleet: Fleet, limit: float) -> None:
    """After a message, remove some probes: in turns the worst and the oldest."""
    fleet.values[0] += fleet.settings.prequal.removals
    while fleet.values[0] >= 1.0:
        fleet.values[0] -= 1.0
        if fleet.counts[SIZE] > 0:
            remove(fleet, 0 if fleet.counts[OLDEST] else worst_probe(fleet, limit))
            fleet.counts[OLDEST] = 1 - fleet.counts[OLDEST]


def choose_targets(fleet: Fleet, request: Request, count: int) -> None:
    """Draw the masters to be probed, each at most once."""
    targets = fleet.counts
    wanted = min(fleet.settings.prequal.probes, count)
    for drawn in range(wanted):
        place_apart(targets, 1, drawn, int(request.draws[2 + drawn] * (count - drawn)))
    for drawn in range(wanted):
        targets[1 + drawn] = candidate(fleet.weight, targets[1 + drawn])
    targets[0] = wanted


def prequal(fleet: Fleet, request: Request) -> int:
    """Hot-cold lexicographic: among probes, the least latency of masters that are not hot.

    With fewer than two probes, any master. The probe that was used counts one more
    request in flight, and is used only so often. Weights play no part.
    """
    counts = fleet.counts
    count = candidates(fleet.weight)
    if count == 0:
        return -1
    oldest_ns = request.now - fleet.settings.prequal.age_ns
    while counts[SIZE] > 0 and counts[FIRST_PROBE + 1] < oldest_ns:
        remove(fleet, 0)
    known = 0
    for probe in range(counts[SIZE]):
        if usable(fleet, probe):
            known += 1
    limit = hot_above(fleet, known)
    if known < 2:
        index = candidate(fleet.weight, int(request.draws[0] * count))
    else:
        used = best_probe(fleet, limit)
        index = master_of(fleet, used)
        counts[FIRST_PROBE + PROBE * used + 2] += 1
        uses = FIRST_VALUE + VALUE * used + 1
        fleet.values[uses] -= 1.0
        if fleet.values[uses] < 1.0:
            remove(fleet, used)
    tidy(fleet, limit)
    choose_targets(fleet, request, count)
    return index
