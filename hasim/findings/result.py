"""What a study found: tidy tables, estimates with intervals, verdicts, figures, journals."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hasim.findings.frames import metric_rows
from hasim.journal import Journal, read
from hasim.measures import ROWS, Measured, measure
from hasim.report import page
from hasim.report.cells import heading, labels, text
from hasim.report.format import estimate_text
from hasim.report.remarks import remarks
from hasim.report.titles import DEFAULT, GLANCE, title
from hasim.scenario.expectations import Expectation
from hasim.scenario.replications import Sequential
from hasim.study.comparing.compare import MEASURES, Compared, CompareError, against, compare
from hasim.study.comparing.settings import unlike
from hasim.study.estimates.expectations import Verdict, judge
from hasim.study.estimates.summary import summarise, values
from hasim.study.estimates.transients import Transient, transients
from hasim.study.estimates.warm_up import CutOff, cut_off, note_of
from hasim.study.execution.runner import file_stem, simulate_cell
from hasim.study.folder.errors import StoreError
from hasim.study.planning.outcomes import Outcome
from hasim.study.planning.study import Study
from hasim.version import __version__

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hasim.scenario.loader import Loaded
    from hasim.study.estimates.estimate import Estimate

TABLES = ("incidents", "failovers", "mistakes", "masters", "messages", "alerts")
"""The tables of a result, each a DataFrame under its name."""
SHOWN = 50
"""Cells in a table or figure that is looked at."""
DRAWN = 20
"""Cells in the small figure that a notebook shows of a result."""
SUMMARISED = 1000
"""Cells in the summaries and tables that a run folder gets as JSON and CSV."""


class Result:
    """The outcomes of a study, in memory or read back from its run folder.

    Every table is a DataFrame with one row per incident (failover, ...), and
    the columns `cell`, one per varied setting, `replication`, `seed`, then
    those of the row; times are seconds. Of a study with very many cells, `hasim.read_frame`
    reads what `head` leaves out.
    """

    def __init__(
        self, study: Study, *, loaded: Loaded | None = None, folder: Path | None = None
    ) -> None:
        self.study = study
        self.folder = folder
        self._loaded = loaded

    @property
    def name(self) -> str:
        """The name of the scenario."""
        return self.study.name

    @property
    def seed(self) -> int:
        """The seed: together with a replication's number it fixes all chance."""
        return self.study.seed

    @property
    def cells(self) -> list[tuple[int, dict[str, Any]]]:
        """Number and varied settings of each cell that has an outcome."""
        has = self.study.outcomes.has
        return [(c.index, dict(c.varied)) for c in self.study.cells if has(c.index)]

    def head(self, count: int) -> Result:
        """The same of the first `count` cells alone, with a note that says so; itself if
        there are no more."""
        has, all_cells = self.study.outcomes.has, self.study.cells
        first = tuple(itertools.islice((c for c in all_cells if has(c.index)), count + 1))
        if len(first) <= count:
            return self
        note = f"The first {count:,} of {len(all_cells):,} cells; all are in metrics.parquet."
        study = dataclasses.replace(
            self.study, cells=first[:count], notes=(*self.study.notes, note)
        )
        return Result(study, loaded=self._loaded, folder=self.folder)

    def measured(self, cell: int) -> dict[int, Measured]:
        """What was measured in each replication of a cell, by replication.

        Raises StoreError if the run folder holds something else.
        """
        return {
            outcome.replication: self.read(outcome)
            for outcome in self.study.of_cell(cell)
            if outcome.measured is not None
        }

    def read(self, outcome: Outcome) -> Measured:
        """What was measured in an outcome that has something.

        Raises StoreError if the run folder holds something else.
        """
        try:
            return Measured.from_plain(outcome.measured or {})
        except (KeyError, TypeError, ValueError) as error:
            raise self._garbled(outcome, error) from None

    def _rows(self, outcome: Outcome, table: str) -> list[dict[str, Any]]:
        """The rows of one table in an outcome, as they were stored."""
        try:
            return [dict(row) for row in outcome.measured[table]] if outcome.measured else []
        except (KeyError, TypeError, ValueError) as error:
            raise self._garbled(outcome, error) from None

    def _garbled(self, outcome: Outcome, error: Exception) -> StoreError:
        place = f"replication {outcome.replication} of cell {outcome.cell}"
        why = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        return StoreError(
            f"{self.folder or self.name}: the measures of {place} are not those of "
            f"hasim {__version__}: {why}"
        )

    def by_cell(self) -> list[tuple[int, dict[str, Any], dict[int, Measured]]]:
        """Number, varied settings and measured replications of each of `cells`."""
        return [(index, varied, self.measured(index)) for index, varied in self.cells]

    @property
    def violations(self) -> list[str]:
        """The invariants that were broken, one line each, if the study checked them."""
        return [
            f"cell {outcome.cell}, replication {outcome.replication}: {violation}"
            for outcome in (self.study.ordered() if self.study.outcomes.violations else ())
            for violation in outcome.violations
        ]

    # -- tables ------------------------------------------------------------------

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
        keys = ["cell", "replication", "number"]
        known = self.incidents.set_index(keys)["incident"]
        frame = frame.join(known, on=keys).astype({"incident": "Int64", "number": "Int64"})
        frame.insert(list(frame).index("number") + 1, "incident", frame.pop("incident"))
        return frame

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Long: one row per replication and measure, with its value and unit.

        As in the frame of a run folder (`hasim.read_frame`): a duration that was censored
        counts in a mean for as long as it was seen.
        """
        varied = {cell.index: _readable(cell.varied) for cell in self.study.cells}
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
        varied = {cell.index: _readable(cell.varied) for cell in self.study.cells}
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
            {"cell": index, **_readable(varied), **dataclasses.asdict(transient)}
            for index, varied in self.cells
            for transient in transients(list(self.measured(index).values()))
        ]
        paths = dict.fromkeys(path for cell in self.study.cells for path in cell.varied)
        own = [field.name for field in dataclasses.fields(Transient)]
        return pd.DataFrame(rows, columns=["cell", *paths, *own])

    @cached_property
    def transients(self) -> pd.DataFrame:
        """One row per replication, operation, second around it, and master: attempts sent."""
        return self._table("transients")

    @cached_property
    def churn(self) -> pd.DataFrame:
        """One row per replication, gateway and change of its routing that could move keys.

        Columns as in `hasim.measures.churn.ChurnRow`; empty if messages have no keys, or no
        algorithm keeps a key at a master.
        """
        return self._table("churn")

    def _table(self, name: str) -> pd.DataFrame:
        varied = {cell.index: _readable(cell.varied) for cell in self.study.cells}
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
            rows += [{**place, **row} for row in self._rows(outcome, name)]
        paths = dict.fromkeys(path for cell in self.study.cells for path in cell.varied)
        own = [field.name for field in dataclasses.fields(ROWS[name])]
        frame = pd.DataFrame(rows, columns=["cell", *paths, "replication", "seed", *own])
        # A column of times without a single one would otherwise hold objects.
        return frame.astype({column: "float64" for column in own if column.endswith("_s")})

    # -- estimates -----------------------------------------------------------------

    @cached_property
    def estimates(self) -> list[dict[str, Estimate]]:
        """For each of `cells`, the estimate of each measure with its 95 % interval."""
        return [
            summarise(list(self.measured(index).values()), self.study.projection)
            for index, _ in self.cells
        ]

    @cached_property
    def verdicts(self) -> list[list[Verdict]]:
        """For each of `cells`, the verdict on each expectation of the scenario."""
        expectations = [Expectation.parse(name, limit) for name, limit in self.study.expect.items()]
        return [
            judge(expectations, list(self.measured(index).values()), self.study.projection)
            if expectations
            else []
            for index, _ in self.cells
        ]

    @cached_property
    def cut_off(self) -> list[CutOff | None]:
        """For each of `cells`, the warm-up that its load leaves out; None without one."""
        return [cut_off(list(self.measured(index).values())) for index, _ in self.cells]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know: scaled traces, a warm-up left out, intervals to be doubted."""
        few = "There is too little to compare with the baseline: two replications are needed."
        lacking = few if self.study.baseline and not self.compared else ""
        skewed = remarks(self.estimates, DEFAULT)
        return tuple(filter(None, (*self.study.notes, note_of(self.cut_off), *skewed, lacking)))

    @property
    def warm_up(self) -> pd.DataFrame:
        """One row per cell: the warm-up that its load leaves out; empty if there is none.

        `rule`, `end_s` (seconds), `cut` of the `offered` messages, and `too_short`: MSER-5 found no
        end, and nothing was left out.
        """
        rows = [
            {"cell": index, **_readable(varied), **dataclasses.asdict(found)}
            for (index, varied), found in zip(self.cells, self.cut_off, strict=True)
            if found is not None
        ]
        return pd.DataFrame(rows)

    @cached_property
    def compared(self) -> list[Compared]:
        """The cells against the scenario's baseline, in the measures of the table.

        Empty without a baseline, or as long as there is too little to compare. Of very many cells
        the first (`head`): `differences` compares all.
        """
        if not self.study.baseline:
            return []
        try:
            return against(self.head(SHOWN).by_cell(), self.study.baseline, DEFAULT)
        except CompareError:
            return []

    def differences(
        self, baseline: Mapping[str, Any] | None = None, measures: Sequence[str] = DEFAULT
    ) -> pd.DataFrame:
        """Paired differences of the cells and a baseline, one row per cell and measure.

        `baseline` maps varied settings to the values of the cell that is subtracted, such as
        ``{"balancing.algorithm": "round-robin"}``; None: that of the scenario. Columns: `cell`,
        the varied settings, `baseline` (its cell), `measure`, `value`, `low`, `high`, `unit`, `n`
        (pairs), `method`, `note` (how many durations were censored), `p` (after Holm's correction
        over all rows) and `verdict`. Quantiles with too few observations have no row. Raises
        CompareError if no cell is the baseline or no two replications are common, LookupError for
        an unknown measure.
        """
        wanted = self.study.baseline if baseline is None else baseline
        if not wanted:
            raise CompareError("no baseline: give one, such as {'detection.fall': 2}")
        rows = [
            {
                "cell": one.cell,
                **_readable(one.varied),
                "baseline": one.baseline,
                **dataclasses.asdict(one.difference),
                "p": one.p,
                "verdict": one.verdict,
            }
            for one in against(self.by_cell(), wanted, measures)
        ]
        return pd.DataFrame(rows).drop(columns="needed", errors="ignore")

    def minus(self, other: Result, measures: Sequence[str] = MEASURES) -> pd.DataFrame:
        """Paired differences of the cells that two runs of the same seed have in common.

        See `hasim.compare`. Raises CompareError, and LookupError for an unknown measure.
        """
        if self.seed != other.seed:
            raise CompareError(f"the seeds {other.seed} and {self.seed} make no pairs")
        rows = [
            {
                "cell": one.cell,
                **_readable(one.varied),
                **dataclasses.asdict(one.difference),
                "p": one.p,
                "verdict": one.verdict,
            }
            for one in compare(other.by_cell(), self.by_cell(), measures)
        ]
        frame = pd.DataFrame(rows).drop(columns="needed", errors="ignore")
        found = unlike(other.study, self.study)
        frame.attrs = {"settings": found.services, "world": found.world}
        return frame

    def summary(self) -> pd.DataFrame:
        """One row per cell and measure: value, low, high, n, unit, method, needed, note."""
        return pd.DataFrame(
            [
                {"cell": index, **_readable(varied), **dataclasses.asdict(estimate)}
                for (index, varied), estimates in zip(self.cells, self.estimates, strict=True)
                for estimate in estimates.values()
            ]
        )

    @property
    def stopping(self) -> pd.DataFrame:
        """One row per cell of a study that runs until a precision is reached; else empty.

        `replications` that it was given, `stopped` by (``precision`` or ``cap``), and what is
        `missing` of the precision; a cell that has not ended has no `stopped`.
        """
        rows = []
        for index, varied in self.cells if isinstance(self.study.replications, Sequential) else []:
            stop = self.study.stops.get(index)
            ended = (stop.replications, stop.by, stop.missing) if stop else None
            count, by, missing = ended or (len(self.study.of_cell(index)), None, "")
            own = {"replications": count, "stopped": by, "missing": missing}
            rows.append({"cell": index, **_readable(varied), **own})
        return pd.DataFrame(rows)

    # -- pictures ------------------------------------------------------------------

    def figures(self) -> dict[str, Figure]:
        """The figures of the run by name, drawn anew at each call."""
        from hasim.findings.exports import draw

        return draw(self)

    def _repr_html_(self) -> str:
        """A summary for Jupyter: one row per cell, estimates with their 95 % intervals."""
        shown = self.head(SHOWN)
        cells = shown.cells
        rows = [{title(m): estimate_text(e[m]) for m in DEFAULT if m in e} for e in shown.estimates]
        frame = pd.DataFrame(rows, index=pd.Index(labels(cells), name=heading(cells)))
        table = ""
        if shown.compared:
            columns = ["cell", "measure", "value", "low", "high", "unit", "p", "verdict"]
            digits = dict.fromkeys(("value", "low", "high", "p"), "{:.3g}".format)
            below = shown.differences()[columns].to_html(border=0, index=False, formatters=digits)
            table = page.paragraph(f"minus {text(self.study.baseline)}") + below
        notes = "".join(map(page.paragraph, shown.notes))
        summary = page.paragraph(repr(self)) + frame.to_html(border=0)
        return summary + table + notes + shown.head(DRAWN)._image()

    def _image(self) -> str:
        """A small figure of two measures, if there is anything to draw."""
        from hasim.report.figures import interval_plot

        cells = self.cells
        if not cells:
            return ""
        figure = interval_plot(cells, self.estimates, GLANCE)
        figure.set_dpi(72)
        return page.image(figure, f"95 % intervals of {' and '.join(map(title, GLANCE))}")

    def __repr__(self) -> str:
        done = f"{len(self.study.outcomes)}"
        if isinstance(self.study.replications, int):
            done += f" of {len(self.study.cells) * self.study.replications}"
        return (
            f"<Result of {self.name}: {len(self.study.cells)} cells, "
            f"{done} replications, seed {self.seed}>"
        )

    # -- journals ------------------------------------------------------------------

    @property
    def loaded(self) -> Loaded:
        """The scenario; read again from the run folder if need be.

        Raises ScenarioError if a trace that it names is gone.
        """
        if self._loaded is None:
            from hasim.scenario.loader import load

            if self.folder is None:
                raise ValueError("neither a scenario nor a run folder is at hand")
            self._loaded = load(self.folder / "scenario.yaml")
        return self._loaded

    def journal(self, cell: int, replication: int) -> Journal:
        """The journal of one replication: the stored one, else the same simulated again.

        Raises LookupError if the study has no such cell or replication.
        """
        info = next((info for info in self.study.cells if info.index == cell), None)
        if info is None:
            raise LookupError(f"no cell {cell}; the run has {len(self.study.cells)}")
        stop = self.study.stops.get(cell)
        most = stop.replications if stop else self.study.most
        if not 0 <= replication < most:
            raise LookupError(f"no replication {replication}; there are {most}")
        if self.folder is not None:
            stored = self.folder / "journals" / f"{file_stem(info, replication)}.jsonl.gz"
            if stored.exists():
                return read(stored)
        return simulate_cell(self.loaded, cell, replication)

    def journal_of_incident(self, number: int) -> Journal:
        """The journal of the replication in which incident `number` (from 1) happened.

        Raises LookupError if there is no such incident, and StoreError if the
        replication, simulated again, is not the one that the run measured.
        """
        row = self.incident(number)
        journal = self.journal(row["cell"], row["replication"])
        found = [{**incident} for incident in measure(journal).to_plain()["incidents"]]
        stored = {key: row[key] for key in found[0]} if found else {}
        if stored not in found:
            raise StoreError(
                f"{self.folder or self.name}: replication {row['replication']} of cell "
                f"{row['cell']}, simulated again, has no such incident: hasim or a trace has "
                f"changed since the run"
            )
        return journal

    def incident(self, number: int) -> dict[str, Any]:
        """The row of incident `number` (from 1) as plain data.

        Raises LookupError, saying how many there are, if there is no such incident.
        """
        if not 1 <= number <= len(self.incidents):
            raise LookupError(f"no incident {number}; the run has {len(self.incidents)}")
        count = 0
        for outcome in self.study.ordered():
            rows = self._rows(outcome, "incidents")
            if number <= count + len(rows):
                place = {
                    "incident": number,
                    "cell": outcome.cell,
                    "replication": outcome.replication,
                }
                return {**place, **rows[number - count - 1]}
            count += len(rows)
        raise AssertionError("the table of incidents holds more rows than the outcomes")


def _readable(varied: Mapping[str, Any]) -> dict[str, Any]:
    """Varied settings as table values: a list such as [probe, messages] as one text."""
    plain = (str, int, float)
    return {path: v if isinstance(v, plain) else text(v) for path, v in varied.items()}
