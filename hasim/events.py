"""What goes into the control plane and what comes out of it.

Inputs tell a service what happened; effects say what shall be done; events
say what a service concluded. All are small frozen dataclasses of plain data,
so that a journal of them can be written, read and replayed.
"""

from __future__ import annotations

from hasim.model import Cause, Diagnosis, RoutingTable, Severity, Status
from hasim.record import record
from hasim.times import Times

# -- inputs ------------------------------------------------------------------


@record
class WakeUp:
    """The time that `next_wakeup` asked for has come. Late or early is harmless."""


@record
class ProbeReply:
    """A health endpoint answered probe number `probe` of `master`."""

    master: str
    probe: int
    cause: Cause


@record
class ProbeStretch:
    """Probes in a row that all ended alike, told at once instead of one by one.

    They are numbered from `probe`, ended at `ended_ns`, and were sent `took_ns` before that (with
    TIMEOUT: so long was waited). One more may be under way, since `under_way_ns`.
    """

    master: str
    probe: int
    cause: Cause
    ended_ns: Times
    took_ns: Times
    under_way_ns: int | None = None

    @property
    def sent(self) -> int:
        """How many probes were sent."""
        return len(self.ended_ns) + (self.under_way_ns is not None)


@record
class Heartbeat:
    """A master says by itself that it lives.

    `number` is which of its heartbeats it is by its clock: those that it did not send while
    it was down are counted as well.
    """

    master: str
    number: int


@record
class MasterTraffic:
    """One gateway's view of one master.

    `answered` and `failed` count attempts since the gateway started, so a lost
    report is made good by the next one. `streak` is the present run of failed
    attempts without an answered one, `last_cause` how the latest failure ended.
    `latency_ns` is the moving average of answered attempts, 0 before the first.
    """

    master: str
    answered: int
    failed: int
    in_flight: int
    streak: int
    last_cause: Cause
    latency_ns: int


@record
class GatewayReport:
    """Message outcomes as one gateway saw them; only masters with news are listed."""

    gateway: str
    sequence: int
    masters: tuple[MasterTraffic, ...]


@record
class RoutingAck:
    """A gateway uses routing table `version` (or a later one)."""

    gateway: str
    version: int


@record
class FenceResult:
    """The fencing device confirms that `master` is off, or says that it could not."""

    failover: int
    master: str
    confirmed: bool


@record
class Copy:
    """A partition's state as the target holds it after a transfer, beside the source's.

    `position` counts acknowledged writes; sizes are bytes; checksums are CRC-32.
    """

    partition: str
    source: str
    position: int
    source_bytes: int
    source_checksum: int
    received_bytes: int
    received_checksum: int


@record
class TransferResult:
    """The target of a state transfer answered: what it holds now, or why it failed."""

    failover: int
    target: str
    cause: Cause
    copies: tuple[Copy, ...] = ()


@record
class PromoteResult:
    """The target answered the promotion under `epoch`."""

    failover: int
    target: str
    cause: Cause
    epoch: int


@record
class DemoteResult:
    """The target answered a demotion: OK says that it writes under no epoch below `epoch`."""

    failover: int
    target: str
    cause: Cause
    epoch: int


@record
class StartMaintenance:
    """Operator: take `master` out of service; its silence is no failure."""

    master: str


@record
class StopMaintenance:
    """Operator: `master` is back; it must prove its health first."""

    master: str


@record
class DrainMaster:
    """Operator: send `master` no new stateless messages; what it owns stays with it."""

    master: str


@record
class UndrainMaster:
    """Operator: `master` takes stateless messages again."""

    master: str


@record
class AddMaster:
    """Operator: `master` is part of the cluster from now on; it must prove its health first."""

    master: str


@record
class RemoveMaster:
    """Operator: `master` leaves the cluster; what it owns moves to a backup."""

    master: str


@record
class SwitchAlgorithm:
    """Operator: balance with another algorithm from now on."""

    algorithm: str


OPERATIONS = (
    *(StartMaintenance, StopMaintenance, DrainMaster, UndrainMaster),
    *(AddMaster, RemoveMaster, SwitchAlgorithm),
)
"""What an operator may order at run time."""


Input = (
    WakeUp
    | ProbeReply
    | ProbeStretch
    | Heartbeat
    | GatewayReport
    | RoutingAck
    | FenceResult
    | TransferResult
    | PromoteResult
    | DemoteResult
    | StartMaintenance
    | StopMaintenance
    | DrainMaster
    | UndrainMaster
    | AddMaster
    | RemoveMaster
    | SwitchAlgorithm
)

# -- effects -----------------------------------------------------------------


@record
class SendProbe:
    """Ask the health endpoint of `master`; the answer names the probe number."""

    master: str
    probe: int


@record
class Fence:
    """Power `master` off through its out-of-band device; it restarts as a standby."""

    failover: int
    master: str


@record
class TransferState:
    """Bring `target` to the freshest copy of `partitions` among `sources` and itself."""

    failover: int
    partitions: tuple[str, ...]
    target: str
    sources: tuple[str, ...]


@record
class DiscardTransfer:
    """Throw away what a torn transfer left on `target`."""

    failover: int
    partitions: tuple[str, ...]
    target: str


@record
class Promote:
    """Make `target` the owner of `partitions` under `epoch`."""

    failover: int
    partitions: tuple[str, ...]
    target: str
    epoch: int


@record
class Demote:
    """Make `target` a standby of `partitions` for every epoch below `epoch`."""

    failover: int
    partitions: tuple[str, ...]
    target: str
    epoch: int


@record
class PublishRouting:
    """Send a routing table to a gateway, which acknowledges its version."""

    gateway: str
    table: RoutingTable


@record
class SendReport:
    """A gateway's effect: send this report to the control plane."""

    report: GatewayReport


Effect = (
    SendProbe
    | Fence
    | TransferState
    | DiscardTransfer
    | Promote
    | Demote
    | PublishRouting
    | SendReport
)

# -- events ------------------------------------------------------------------


@record
class StatusChanged:
    """The detection service changed its verdict on a master, and why."""

    master: str
    old: Status
    new: Status
    diagnosis: Diagnosis
    reason: str


@record
class FailoverChanged:
    """A failover took one step of its lifecycle.

    `old` and `new` are states of the lifecycle table, `trigger` the event that
    moved it; `candidate` is the backup concerned, or empty.
    """

    failover: int
    master: str
    partitions: tuple[str, ...]
    old: str
    new: str
    trigger: str
    candidate: str
    reason: str


@record
class OwnerChanged:
    """A partition has a new owner, confirmed by the owner itself."""

    partition: str
    owner: str
    epoch: int
    failover: int


@record
class RoutingConverged:
    """Every gateway has acknowledged routing table `version`."""

    version: int


@record
class AlgorithmSwitched:
    """The balancing algorithm changed."""

    old: str
    new: str


@record
class AlertChanged:
    """An alert was raised, changed its severity, or was resolved."""

    alert: int
    subject: str
    severity: Severity
    text: str


@record
class ServiceFailed:
    """A service raised an exception; the others keep running."""

    service: str
    error: str


Event = (
    StatusChanged
    | FailoverChanged
    | OwnerChanged
    | RoutingConverged
    | AlgorithmSwitched
    | AlertChanged
    | ServiceFailed
)

Output = Effect | Event
