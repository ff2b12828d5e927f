"""`measure`: one journal to plain rows, small enough to keep for every replication."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hasim import stored
from hasim.measures.alerts import Alert
from hasim.measures.availability import Availability, DownRow, Enough, PartitionRow
from hasim.measures.balance import Balance, Window
from hasim.measures.churn import ChurnRow
from hasim.measures.clients import ClientRow, FollowRow, HeldRow
from hasim.measures.failovers import Failover
from hasim.measures.incidents import Incident
from hasim.measures.load import (
    Block,
    Latencies,
    Load,
    MasterRow,
    MessageRow,
)
from hasim.measures.minutes import Minutes
from hasim.measures.operations import OperationRow, TransientRow
from hasim.measures.paging import FaultRow
from hasim.measures.quality import Mistake
from hasim.measures.queues import QueueRow
from hasim.measures.stretches import StretchRow
from hasim.measures.tiers import TierRow
from hasim.measures.users import UserRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All measures of one run: rows of plain values, columns named by their units.

    Columns ending in ``_at_s`` are moments in seconds since the start of the
    run, others in ``_s`` are durations in seconds; None is "does not apply".
    """

    __pydantic_config__ = stored.STRICT
    scenario: str
    cell: dict[str, Any]
    replication: int
    seed: int
    horizon_s: float
    service: Availability
    load: Load
    balance: Balance
    k_of_n: Enough | None = None
    """The time in which fewer masters served than a tier needs; None in runs of before."""
    incidents: tuple[Incident, ...] = ()
    failovers: tuple[Failover, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    partitions: tuple[PartitionRow, ...] = ()
    masters: tuple[MasterRow, ...] = ()
    messages: tuple[MessageRow, ...] = ()
    latencies: tuple[Latencies, ...] = ()
    blocks: tuple[Block, ...] = ()
    alerts: tuple[Alert, ...] = ()
    operations: tuple[OperationRow, ...] = ()
    transients: tuple[TransientRow, ...] = ()
    churn: tuple[ChurnRow, ...] = ()
    clients: tuple[ClientRow, ...] = ()
    followed: tuple[FollowRow, ...] = ()
    """Only if clients keep names or connections."""
    held: tuple[HeldRow, ...] = ()
    """Only if gateways hold messages."""
    queues: tuple[QueueRow, ...] = ()
    """Only if they are counted."""
    faults: tuple[FaultRow, ...] = ()
    needless_pages: int = 0
    """Pages that no fault was behind."""
    leaders_lost: int = 0
    """How often the control plane that acted was killed, hung or cut off."""
    leaderless_s: float = 0.0
    """The time for which nobody acted then."""
    downs: tuple[DownRow, ...] = ()
    stretches: tuple[StretchRow, ...] = ()
    minutes: Minutes | None = None
    """The messages minute by minute; None in runs of before, which have no `stretches` either."""
    users: tuple[UserRow, ...] = ()
    """Only if messages have keys."""
    deadline_s: float = 0.0
    """Of messages: those that are not answered by then have failed."""
    windows: tuple[Window, ...] = ()
    """Only if a warm-up is to be left out."""
    tiers: tuple[TierRow, ...] = ()
    """Only if there are several in series."""

    def to_plain(self) -> dict[str, Any]:
        """Dicts, lists and numbers, ready for JSON."""
        data: dict[str, Any] = stored.as_plain(self)
        return data

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Measured:
        """The inverse of `to_plain`, also after a round trip through JSON.

        Raises StoredError if columns are missing, unknown, or of another type.
        """
        return stored.of_form(cls, plain)


ROWS: dict[str, type[Any]] = {
    "incidents": Incident,
    "failovers": Failover,
    "mistakes": Mistake,
    "partitions": PartitionRow,
    "masters": MasterRow,
    "messages": MessageRow,
    "alerts": Alert,
    "operations": OperationRow,
    "transients": TransientRow,
    "churn": ChurnRow,
    "clients": ClientRow,
    "followed": FollowRow,
    "held": HeldRow,
    "queues": QueueRow,
    "faults": FaultRow,
    "downs": DownRow,
    "stretches": StretchRow,
    "users": UserRow,
    "windows": Window,
    "tiers": TierRow,
}
"""The tables of a `Measured`, and the class of their rows."""
