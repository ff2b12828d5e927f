"""What a study recorded as tables: one DataFrame for each kind of row."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import pandas as pd

from hasim.findings.recorded import Recorded
from hasim.measures import ROWS
from hasim.measures.catalogue import MEASURES
from hasim.report.cells import text
from hasim.study.estimates.summary import values
from hasim.study.estimates.transients import Transient, transients

TABLES = ("incidents", "failovers", "mistakes", "masters", "messages", "alerts")
"""The tables that every run has, each a DataFrame under its name."""


class Tables(Recorded):
    """Every table is a DataFrame with one row per incident (failover, ...).

    Its columns are `cell`, one per varied setting, `replication`, `seed`, then those of the row;
    times are seconds.
    """

    @cached_property
    def incidents(self) -> pd.DataFrame:
        """One row per incident; `incident` numbers them through the whole run, from 1.

        (`number` counts those of a replication.)
        """
        frame = self._table("incidents")
        frame.insert(0, "incident", range(1, len(frame) + 1))
        return frame

    @cached_property
    def failovers(self) -> pd.DataFrame:
        """One row per failover; `incident` as in `incidents`, missing if it answers to none.

        (`number` is that of the incident in its replication.)
        """
        frame = self._table("failovers").rename(columns={"incident": "number"})
        frame = frame.astype({"number": "Int64"})
        keys = ["cell", "replication", "number"]
        known = self.incidents.set_index(keys)["incident"]
        frame = frame.join(known, on=keys).astype({"incident": "Int64"})
        frame.insert(list(frame).index("number") + 1, "incident", frame.pop("incident"))
        return frame

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Long: one row per replication and measure, with its value and unit.

        As in the frame of a run folder (`hasim.read_frame`): a duration that was censored
        counts in a mean for as long as it was seen.
        """
        varied = {cell.index: readable(cell.varied) for cell in self.study.cells}
        rows = [
            {"cell": index, **varied[index], "replication": replication, **row}
            for index, _, runs in self.by_cell()
            for replication, found in zip(runs, values(list(runs.values())), strict=True)
            for row in metric_rows(found)
        ]
        paths = dict.fromkeys(path for cell in self.study.cells for path in cell.varied)
        columns = ["scenario", "cell", *paths, "replication", "seed", "measure", "value", "unit"]
        return pd.DataFrame(rows, columns=columns).assign(scenario=self.name, seed=self.seed)

    @cached_property
    def mistakes(self) -> pd.DataFrame:
        """One row per declaration of a master that was healthy."""
        return self._table("mistakes")

    @cached_property
    def masters(self) -> pd.DataFrame:
        """One row per master and replication."""
        return self._table("masters")

    @cached_property
    def messages(self) -> pd.DataFrame:
        """Messages by class and outcome, per replication."""
        return self._table("messages")

    @cached_property
    def alerts(self) -> pd.DataFrame:
        """One row per alert."""
        return self._table("alerts")

    @cached_property
    def balance(self) -> pd.DataFrame:
        """One row per replication: how evenly masters shared the load, throughput, goodput.

        The columns are those of `hasim.measures.balance.Balance`, then, with `all_` in front
        of their names, those of `hasim.measures.load.Load`.
        """
        varied = {cell.index: readable(cell.varied) for cell in self.study.cells}
        return pd.DataFrame(
            [
                {
                    "cell": index,
                    **varied[index],
                    "replication": replication,
                    "seed": self.seed,
                    **dataclasses.asdict(measured.balance),
                    **{f"all_{k}": v for k, v in dataclasses.asdict(measured.load).items()},
                }
                for index, _ in self.cells
                for replication, measured in self.measured(index).items()
            ]
        )

    @cached_property
    def operations(self) -> pd.DataFrame:
        """One row per cell and operation, its replications together.

        `routed_s`, `settled_s`, `moved`, `lost`, `before` and `after` as in
        `hasim.study.estimates.transients.Transient`.
        """
        rows = [
            {"cell": index, **readable(varied), **dataclasses.asdict(transient)}
            for index, varied in self.cells
            for transient in transients(list(self.measured(index).values()))
        ]
        paths = dict.fromkeys(path for cell in self.study.cells for path in cell.varied)
        own = [field.name for field in dataclasses.fields(Transient)]
        frame = pd.DataFrame(rows, columns=["cell", *paths, *own])
        return frame.astype(_numbers(Transient))

    @cached_property
    def transients(self) -> pd.DataFrame:
        """One row per replication, operation, second around it, and master: attempts sent."""
        return self._table("transients")

    @cached_property
    def tiers(self) -> pd.DataFrame:
        """One row per replication and tier of several in series, each by itself.

        Columns as in `hasim.measures.tiers.TierRow`; empty if there is only one.
        """
        return self._table("tiers")

    @cached_property
    def followed(self) -> pd.DataFrame:
        """One row per replication, gateway and change of its routing: clients that followed.

        Columns as in `hasim.measures.clients.FollowRow`; empty if clients keep neither names nor
        connections.
        """
        return self._table("followed")

    @cached_property
    def held(self) -> pd.DataFrame:
        """One row per replication, gateway and routing table: messages that were held and sent.

        Columns as in `hasim.measures.clients.HeldRow`; empty if gateways hold none.
        """
        return self._table("held")

    @cached_property
    def queues(self) -> pd.DataFrame:
        """One row per replication and master: who waited for a worker, and for how long.

        Columns as in `hasim.measures.queues.QueueRow`; empty unless the scenario has
        ``queues: counted``.
        """
        return self._table("queues")

    @cached_property
    def churn(self) -> pd.DataFrame:
        """One row per replication, gateway and change of its routing that could move keys.

        Columns as in `hasim.measures.churn.ChurnRow`; empty if messages have no keys, or no
        algorithm keeps a key at a master.
        """
        return self._table("churn")

    def _table(self, name: str) -> pd.DataFrame:
        varied = {cell.index: readable(cell.varied) for cell in self.study.cells}
        rows: list[dict[str, Any]] = []
        for outcome in self.study.ordered():
            if outcome.measured is None:
                continue
            place = {
                "cell": outcome.cell,
                **varied[outcome.cell],
                "replication": outcome.replication,
                "seed": self.seed,
            }
            rows += [{**place, **row} for row in self.rows(outcome, name)]
        paths = dict.fromkeys(path for cell in self.study.cells for path in cell.varied)
        own = [field.name for field in dataclasses.fields(ROWS[name])]
        frame = pd.DataFrame(rows, columns=["cell", *paths, "replication", "seed", *own])
        return frame.astype(_numbers(ROWS[name]))


def _numbers(row: type[Any]) -> dict[str, str]:
    """The columns that hold numbers, in which what is missing is NaN.

    Without a single number a column would otherwise hold objects.
    """
    kinds = ("float", "float | None")
    return {field.name: "float64" for field in dataclasses.fields(row) if field.type in kinds}


def metric_rows(found: Mapping[str, float | None]) -> Iterator[dict[str, Any]]:
    """A row for each measure of a replication, with its unit."""
    for measure, value in found.items():
        yield {"measure": measure, "value": value, "unit": MEASURES[measure].unit}


def readable(varied: Mapping[str, Any]) -> dict[str, Any]:
    """Varied settings as table values: a list such as [probe, messages] as one text."""
    plain = (str, int, float)
    return {path: v if isinstance(v, plain) else text(v) for path, v in varied.items()}
