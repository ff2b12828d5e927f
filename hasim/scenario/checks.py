"""What no single field can know: names that must exist, values that must fit together."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hasim.measures.catalogue import MEASURES
from hasim.scenario.copies import copies_problems
from hasim.scenario.operations import operation_problems
from hasim.scenario.places import (
    each_problem,
    observer_problems,
    place_problem,
    spread_problems,
    unknown_target,
)
from hasim.scenario.replications import Sequential
from hasim.scenario.rhythms import rhythm_problems
from hasim.scenario.schema import Scenario
from hasim.services.balancing.tables import is_prime
from hasim.services.failover.fencing.confirmed import ConfirmedSettings
from hasim.services.failover.fencing.token import TokenSettings
from hasim.settings import fields_by_user_name
from hasim.settings.validation import Where, dotted, nearest
from hasim.simulation.clients.arrivals import expected
from hasim.simulation.laws import Constant, Uniform, least_ns
from hasim.simulation.settings import (
    CurveArrivals,
    MatrixTrace,
    RequestSettings,
    TraceArrivals,
    WorldSettings,
)
from hasim.simulation.settings.faults import Fault, RegionOutage, Slow
from hasim.simulation.settings.places import EACH, is_place, place_named
from hasim.units import format_duration, format_percent

Found = Iterator[tuple[Where, str]]
RESERVED = ("random", "each", "all")
MOST_MESSAGES = 10**8
"""More messages in one replication do not fit in the memory of a common machine."""
MOST_FAULTS = 10**6
MOST_TIERS = 8
MOST_ADDRESSES = 10**7
"""What clients keep, for each partition, must fit in memory as well."""
MOST_BURSTS = 10**7
"""More bursts of loss, each of 16 bytes, would be most of a run's memory."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MASTER = re.compile(r"[A-Za-z0-9_-]*[A-Za-z_-][A-Za-z0-9_-]*")
_OWNER_OF = re.compile(r"owner-of:p([1-9][0-9]*)")


def scenario_problems(scenario: Scenario) -> Found:
    """(where, message) for each thing that is wrong with the scenario around its world."""
    if scenario.name and not _NAME.fullmatch(scenario.name):
        yield ("name",), f"expected letters, digits, '.', '_' and '-', got {scenario.name!r}"
    if isinstance(scenario.replications, Sequential):
        yield from _sequential(scenario.replications)
    if scenario.projection is None:
        for where in _projected(scenario):
            yield where, "needs a projection, such as {mtbf: 30d, period: 30d}"


def _sequential(rule: Sequential) -> Found:
    if not rule.until:
        yield ("replications", "until"), "needs at least one measure, such as {outage.p95: 5%}"
    if rule.at_most < rule.at_least:
        yield ("replications", "at_most"), f"is less than at_least, {rule.at_least}"


def _projected(scenario: Scenario) -> Iterator[Where]:
    """Where a projected measure is asked for."""
    asked: list[Where] = [("expect", item.measure) for item in scenario.expect]
    if isinstance(scenario.replications, Sequential):
        asked += [("replications", "until", measure) for measure in scenario.replications.until]
    yield from (where for where in asked if MEASURES[str(where[-1])].needs_projection)


def world_problems(world: WorldSettings) -> Found:
    """(where, message) for each contradiction within a world, its traces aside."""
    yield from _names(world)
    yield from _laws(world, ())
    for index, fault in enumerate(world.faults):
        yield from _fault(world, fault, ("faults", index))
    yield from operation_problems(world)
    yield from _bursts(world)
    yield from _traffic(world)
    for number, tier in enumerate(world.apart, 1):
        last = number == len(world.apart)
        for where, message in (*_tier(tier), *_asking(tier, last=last)):
            yield _within(world, number - 1, where), message
    if isinstance(world.warm_up, int) and world.warm_up >= world.horizon_ns:
        yield ("warm_up",), f"leaves nothing of the horizon, {format_duration(world.horizon_ns)}"


def _tier(tier: WorldSettings) -> Found:
    """What may be wrong with the masters of a tier, and how they are looked after."""
    yield from _masters(tier)
    yield from _detection(tier)
    yield from rhythm_problems(tier)
    yield from copies_problems(tier)
    if not is_prime(tier.balancing.table_size):
        got = tier.balancing.table_size
        yield ("balancing", "table_size"), f"must be a prime number (such as 65537), got {got}"
    if not isinstance(tier.network.rtt, MatrixTrace):
        yield from observer_problems(tier)


def _asking(tier: WorldSettings, *, last: bool) -> Found:
    """Checks that ask the next tier: there must be one, and they must get as far as a worker."""
    for index, master in enumerate(tier.masters):
        if master.health_asks and last:
            yield ("masters", index, "health_asks"), "there is no tier behind to ask"
        elif master.health_asks and master.health not in ("deep", "write"):
            text = f"is of checks that are deep or write; these are {master.health}"
            yield ("masters", index, "health_asks"), text


def _within(world: WorldSettings, number: int, where: Where) -> Where:
    """Where a setting of a tier is written: the first one's requests are the clients' traffic."""
    if not world.tiers:
        return where
    if where[0] == "traffic":
        return ("tiers", number, "requests", *where[1:]) if number else where
    return ("tiers", number, *where)


def _names(world: WorldSettings) -> Found:
    """Names that are given twice, or cannot be."""
    first: dict[str, Where] = {}
    for at, master in world.placed_masters:
        where = (*at, "id")
        if master.id in RESERVED or not _MASTER.fullmatch(master.id):
            yield (
                where,
                "expected a name of letters, digits, '_' and '-' (not only digits, and none of "
                f"{', '.join(RESERVED)}), got {master.id!r}",
            )
        if master.id in first:
            yield where, f"{master.id!r} is named twice (also {dotted(first[master.id])})"
        first.setdefault(master.id, at)
    if len(world.tiers) > MOST_TIERS:
        yield ("tiers",), f"are {len(world.tiers)}; the most is {MOST_TIERS}"
    known: list[str] = []
    for number, tier in enumerate(world.tiers):
        where = ("tiers", number, "name")
        if not _MASTER.fullmatch(tier.name):
            got = tier.name
            yield where, f"expected a name of letters, digits, '_' and '-', got {got!r}"
        if tier.name in known:
            yield where, f"{tier.name!r} is named twice (also tiers.{known.index(tier.name)})"
        known.append(tier.name)
        if number and tier.requests.deadline_ns < tier.requests.timeout_ns:
            shown = format_duration(tier.requests.timeout_ns)
            where = ("tiers", number, "requests", "deadline")
            yield where, f"is shorter than the timeout of one attempt, {shown}"
    if world.tiers and world.tiers[0].requests != RequestSettings():
        where = ("tiers", 0, "requests")
        yield where, "clients ask the first tier: what they send is the setting traffic"


def sites_of(world: WorldSettings) -> Iterator[tuple[Where, str]]:
    """Every site that the world names, and where it does."""
    for where, master in world.placed_masters:
        yield (*where, "region"), master.region
    for index, region in enumerate(world.traffic.regions):
        yield ("traffic", "regions", index), place_named(region)[0]
    for number, tier in enumerate(world.apart):
        if tier.observer.region:
            site = place_named(tier.observer.region)[0]
            yield _within(world, number, ("observer", "region")), site


def matrix_problems(world: WorldSettings, rtt_ns: Mapping[tuple[str, str], int]) -> Found:
    """(where, message) for each site or pair of sites that the matrix of RTTs lacks."""
    known = sorted({site for pair in rtt_ns for site in pair})
    found: dict[str, Where] = {}
    for where, site in sites_of(world):
        if site not in known:
            yield where, f"{site!r} is not in the matrix{nearest(site, known)}"
        else:
            found.setdefault(site, where)
    for a in found:
        for b, where in found.items():
            if a < b and (a, b) not in rtt_ns:
                yield where, f"the matrix has no round-trip time between {a!r} and {b!r}"


def _masters(world: WorldSettings) -> Found:
    masters = world.masters
    if not masters:
        yield ("masters",), "needs at least one master"
    elif all(master.absent for master in masters):
        yield ("masters",), "needs at least one master that is not absent"
    elif not (world.stateless or world.owners):
        yield ("masters",), "needs at least one master that is no standby, to own a partition"
    if masters and world.needed > len(masters):
        yield ("needed",), f"must be at most {len(masters)}, as many masters as there are"
    for index, master in enumerate(masters):
        if master.standby and world.stateless:
            yield (
                ("masters", index, "standby"),
                "there is nothing to stand by for: no message is owned (traffic.owned is 0%)",
            )


def _laws(value: Any, where: Where) -> Found:
    """Every law, wherever it stands."""
    if isinstance(value, Uniform) and value.low_ns > value.high_ns:
        low, high = format_duration(value.low_ns), format_duration(value.high_ns)
        yield (*where, "low"), f"{low} is more than high, {high}"
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _laws(item, (*where, index))
    elif dataclasses.is_dataclass(value):
        for name, item in fields_by_user_name(type(value)).items():
            yield from _laws(getattr(value, item.name), (*where, name))


def _fault(world: WorldSettings, fault: Fault, where: Where) -> Found:
    given = [name for name in ("at", "every", "schedule") if getattr(fault, name)]
    if len(given) != 1:
        got = f", got {' and '.join(given)}" if given else ", got none"
        yield where, f"needs exactly one of at, every and schedule{got}"
    if fault.every is not None and fault.every.mean_ns <= 0:
        yield (*where, "every"), "must be longer than 0s on average"
    elif fault.every is not None:
        times = world.horizon_ns / (fault.every.mean_ns + fault.for_.mean_ns)
        if times > MOST_FAULTS:
            yield (*where, "every"), f"strikes {times:.0e} times in a run; the most is 1e+06"
    if fault.for_.mean_ns <= 0:
        yield (*where, "for"), "must be longer than 0s on average"
    for index, at in enumerate(fault.at):
        if isinstance(at, Constant) and at.mean_ns >= world.horizon_ns:
            shown = f"{format_duration(at.mean_ns)}, horizon {format_duration(world.horizon_ns)}"
            yield (*where, "at", index), f"lies beyond the end of the run ({shown})"
    if isinstance(fault, Slow) and fault.speed <= 0:
        yield (*where, "speed"), "must be greater than 0% (a speed of zero is the kind hang)"
    if fault.from_ == "declaration" and not fault.needs_repair:
        yield (*where, "from"), "a stall passes by itself: nobody repairs it"
    elif fault.from_ == "declaration" and fault.STRIKES != "masters":
        yield (*where, "from"), "only masters are declared failed"
    yield from spread_problems(world, fault, where)
    if fault.strikes_masters:
        yield from _targets(world, fault, (*where, "target"))
    elif fault.target != "random":
        yield (*where, "target"), "no master is struck: leave it out"


def _targets(world: WorldSettings, fault: Fault, where: Where) -> Found:
    single = isinstance(fault.target, str)
    targets = (fault.target,) if isinstance(fault.target, str) else fault.target
    if not targets:
        yield where, "needs at least one target"
    for index, target in enumerate(targets):
        at = where if single else (*where, index)
        message = _target_problem(world, fault, target, listed=len(targets) > 1)
        if not message and isinstance(fault, RegionOutage):
            good = target == "random" or target.startswith("region:")
            message = "" if good else "a region outage strikes region:NAME or random"
        if message:
            yield at, message


def _target_problem(world: WorldSettings, fault: Fault, target: str, *, listed: bool) -> str:
    """Why a target does not exist; empty if it does."""
    ids = world.struck_by(fault)
    if target in ids or (target in RESERVED and not listed):
        return ""
    if target in RESERVED:
        return f"{target!r} stands alone, not in a list"
    if fault.STRIKES != "masters":
        return f"no {fault.STRIKES[:-1]} {target!r}{nearest(target, [*ids, *RESERVED])}"
    if target.startswith("owner-of:"):
        match = _OWNER_OF.fullmatch(target)
        partitions = len(world.owners)
        if world.stateless:
            return f"{target!r}: no message is owned (traffic.owned is 0%), so nobody owns anything"
        if match and int(match.group(1)) <= partitions:
            return ""
        return f"no such partition in {target!r}; there are p1 to p{partitions}"
    if is_place(target):
        return place_problem(world, target)
    if target.startswith(EACH):
        return f"{target!r} stands alone, not in a list" if listed else each_problem(world, target)
    return unknown_target(world, target, [*ids, *RESERVED])


def _bursts(world: WorldSettings) -> Found:
    """Loss in bursts that can be, and not too many of them."""
    bursts = world.network.bursts
    if bursts is None or bursts.share == 0.0:
        return
    if bursts.share >= bursts.within:
        shown, within = format_percent(bursts.share), format_percent(bursts.within)
        yield (
            ("network", "bursts", "share"),
            f"must be less than what a burst loses (within, {within}), got {shown}",
        )
        return
    of_path = world.horizon_ns / (bursts.mean_ns + bursts.good_ns)
    number = of_path * len(world.all_masters) * (len(world.client_regions) + 1)
    if number > MOST_BURSTS:
        yield (
            ("network", "bursts", "mean"),
            f"makes {number:.0e} bursts in a run; the most is 1e+07: such short ones are "
            "independent loss (network.loss)",
        )


def _traffic(world: WorldSettings) -> Found:
    traffic = world.traffic
    if traffic.connect_timeout_ns >= traffic.timeout_ns:
        shown = format_duration(traffic.timeout_ns)
        yield ("traffic", "connect_timeout"), f"is not shorter than traffic.timeout, {shown}"
    arrivals = traffic.arrivals
    if isinstance(arrivals, CurveArrivals) and not arrivals.rates_per_s:
        yield ("traffic", "arrivals", "rates"), "needs at least one rate, such as 20/s"
    elif not isinstance(arrivals, TraceArrivals):
        messages = expected(arrivals, world.horizon_ns)
        if messages > MOST_MESSAGES:
            last = "rates" if isinstance(arrivals, CurveArrivals) else "rate"
            yield (
                ("traffic", "arrivals", last),
                f"makes {messages:.0e} messages; the most is 1e+08",
            )
    yield from _clients(world)
    for index, region in enumerate(traffic.regions):
        if region in traffic.regions[:index]:
            yield ("traffic", "regions", index), f"{region!r} is given twice"


def _detection(world: WorldSettings) -> Found:
    for setting, message in world.detection.problems():
        yield ("detection", setting), message
    device, fencing = world.fencing_device, world.failover.fencing
    for setting, message in world.failover.problems():
        yield ("failover", setting), message
    for setting, message in fencing.problems():
        yield ("failover", "fencing", setting), message
    if isinstance(fencing, ConfirmedSettings) and least_ns(device.latency) >= fencing.timeout_ns:
        shown = format_duration(fencing.timeout_ns)
        yield (
            ("fencing_device", "latency"),
            f"must be shorter than failover.fencing.timeout, {shown}",
        )
    if isinstance(fencing, TokenSettings) and world.owners:
        copies = min(world.replication.copies, sum(not m.absent for m in world.masters) - 1)
        if copies < 2:
            yield (
                ("failover", "fencing"),
                f"token needs three keepers, an owner and two copies: there are {copies + 1}",
            )
    if least_ns(world.promotion.duration) >= world.failover.promote_timeout_ns:
        shown = format_duration(world.failover.promote_timeout_ns)
        yield ("promotion", "duration"), f"must be shorter than failover.promote_timeout, {shown}"
    for section, name, values in (
        ("detection", "evidence", tuple(map(type, world.detection.evidence))),
        ("failover", "selection", world.failover.selection),
    ):
        if not values:
            yield (section, name), "needs at least one value"
        if len(set(values)) < len(values):
            yield (section, name), "has a value twice"
    there, needed = 1 + len(world.observer.witnesses), world.detection.confirm.least_observers
    if needed > there:
        text = f"needs {needed} observers, and there are {there}: add sites to observer.witnesses"
        yield ("detection", "confirm"), text


def _clients(world: WorldSettings) -> Found:
    """Those of one tier: users, or the connections of each master of the tier before."""
    clients, where = world.traffic.clients, ("traffic", "clients")
    if clients is None:
        return
    if clients.dns is None and clients.connections is None:
        yield where, "needs dns, connections, or both: without, clients keep nothing"
    gateways = len(world.traffic.regions) or len({master.region for master in world.masters})
    addresses = clients.number * gateways * (len(world.owners) + 1)
    if addresses > MOST_ADDRESSES:
        yield (
            (*where, "number"),
            f"makes {addresses:.0e} addresses, with gateways and partitions; the most is 1e+07",
        )
