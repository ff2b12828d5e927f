"""Which noise the false failovers of a scenario rest on, and whether that says anything of them.

Two checks that fail in a row by independent loss of 0.1 % are one in a million; in networks as they
are, what fails once fails again a moment later. So a rate of false failovers means something only
where noise is stated that lasts: bursts, recorded jitter, stalls, other faults that impair nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.recordings import JitterTrace
from hasim.study.advising.terms import AdviceError
from hasim.units import format_duration, format_percent

RESTING = ("failovers.needless", "failovers.mistaken", "query_accuracy")
"""Measures of false declarations and what they start, beside all of mistakes."""
WAYS_ON = (
    "state noise that lasts, such as network: {bursts: {share: 0.1%, mean: 2s}}, a recorded jitter "
    "trace, or faults of the kinds stall, link-stall and observer-stall"
)


@dataclass(frozen=True)
class Noise:
    """What can make a healthy master look failed: each packet by `itself`, or for a while."""

    itself: tuple[str, ...]
    lasting: tuple[str, ...]

    def __str__(self) -> str:
        return "; ".join((*self.lasting, *self.itself)) or "nothing"


def rests_on_noise(measure: str) -> bool:
    """Whether a measure counts false declarations or what they start."""
    return measure in RESTING or measure.startswith("mistake")


def noise_of(world: WorldSettings) -> Noise:
    """The noise that a scenario states, in words."""
    network, itself, lasting = world.network, [], []
    if network.loss:
        itself.append(f"independent loss of {format_percent(network.loss)} of packets each way")
    if network.bursts is not None and network.bursts.share:
        own = network.bursts
        share, mean = format_percent(own.share), format_duration(own.mean_ns)
        lasting.append(f"loss of {share} in bursts of {mean}")
    if isinstance(network.jitter, JitterTrace):
        lasting.append("recorded jitter")
    elif network.jitter is not None:
        itself.append(
            f"independent jitter with a coefficient of variation of {network.jitter.cv:g}"
        )
    kinds = dict.fromkeys(
        kind
        for fault in world.faults
        if not fault.impairing and (kind := getattr(fault, "kind", ""))
    )
    lasting += [f"faults of the kind {kind}" for kind in kinds]
    return Noise(tuple(itself), tuple(lasting))


def refuse_without_noise(world: WorldSettings, measures: tuple[str, ...]) -> None:
    """Raise AdviceError if a measure rests on noise and none that lasts is stated."""
    resting = [measure for measure in measures if rests_on_noise(measure)]
    noise = noise_of(world)
    if resting and not noise.lasting:
        stated = " and ".join(noise.itself)
        only = f"{stated} alone" if stated else "no noise at all"
        raise AdviceError(
            f"{resting[0]} would rest on {only}, from which no number of false failovers follows "
            f"for a real network: {WAYS_ON}"
        )
