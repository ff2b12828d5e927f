"""How often faults strike: as given, as the scenario has it, or fitted to recorded outages."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from scipy import special

from hasim.scenario.tables.errors import TraceError
from hasim.scenario.traces.outages import Outages, read_outages
from hasim.settings.validation import SettingsError, Where, nearest
from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.faults import AnyFault, RegionOutage
from hasim.simulation.settings.places import (
    EACH,
    CommonCauseSettings,
    place_of,
    places_at,
)
from hasim.simulation.settings.recordings import CheckLog, OutageTrace
from hasim.study.estimates.statistics import LEVEL, Interval, rate_interval, unknown
from hasim.study.rare.combine import exactly, scaled
from hasim.study.rare.estimate import Kind
from hasim.units import parse_rate, seconds

RESERVED = ("random", "each")
Target = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """Faults per second of one process while it is not active, and where that is from."""

    per_s: Interval
    origin: str


@dataclass(frozen=True)
class FaultClass:
    """One fault of a scenario as independent processes, one for each of `targets`.

    `whose` says what one process strikes: ``master``, ``region``, or a target's name.
    """

    name: str
    fault: AnyFault
    targets: tuple[Target, ...]
    whose: str
    rate: Rate

    @property
    def kind(self) -> Kind:
        """What the estimator needs to know of it."""
        mean_s = seconds(self.fault.for_.mean_ns)
        return Kind(self.name, len(self.targets), self.rate.per_s, mean_s)


# -- fitting -----------------------------------------------------------------------


def fit(trace: OutageTrace | CheckLog, resources: int | None = None, level: float = LEVEL) -> Rate:
    """The rate of an exponential law from recorded outages, in real time.

    Without `resources`, from the times between the outages of each resource that failed
    at least twice (`between`); a resource that never failed is not in the recording, so that
    this is the rate of those that do fail. With the number of `resources` that were
    watched, from all outages and all the time that these were up (`over`).

    Raises TraceError if the recording cannot be used.
    """
    least = 2 if resources is None else 1
    real = dataclasses.replace(trace, time_scale=1.0, least_outages=least)
    outages = read_outages(real)
    name = trace.file.name
    if resources is None:
        found = between(outages, level)
        return Rate(found, f"{found.n} times between outages in {name}")
    if resources < len(outages):
        # A resource more than there are: the time that was watched would be wrong.
        message = f"{name} names {len(outages)} resources, more than the {resources} watched"
        raise TraceError(trace.file, settings=[("resources", message)])
    found = over(outages, resources, level)
    return Rate(found, f"{found.n} outages of {resources} resources in {name}")


def between(outages: Outages, level: float = LEVEL) -> Interval:
    """The rate from the times between outages, whose sum T ends with the k-th of them.

    k / T, the maximum likelihood estimate; since 2 lambda T has the chi-square law with 2 k
    degrees of freedom, the bounds are its quantiles over 2 T (Epstein, Sobel, JASA 48, 1953).
    """
    gaps_ns = [b[0] - a[1] for spans in outages for a, b in pairwise(spans)]
    k, total_s = len(gaps_ns), seconds(sum(gaps_ns))
    if not k or not total_s:
        return unknown(k, "exact chi-square")
    tail = (1 - level) / 2
    low, high = (float(special.gammaincinv(k, p)) / total_s for p in (tail, 1 - tail))
    return Interval(k / total_s, low, high, k, "exact chi-square")


def over(outages: Outages, resources: int, level: float = LEVEL) -> Interval:
    """The rate from all outages over all time up, between the first start and the last end."""
    spans = [span for own in outages for span in own]
    watched_ns = max(end for _, end in spans) - min(start for start, _ in spans)
    down_ns = sum(end - start for start, end in spans)
    return rate_interval(len(spans), seconds(resources * watched_ns - down_ns), level)


# -- the faults of a scenario ---------------------------------------------------------


def parse_rates(given: Mapping[str, str | float | Rate]) -> dict[str, Rate]:
    """Rates by kind: ``"12/y"``, a number of faults per second, or a `Rate`.

    Raises SettingsError that names the kind and what was expected.
    """
    rates: dict[str, Rate] = {}
    problems: list[tuple[Where, str]] = []
    for kind, text in given.items():
        if isinstance(text, Rate):
            rates[kind] = text
            continue
        try:
            per_s = parse_rate(text) if isinstance(text, str) else float(text)
        except ValueError as error:
            message = str(error).replace("20/s or 90/m", "12/y or 1/d")
            problems.append(((f"rate {kind}",), message))
            continue
        if not 0 < per_s < float("inf"):
            problems.append(((f"rate {kind}",), f"must be greater than 0/s, got {text}"))
        rates[kind] = Rate(exactly(per_s), "given")
    if problems:
        raise SettingsError(problems)
    return rates


def classes_of(
    world: WorldSettings,
    given: Mapping[str, Rate] | None = None,
    mtbf_ns: int | None = None,
    level: float = LEVEL,
) -> list[FaultClass]:
    """The faults of a world with their rates.

    A rate that is `given` for the kind counts; else that of the scenario: 1 / mean of
    ``every``, or fitted to the outages of ``schedule``; else 1 / `mtbf_ns`. What strikes
    `each` master is a process for every master, and so is what strikes a `random` one, unless
    it has a rhythm of its own (``every``): then it is one process.

    Raises SettingsError (places from ``faults`` on) if a fault has no rate, TraceError if a
    recording cannot be used.
    """
    found, missing = [], []
    names = _names(world.faults)
    for index, fault in enumerate(world.faults):
        if fault.from_ == "declaration":
            at: Where = ("faults", index, "from")
            missing.append((at, "a budget takes faults whose cure is timed from their start"))
            continue
        rate = _rate(fault, dict(given or {}), mtbf_ns, level)
        if rate is None:
            missing.append(_no_rate(index, fault))
            continue
        alone = fault.every is not None and rate.origin == "every"
        found += _classes(world, names[index], fault, rate, alone=alone)
    if missing:
        raise SettingsError(missing)
    return found


def _rate(
    fault: AnyFault, given: Mapping[str, Rate], mtbf_ns: int | None, level: float
) -> Rate | None:
    if kind_of(fault) in given:
        return given[kind_of(fault)]
    if fault.every is not None:
        return Rate(exactly(1 / seconds(fault.every.mean_ns)), "every")
    if fault.schedule is not None:
        return fit(fault.schedule, level=level)
    return None if mtbf_ns is None else Rate(exactly(1 / seconds(mtbf_ns)), "projection")


def _no_rate(index: int, fault: AnyFault) -> tuple[Where, str]:
    kind = kind_of(fault)
    return ("faults", index), (
        f"how often does it strike? Give `every`, a recorded `schedule`, a `projection`, "
        f"or --rate {kind}=12/y"
    )


def _classes(
    world: WorldSettings, name: str, fault: AnyFault, rate: Rate, *, alone: bool
) -> list[FaultClass]:
    """A fault by whom it strikes: with common causes, places beside masters by themselves."""
    places = [place_of(master) for master in world.all_masters]
    if isinstance(fault.target, str) and fault.target.startswith(EACH):
        level = fault.target.removeprefix(EACH)
        return [FaultClass(name, fault, tuple(places_at(level, places)), level, rate)]
    shares = fault.common.shares
    if not shares:
        return [_class(world, name, fault, rate, alone=alone)]
    bare = dataclasses.replace(fault, common=CommonCauseSettings())
    own = Rate(scaled(rate.per_s, fault.common.alone), f"{rate.origin}, common causes aside")
    found = [_class(world, name, bare, own, alone=False)] if fault.common.alone else []
    for level, beta in shares.items():
        part = Rate(scaled(rate.per_s, beta), f"{rate.origin}, common cause of a {level}")
        targets = tuple(places_at(level, places))
        found.append(FaultClass(f"{name} ({level})", bare, targets, level, part))
    return found


def _class(
    world: WorldSettings, name: str, fault: AnyFault, rate: Rate, *, alone: bool
) -> FaultClass:
    regional = isinstance(fault, RegionOutage)
    target, one = fault.target, fault.STRIKES.removesuffix("s")
    if not fault.strikes_masters:
        return FaultClass(name, fault, (target,), "the control plane", rate)
    if target not in RESERVED or (target == "random" and alone):
        listed = target if isinstance(target, str) else " and ".join(target)
        whose = {"random": f"any {'region' if regional else one}"}.get(listed, listed)
        return FaultClass(name, fault, (target,), whose, rate)
    if regional:
        regions = dict.fromkeys(master.region for master in world.all_masters)
        return FaultClass(name, fault, tuple(f"region:{r}" for r in regions), "region", rate)
    return FaultClass(name, fault, world.struck_by(fault), one, rate)


def _names(faults: Sequence[AnyFault]) -> list[str]:
    """The kind of each fault; with its position where there are several of a kind."""
    kinds = [kind_of(fault) for fault in faults]
    return [
        kind if kinds.count(kind) == 1 else f"{kind} (faults.{index})"
        for index, kind in enumerate(kinds)
    ]


def kind_of(fault: AnyFault) -> str:
    """The kind of a fault as users write it."""
    return fault.kind


def unknown_kinds(worlds: Sequence[WorldSettings], given: Mapping[str, object]) -> list[str]:
    """A sentence for each kind with a rate that no fault of any of the worlds has."""
    kinds = dict.fromkeys(kind_of(fault) for world in worlds for fault in world.faults)
    return [
        f"none is of the kind {kind!r}{nearest(kind, kinds, otherwise='there are')}"
        for kind in given
        if kind not in kinds
    ]
