"""Settings of faults: kind, target, schedule, duration, strength; and who cures them."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.settings import Choice, count, duration, settings, share
from hasim.simulation.laws import Constant, DurationLaw
from hasim.simulation.settings.recordings import CheckLog, OutageTrace
from hasim.units import MINUTE


@settings
class Fault:
    """What every kind of fault has: whom it strikes, when, and for how long.

    Exactly one of `at`, `every` and `schedule` is given.
    """

    target: str | tuple[str, ...] = "random"
    """A master, several masters, `random` (one of them), `each` (every master has a schedule of
    its own), `all` (all of them together), `owner-of:p1` (who owns that partition then), or
    `region:NAME`."""
    at: tuple[DurationLaw, ...] = ()
    """Start times: fixed (`12m`), or drawn (`{law: uniform, low: 30s, high: 60s}`)."""
    every: DurationLaw | None = None
    """A renewal process: the law of the time from a cure to the next start."""
    schedule: Annotated[OutageTrace | CheckLog, Choice(tag="")] | None = None
    """Recorded outages, or a log of checks (which also give the durations)."""
    for_: DurationLaw = Constant(mean_ns=3 * MINUTE)
    """How long the fault lasts."""


@settings
class Crash(Fault):
    """The process dies: connections are refused, the queue and the work in service are lost."""

    kind: Literal["crash"]


@settings
class PowerOff(Fault):
    """The host is off: silence, the queue and the work in service are lost."""

    kind: Literal["power-off"]


@settings
class Hang(Fault):
    """The process accepts and never answers; its work goes on after the cure."""

    kind: Literal["hang"]


@settings
class Slow(Fault):
    """Everything takes longer: the speed factor falls."""

    kind: Literal["slow"]
    speed: Annotated[float, share("The speed that is left.")] = 0.1


@settings
class ErrorRate(Fault):
    """A share of the messages (and deep probes) is answered with an error."""

    kind: Literal["error-rate"]
    rate: Annotated[float, share("The share of answers that are errors.")] = 0.5


@settings
class NetworkPartition(Fault):
    """The network drops what goes to or comes from a master."""

    kind: Literal["partition"]
    scope: Literal["all", "clients", "monitor"] = "all"
    """Between the master and everybody, only its clients, or only the monitor (control plane)."""
    direction: Literal["both", "to", "from"] = "both"
    """What is dropped: both ways, only to the master, or only from it."""


@settings
class RegionOutage(Fault):
    """Every master of a region loses power at once; the target is `region:NAME` or `random`."""

    kind: Literal["region-outage"]


@settings
class BackupDies(Fault):
    """While active, a master that is told to promote itself crashes instead, once."""

    kind: Literal["backup-dies"]


@settings
class TransferFailure(Fault):
    """While active, state transfers to the target break off half-way: the copy is torn."""

    kind: Literal["transfer-failure"]


@settings
class PacketLoss(Fault):
    """The links of a master lose packets."""

    kind: Literal["packet-loss"]
    loss: Annotated[float, share("Probability that a packet is lost, each way.")] = 0.2


@settings
class LatencySpike(Fault):
    """The links of a master become slower."""

    kind: Literal["latency-spike"]
    extra_ns: Annotated[int, duration("Added to each crossing.", above=0)] = 300_000_000


AnyFault = Annotated[
    Crash
    | PowerOff
    | Hang
    | Slow
    | ErrorRate
    | NetworkPartition
    | RegionOutage
    | BackupDies
    | TransferFailure
    | PacketLoss
    | LatencySpike,
    Choice(tag="kind"),
]


@settings
class RepairSettings:
    """Who cures faults."""

    crews: Annotated[
        int,
        count(
            "Repair crews: so many faults are being repaired at once, first come first served, "
            "and the others wait; 0: as many as there are faults.",
            least=0,
        ),
    ] = 0
