"""What really happened: records that only the simulated (or live) world writes.

No service ever sees one of these; the measures compare them with what the
services declared.
"""

from __future__ import annotations

from hasim.model import Cause
from hasim.record import record


@record
class FaultStarted:
    """A fault began at `masters`. `impairing` as ARCHITECTURE.md, "What is measured", says.

    `others` are struck by a kind that strikes no masters: the gateways.
    """

    fault: int
    kind: str
    masters: tuple[str, ...]
    impairing: bool
    detail: str
    others: tuple[str, ...] = ()


@record
class FaultCured:
    """The fault with this number ended."""

    fault: int


@record
class PartitionServed:
    """A partition went up or down for its clients.

    Up: its owner would answer a message within the client timeout, random loss
    aside, from more than half of the gateways. `reason` says why not.
    """

    partition: str
    up: bool
    owner: str
    reason: str


@record
class StatelessServed:
    """Whether at least one eligible master would answer a stateless message."""

    up: bool


@record
class PartitionAnswered:
    """The first message answered of those that were served since the partition went down.

    By the one who serves it again: what was on its way when the owner fell says nothing of that.
    """

    partition: str


@record
class Writers:
    """The masters that accept writes for a partition, sorted; more than one is split-brain."""

    partition: str
    masters: tuple[str, ...]


@record
class MasterFenced:
    """The fencing device switched a master off for a failover of an observer."""

    master: str
    failover: int
    observer: str = ""


@record
class MasterRestarted:
    """A fenced master is back, as a standby."""

    master: str


@record
class WritesLost:
    """Acknowledged writes that are in no reachable copy when a partition was promoted.

    `since_ns` is the age of the oldest lost write at the moment of promotion. Writes
    that an old owner went on to acknowledge after it (split brain) are lost as well:
    they are counted at the end of the run, with their age then. `failover` is that of the
    `observer` by which the partition was moved.
    """

    partition: str
    failover: int
    writes: int
    lost_bytes: int
    since_ns: int
    observer: str = ""


@record
class WritesHeld:
    """At the end of the run: acknowledged writes of a partition, and those in its owner's copy."""

    partition: str
    acknowledged: int
    held: int


@record
class Acknowledging:
    """From now on, `master` acknowledges writes of a partition once these `standbys` have them.

    `held`: they are not enough, and no write is acknowledged until more are there, or the waiting
    for them is over. Only where acknowledgements wait for standbys.
    """

    partition: str
    master: str
    standbys: tuple[str, ...]
    held: bool


@record
class TrafficRollup:
    """Messages that arrived in one bucket of time, by last master, class and outcome.

    `start_ns` is the start of the bucket; `master` is empty if none was chosen;
    `outcome` is a `Cause` value, or "in_flight" at the end of the run.
    `in_time` counts the answered ones that met their deadline; `attempts` all
    attempts they took. `settled` is False for messages whose deadline lies beyond the end of the
    run: whether they would have been a success is unknown.
    """

    start_ns: int
    master: str
    klass: str
    outcome: str
    messages: int
    in_time: int
    attempts: int
    settled: bool = True


@record
class LoadSample:
    """Around operations: attempts sent to each master up to now, in the cluster's order.

    `lost` counts the messages that have ended without an answer.
    """

    sent: tuple[int, ...]
    lost: int


@record
class KeysMoved:
    """A gateway took up another routing table: what became of the keys seen there before.

    `keys` had a master; of those, `left` have another since theirs may be picked no more,
    `joined` have one that could not be picked before, `needless` have another for neither
    reason. `ideal` is the least share that had to move. Only with algorithms that keep a key
    at a master.
    """

    gateway: str
    algorithm: str
    keys: int
    left: int
    joined: int
    needless: int
    ideal: float


@record
class AttemptRollup:
    """Attempts on one master by how they ended, over the whole run."""

    master: str
    cause: Cause
    attempts: int


@record
class QueueRollup:
    """Who waited for a worker of one master, over the whole run; only where it is counted.

    Its workers took `started` attempts (and deep probes), `waited` of them from the queue, in which
    these were for `waited_ns`, summed; `queued_ns` is that of all that were in it, those lost in it
    and those there still included: its length, summed over time.
    """

    master: str
    started: int
    waited: int
    waited_ns: int
    queued_ns: int


@record
class ClientRollup:
    """What the clients of a gateway did for themselves, over the whole run; nothing is no record.

    `retries_cut` were not allowed by the budget.
    """

    gateway: str
    retries_cut: int


@record
class ClientsFollowed:
    """Clients of a gateway that sent elsewhere than before, after a change of its routing.

    At `since_ns` the `partition` had another owner; or, if that is empty, stateless messages were
    no more for the master `left`. So many `clients` followed later, the last after `most_ns`; the
    sum of their times is that of what kept them, one after the other: names that stood for the old
    master still (`name_ns`), connections until they were old (`pool_ns`) or broke (`stay_ns`), and
    then nothing to send (`pause_ns`).
    """

    gateway: str
    left: str
    partition: str
    since_ns: int
    clients: int
    most_ns: int
    name_ns: int
    pool_ns: int
    stay_ns: int
    pause_ns: int


@record
class MessagesHeld:
    """Attempts that a gateway held while nobody might take them, and then sent.

    Messages of the `partition` (stateless ones, if empty), sent by the routing table that it used
    since `tabled_ns`: how many, the sum of the times for which they were held, and the longest.
    """

    gateway: str
    partition: str
    tabled_ns: int
    attempts: int
    total_ns: int
    most_ns: int


@record
class LoadBlock:
    """The load of a part of the run, from `start_ns` on, if a warm-up is to be left out.

    MSER-5 cuts the run into equal bins: `latency_ns` sums the latencies of the messages that
    arrived in each bin of the block and were answered, `answered` counts them; a warm-up of set
    duration needs no bins, and the first of two blocks is the warm-up. `messages` arrived in the
    block, `in_time` of them met their deadline, `attempts` were sent for them: `chosen` to each
    master, in the cluster's order.
    """

    start_ns: int
    latency_ns: tuple[int, ...]
    answered: tuple[int, ...]
    messages: int
    in_time: int
    attempts: int
    chosen: tuple[int, ...]


@record
class BlockSketch:
    """The `LatencySketch` of the messages that arrived in one `LoadBlock`."""

    start_ns: int
    klass: str
    accuracy: float
    cells: tuple[tuple[int, int, int], ...]


@record
class UserMinute:
    """One minute, from `start_ns` on: time in which active users had the service, and had it not.

    Both in nanoseconds, summed over users (see `hasim.simulation.clients.users`).
    """

    start_ns: int
    up_ns: int
    down_ns: int


@record
class LatencySketch:
    """Latencies of answered messages of one class: (least, greatest, count) in nanoseconds.

    Few are kept as they are; of many, those of one logarithmic bucket (DDSketch) are together:
    (gamma^(i-1), gamma^i] nanoseconds with gamma = (1 + accuracy) / (1 - accuracy).
    """

    klass: str
    accuracy: float
    cells: tuple[tuple[int, int, int], ...]


@record
class MessageRecord:
    """One message, kept only when asked for."""

    message: int
    arrived_ns: int
    ended_ns: int
    gateway: str
    klass: str
    partition: str
    master: str
    outcome: str
    attempts: int


Truth = (
    FaultStarted
    | FaultCured
    | PartitionServed
    | StatelessServed
    | PartitionAnswered
    | Writers
    | MasterFenced
    | MasterRestarted
    | WritesLost
    | WritesHeld
    | Acknowledging
    | TrafficRollup
    | LoadSample
    | KeysMoved
    | AttemptRollup
    | QueueRollup
    | ClientRollup
    | ClientsFollowed
    | MessagesHeld
    | LoadBlock
    | BlockSketch
    | LatencySketch
    | UserMinute
    | MessageRecord
)
