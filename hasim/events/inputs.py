"""What happened: what a control plane, or a gateway, is told."""

from __future__ import annotations

from hasim.events.gossip import GossipPacket
from hasim.events.operations import (
    AcknowledgeFailover,
    AddMaster,
    CheckMaster,
    ConfirmOff,
    DrainMaster,
    ExecuteFailover,
    RecordFailure,
    RecordRecovery,
    RemoveMaster,
    RollBackFailover,
    StartMaintenance,
    StopMaintenance,
    SwitchAlgorithm,
    SwitchOver,
    UndrainMaster,
)
from hasim.model import Cause, Ownership, Word
from hasim.record import record
from hasim.times import Times


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
    it was down are counted as well. `sent_ns` is when it was sent, by the master's clock
    (nanoseconds); None: it does not say. `leaving`: it is the last one, as the master stops now,
    in good order; its number is that of the one before (VRRP: an advertisement of priority 0).
    """

    master: str
    number: int
    sent_ns: int | None = None
    leaving: bool = False


@record
class MasterTraffic:
    """One gateway's view of one master.

    `answered`, `failed` and `against` count attempts since the gateway started, so a lost
    report is made good by the next one. `against`: those whose end speaks against the master, by
    what the detection service watches for; `streak` is the present run of these that nothing
    has refuted, `last_cause` how the latest one ended. `latency_ns` is the moving average of
    answered attempts, 0 before the first.
    """

    master: str
    answered: int
    failed: int
    in_flight: int
    streak: int
    last_cause: Cause
    latency_ns: int
    against: int


@record
class GatewayReport:
    """Message outcomes as one gateway saw them; only masters with news are listed.

    Reports are numbered from 1 (`sequence`) within an `incarnation` of the gateway.
    """

    gateway: str
    sequence: int
    masters: tuple[MasterTraffic, ...]
    incarnation: int = 1


@record
class GatewayHello:
    """A gateway has started, or was asked: it is this `incarnation`, and uses table `version`.

    An incarnation is any number that is greater after each start (SWIM's word, Das et al. 2002):
    its time will do. What a gateway counts and numbers begins anew with it. `owners` are those
    of its table; it obeys no `term` below this one, which it has granted to `claim`.
    """

    gateway: str
    incarnation: int
    version: int
    term: int = 1
    owners: tuple[Ownership, ...] = ()
    claim: str = ""


@record
class MasterState:
    """A master was asked: it obeys no `term` below this one, which it has granted to `claim`.

    `knows` has each partition of which it has heard an epoch, with the highest; the owner is itself
    if it accepts the partition's writes under that, and empty otherwise.
    """

    master: str
    term: int
    knows: tuple[Ownership, ...]
    claim: str = ""


@record
class RoutingAck:
    """An incarnation of a gateway uses routing table `version` (or a later one)."""

    gateway: str
    version: int
    incarnation: int = 1
    term: int = 1


@record
class FenceResult:
    """The fencing device confirms that `master` is off, or says that it could not.

    As every answer, it repeats the number of the order that it answers (`order`).
    """

    failover: int
    master: str
    confirmed: bool
    order: int = 0
    term: int = 1


@record
class Copy:
    """A partition's state as the target holds it after a transfer, beside the source's.

    `position` counts acknowledged writes; sizes are bytes; checksums are CRC-32. `behind_ns` is
    how old the newest of these writes may have been when the copy last heard of the owner:
    the lag of its replication.
    """

    partition: str
    source: str
    position: int
    source_bytes: int
    source_checksum: int
    received_bytes: int
    received_checksum: int
    behind_ns: int = 0


@record
class TransferResult:
    """The target of a state transfer answered: what it holds now, or why it failed."""

    failover: int
    target: str
    cause: Cause
    copies: tuple[Copy, ...] = ()
    order: int = 0
    term: int = 1


@record
class PromoteResult:
    """The target answered the promotion under `epoch`."""

    failover: int
    target: str
    cause: Cause
    epoch: int
    order: int = 0
    term: int = 1


@record
class DemoteResult:
    """The target answered a demotion: OK says that it writes under no epoch below `epoch`."""

    failover: int
    target: str
    cause: Cause
    epoch: int
    order: int = 0
    term: int = 1


@record
class Replica:
    """A copy of a partition, by the master that holds it: its writes `received` and `applied`.

    `behind_ns` is for how long it may have missed writes when it said so (nanoseconds); the
    owner's own copy misses none. Who accepts the writes says for whose copies it waits, or has
    waited last, before it acknowledges them (`waits_for`); others say nothing of that (None).
    """

    partition: str
    received: int
    applied: int
    behind_ns: int
    waits_for: tuple[str, ...] | None = None


@record
class ReplicaReport:
    """A master says how far its copies are: evidence for whoever chooses a backup."""

    master: str
    copies: tuple[Replica, ...]


@record
class LeaseAsked:
    """A master asks for its lease anew; `number` tells its questions apart.

    `lapses` is how often a lease of it has run out: each time it has stopped accepting all writes.
    """

    master: str
    number: int
    lapses: int = 0


@record
class TakeSnapshot:
    """Driver: the state of the control plane is written away, as it is now."""


@record
class Restart:
    """Driver: the process of the control plane was killed, and another one is there.

    It remembers the last snapshot (`from_snapshot`), or nothing.
    """

    from_snapshot: bool


@record
class ConnectionClosed:
    """A master's host closed the connection that was kept open to it: its process died."""

    master: str


@record
class OpinionAsked:
    """Another observer, `peer`, asks what is held of a master; the answer repeats the number."""

    peer: str
    master: str
    number: int


@record
class OpinionGiven:
    """What another observer holds of a master: whether its detector convicts it.

    `number` is that of the question, or grows with each opinion that is given unasked. `seen_ns`:
    for how long it has not seen the master, by its own clock (nanoseconds); None: it never has, or
    does not say.
    """

    peer: str
    master: str
    number: int
    down: bool
    seen_ns: int | None = None


@record
class GossipHeard:
    """A datagram of another member of the gossip: a master's agent, or an observer."""

    sender: str
    packet: GossipPacket


@record
class ObserverTold:
    """Another observer says something about who leads, see `TellObserver`."""

    peer: str
    word: Word
    ballot: int
    master: str | None = None
    ok: bool = True


Input = (
    WakeUp
    | GossipHeard
    | ProbeReply
    | ProbeStretch
    | Heartbeat
    | GatewayReport
    | GatewayHello
    | MasterState
    | ConnectionClosed
    | OpinionAsked
    | OpinionGiven
    | ObserverTold
    | RoutingAck
    | FenceResult
    | TransferResult
    | PromoteResult
    | DemoteResult
    | LeaseAsked
    | ReplicaReport
    | StartMaintenance
    | StopMaintenance
    | DrainMaster
    | UndrainMaster
    | AddMaster
    | RemoveMaster
    | SwitchAlgorithm
    | RecordFailure
    | RecordRecovery
    | ConfirmOff
    | CheckMaster
    | ExecuteFailover
    | RollBackFailover
    | SwitchOver
    | AcknowledgeFailover
    | TakeSnapshot
    | Restart
)
