"""`measure`: one journal to plain rows, small enough to keep for every replication."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from hasim.measures.alerts import Alert
from hasim.measures.availability import Availability, DownRow, PartitionRow
from hasim.measures.balance import Balance, Window
from hasim.measures.churn import ChurnRow
from hasim.measures.clients import ClientRow
from hasim.measures.failovers import Failover
from hasim.measures.incidents import Incident
from hasim.measures.load import (
    Block,
    Latencies,
    Load,
    MasterRow,
    MessageRow,
)
from hasim.measures.operations import OperationRow, TransientRow
from hasim.measures.paging import FaultRow
from hasim.measures.quality import Mistake
from hasim.measures.tiers import TierRow
from hasim.measures.users import UserRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All measures of one run: rows of plain values, columns named by their units.

    Columns ending in ``_at_s`` are moments in seconds since the start of the
    run, others in ``_s`` are durations in seconds; None is "does not apply".
    """

    scenario: str
    cell: dict[str, Any]
    replication: int
    seed: int
    horizon_s: float
    service: Availability
    load: Load
    balance: Balance
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
    faults: tuple[FaultRow, ...] = ()
    needless_pages: int = 0
    """Pages that no fault was behind."""
    downs: tuple[DownRow, ...] = ()
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
        return dataclasses.asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Measured:
        """The inverse of `to_plain`, also after a round trip through JSON.

        Raises KeyError or TypeError if columns are missing or unknown.
        """
        rows = {name: tuple(row(**values) for values in plain[name]) for name, row in ROWS.items()}
        return cls(
            scenario=plain["scenario"],
            cell=plain["cell"],
            replication=plain["replication"],
            seed=plain["seed"],
            horizon_s=plain["horizon_s"],
            needless_pages=plain["needless_pages"],
            deadline_s=plain["deadline_s"],
            service=Availability(**plain["service"]),
            load=Load(**plain["load"]),
            balance=Balance(**plain["balance"]),
            latencies=tuple(_latencies(values) for values in plain["latencies"]),
            blocks=tuple(_block(values) for values in plain["blocks"]),
            **rows,
        )


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
    "faults": FaultRow,
    "downs": DownRow,
    "users": UserRow,
    "windows": Window,
    "tiers": TierRow,
}
"""The tables of a `Measured`, and the class of their rows."""


def _latencies(plain: dict[str, Any]) -> Latencies:
    cells = tuple((least, greatest, count) for least, greatest, count in plain["cells"])
    return Latencies(klass=plain["klass"], accuracy=plain["accuracy"], cells=cells)


def _block(plain: dict[str, Any]) -> Block:
    rows = {name: tuple(plain[name]) for name in ("latency_s", "answered", "chosen")}
    latencies = tuple(_latencies(values) for values in plain["latencies"])
    return Block(**{**plain, **rows, "latencies": latencies})
