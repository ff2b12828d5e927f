"""What a study's numbers come to: estimates, verdicts, differences, and what they rest on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import pandas as pd

from hasim.findings import limits
from hasim.findings.tables import Tables, readable
from hasim.report.remarks import remarks
from hasim.report.titles import DEFAULT
from hasim.scenario.expectations import Expectation
from hasim.scenario.replications import Sequential
from hasim.study.comparing.compare import MEASURES, Compared, CompareError, against, compare
from hasim.study.comparing.settings import unlike
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.expectations import Verdict, judge
from hasim.study.estimates.summary import summarise
from hasim.study.estimates.warm_up import CutOff, cut_off, note_of


class Estimated(Tables):
    """Estimates over the replications of each cell, each with its 95 % interval."""

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
            {"cell": index, **readable(varied), **dataclasses.asdict(found)}
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
            return against(self.head(limits.SHOWN).by_cell(), self.study.baseline, DEFAULT)
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
                **readable(one.varied),
                "baseline": one.baseline,
                **dataclasses.asdict(one.difference),
                "p": one.p,
                "verdict": one.verdict,
            }
            for one in against(self.by_cell(), wanted, measures)
        ]
        return pd.DataFrame(rows).drop(columns="needed", errors="ignore")

    def minus(self, other: Estimated, measures: Sequence[str] = MEASURES) -> pd.DataFrame:
        """Paired differences of the cells that two runs of the same seed have in common.

        See `hasim.compare`. Raises CompareError, and LookupError for an unknown measure.
        """
        if self.seed != other.seed:
            raise CompareError(f"the seeds {other.seed} and {self.seed} make no pairs")
        rows = [
            {
                "cell": one.cell,
                **readable(one.varied),
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
                {"cell": index, **readable(varied), **dataclasses.asdict(estimate)}
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
            rows.append({"cell": index, **readable(varied), **own})
        return pd.DataFrame(rows)
