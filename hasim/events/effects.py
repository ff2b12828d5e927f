"""What shall be done: the orders and questions of a control plane or a gateway."""

from __future__ import annotations

from hasim.events.gossip import GossipPacket
from hasim.events.inputs import GatewayHello, GatewayReport
from hasim.model import RoutingTable, Word
from hasim.record import record


@record
class SendProbe:
    """Ask the health endpoint of `master`; the answer names the probe number."""

    master: str
    probe: int


@record
class AskMaster:
    """Ask `master` what it is, and that it obeys no term below `term` from now on.

    A term is granted once, to one `claim`.
    """

    master: str
    term: int
    claim: str = ""


@record
class AskGateway:
    """Ask `gateway` which table it uses, and that it obeys no term below `term` from now on.

    A term is granted once, to one `claim`.
    """

    gateway: str
    term: int
    claim: str = ""


@record
class Fence:
    """Power `master` off through its out-of-band device; it restarts as a standby.

    As all that is ordered for a failover, it has a number of its own (`order`, from 1), which
    the answer repeats.
    """

    failover: int
    master: str
    order: int = 0
    term: int = 1


@record
class CancelFence:
    """Do not power `master` off after all: takes back all orders to do so, up to number `order`.

    With them all that were given under a term before `term`, by whomever. The device answers them
    as orders that have failed. Of one that is carried out already, this changes nothing.
    """

    failover: int
    master: str
    order: int = 0
    term: int = 1


@record
class GrantLease:
    """Answer question `number` of `master`: it has a lease from when it asked that."""

    master: str
    number: int
    term: int = 1


@record
class TransferState:
    """Bring `target` to the freshest copy of `partitions` among `sources` and itself."""

    failover: int
    partitions: tuple[str, ...]
    target: str
    sources: tuple[str, ...]
    order: int = 0
    term: int = 1


@record
class DiscardTransfer:
    """Throw away what a torn transfer left on `target`."""

    failover: int
    partitions: tuple[str, ...]
    target: str
    order: int = 0
    term: int = 1


@record
class Promote:
    """Make `target` the owner of `partitions` under `epoch`.

    `apply`: it first applies what it has received of the writes; else that is discarded.
    A promotion that is not over when a later term is granted ends without effect (`REJECTED`):
    whoever began that term was told that the target accepts nothing.
    """

    failover: int
    partitions: tuple[str, ...]
    target: str
    epoch: int
    order: int = 0
    term: int = 1
    apply: bool = True


@record
class Demote:
    """Make `target` a standby of `partitions` for every epoch below `epoch`."""

    failover: int
    partitions: tuple[str, ...]
    target: str
    epoch: int
    order: int = 0
    term: int = 1


@record
class PublishRouting:
    """Send a routing table to a gateway, which acknowledges its version."""

    gateway: str
    table: RoutingTable


@record
class SendReport:
    """A gateway's effect: send this report to the control plane."""

    report: GatewayReport


@record
class SendHello:
    """A gateway's effect: tell the control plane that it has started."""

    hello: GatewayHello


@record
class AskOpinion:
    """Ask another observer what it holds of a master."""

    peer: str
    master: str
    number: int


@record
class GiveOpinion:
    """Tell another observer whether this one's detector convicts a master.

    `seen_ns`: for how long it has not seen the master, see `OpinionGiven`.
    """

    peer: str
    master: str
    number: int
    down: bool
    seen_ns: int | None = None


@record
class SendGossip:
    """Send a datagram to another member of the gossip."""

    member: str
    packet: GossipPacket


@record
class TellObserver:
    """Say something to another observer about who leads; `ok`: whether it is granted.

    `ballot` is the number of the election, `master` whose failover it is for, if for one.
    """

    peer: str
    word: Word
    ballot: int
    master: str | None = None
    ok: bool = True


Effect = (
    SendProbe
    | SendGossip
    | AskMaster
    | AskGateway
    | AskOpinion
    | GiveOpinion
    | TellObserver
    | Fence
    | CancelFence
    | GrantLease
    | TransferState
    | DiscardTransfer
    | Promote
    | Demote
    | PublishRouting
    | SendReport
    | SendHello
)
