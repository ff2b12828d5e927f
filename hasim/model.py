"""The nouns of hasim: masters, partitions, statuses, causes, diagnoses."""

from __future__ import annotations

from enum import StrEnum

from hasim.record import record


class Status(StrEnum):
    """What the detection service says of a master (never the hidden truth)."""

    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    SUSPECT = "suspect"
    FAILED = "failed"
    RECOVERING = "recovering"
    MAINTENANCE = "maintenance"


class Cause(StrEnum):
    """How one attempt, probe or command ended, as seen by who sent it."""

    OK = "ok"
    REFUSED = "refused"  # nobody listens: the connection is refused at once
    RESET = "reset"  # the connection broke while the answer was awaited
    ERROR = "error"  # an answer that says that it failed
    REJECTED = "rejected"  # the queue was full
    NOT_OWNER = "not_owner"  # sent to a master that does not own the partition
    TIMEOUT = "timeout"  # no answer in time
    UNROUTABLE = "unroutable"  # no eligible master to send it to
    OVERFLOW = "overflow"  # the gateway's limits: nothing was sent
    CANCELLED = "cancelled"  # its twin (hedging) was answered first
    CONNECT_TIMEOUT = "connect_timeout"  # no host accepted the connection in time
    CLIENT_ERROR = "client_error"  # an answer that says that the message was wrong (HTTP 4xx)


SERVED = (Cause.OK, Cause.CLIENT_ERROR)
"""How a message ends that the service has answered: what is wrong with it is no failure."""


class Diagnosis(StrEnum):
    """What kind of failure the evidence speaks for; recovery is decided elsewhere."""

    NONE = "none"
    PROCESS_DOWN = "process-down"  # the host answers that nobody listens
    UNREACHABLE = "unreachable"  # neither probes nor messages are answered
    FAILING_PROBES = "failing-probes"  # the health endpoint itself reports failure
    GRAY_FAILURE = "gray-failure"  # probes are answered, messages are not


class MemberStanding(StrEnum):
    """What a member of a gossip holds of another one."""

    ALIVE = "alive"
    SUSPECT = "suspect"
    DEAD = "dead"


class PacketKind(StrEnum):
    """What members of a gossip send to each other."""

    PING = "ping"
    PING_REQ = "ping-req"  # ping somebody for me
    ACK = "ack"
    NACK = "nack"  # whom I should ping for you does not answer
    GOSSIP = "gossip"  # news alone
    SYNC = "sync"  # all that I know; tell me the same
    SYNCED = "synced"


class Word(StrEnum):
    """What observers say to each other to find who leads."""

    VOTE = "vote"  # give me your vote in this ballot
    VOTED = "voted"
    PRE_VOTE = "pre-vote"  # would you give me your vote?
    PRE_VOTED = "pre-voted"
    LEADS = "leads"  # I lead in this ballot
    FOLLOWS = "follows"  # that is known
    OWNS = "owns"  # this master owns something by now, or nothing any more
    HEARD = "heard"  # that is known


class Severity(StrEnum):
    """Severity of an alert; RESOLVED closes the alert of the same subject."""

    WARNING = "warning"
    CRITICAL = "critical"
    RESOLVED = "resolved"


@record
class Master:
    """A node that serves messages and owns state.

    `region` is the site it stands in; a lower `priority` number is preferred;
    `workers` is how many messages it serves at once, `weight` its share of messages
    relative to others' (None: as many as it has workers). One that is `absent` is
    known, but no part of the cluster until it is added. The `promotion_rule` says whether it shall
    take over from others: ``prefer``, ``neutral``, ``prefer-not`` or ``must-not``.
    """

    id: str
    region: str
    priority: int = 1
    workers: int = 1
    weight: float | None = None
    absent: bool = False
    promotion_rule: str = "neutral"


@record
class Partition:
    """A share of the sessions and their state, with the master that owns it at the start."""

    id: str
    owner: str


@record
class Ownership:
    """Who owns a partition; the epoch grows with each change of owner."""

    partition: str
    owner: str
    epoch: int


@record
class RoutingTable:
    """What a gateway needs to know: by term, then by version, the highest wins.

    The `term` is that of the control plane that made it, see `hasim.services.accession`.

    Masters that are `draining` get owned messages alone; those that are `away` are in
    maintenance or absent, and so not even meant where health is disregarded (panic).
    """

    version: int
    eligible: tuple[str, ...]
    owners: tuple[Ownership, ...]
    algorithm: str
    draining: tuple[str, ...] = ()
    away: tuple[str, ...] = ()
    term: int = 1


@record
class Cluster:
    """What every service knows from its configuration.

    `gateways` are the names of the client regions' gateways; `rtt_ns` holds
    the expected round-trip time in nanoseconds by (gateway, master id), as a
    tuple of rows in the order of `gateways` and `masters`. Of the `observers`, the first
    acts and the others only give their opinion; without names there is one.
    """

    masters: tuple[Master, ...]
    partitions: tuple[Partition, ...]
    gateways: tuple[str, ...]
    rtt_ns: tuple[tuple[int, ...], ...]
    observers: tuple[str, ...] = ()
