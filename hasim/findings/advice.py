"""An advice as a finding: what to set, how sure that is, what was tried, what else would help."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hasim.findings.advice_texts import claim, headline, help_text, refusal, standings, today_text
from hasim.measures.catalogue import find
from hasim.report.cells import labels
from hasim.report.finding import Finding
from hasim.report.pareto import Kind, Spot, front, pareto_plot
from hasim.report.sheet import Column, Field, Mood, Paper, Sheet, Value, plain_estimate
from hasim.report.titles import title
from hasim.study.advising.advising import FALSE, Advised, Worth
from hasim.study.advising.candidates import scenario_of
from hasim.study.advising.limits import Checked
from hasim.study.advising.logarithms import logarithm
from hasim.study.advising.noise import rests_on_noise
from hasim.study.advising.race import bounds
from hasim.study.advising.rare import NEEDLESS
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.summary import estimate_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 10
"""Settings that a terminal shows; programs get all."""
MOODS: dict[str, Mood] = {"recommended": "good", "breaks a limit": "bad", "undecided": "open"}


@dataclass(frozen=True)
class Advice(Finding):
    """What to set, or why nothing is recommended.

    ``advice.chosen`` is the recommended setting (dotted path to value), None if there is none, and
    ``advice.scenario`` the scenario that has it.
    """

    name: str
    seed: int
    found: Advised

    @property
    def chosen(self) -> dict[str, Any] | None:
        """The recommended setting: what differs from the scenario as it stands."""
        cell = self.found.decision.chosen
        return None if cell is None else dict(self.found.points[cell])

    @property
    def keeps_today(self) -> bool:
        """Whether today's setting is the recommended one."""
        return self.found.decision.chosen == self.found.decision.today

    @cached_property
    def scenario(self) -> str | None:
        """The scenario with the recommended setting in place, as YAML."""
        chosen = self.chosen
        return None if chosen is None else scenario_of(self.found.candidates.loaded, chosen)

    @cached_property
    def labels(self) -> list[str]:
        """What each setting that was tried is called."""
        points = self.found.candidates.points
        made = labels(list(enumerate(points)))
        today = self.found.candidates.today
        return [
            "as it stands" if number == today and not points[number] else name
            for number, name in enumerate(made)
        ]

    @cached_property
    def standings(self) -> dict[int, str]:
        """What became of each setting."""
        return standings(self.found.decision)

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """The objective, what is limited, and false failovers if any noise is stated."""
        asked = self.found.decision.terms.measures
        if self.found.noise.lasting and not any(map(rests_on_noise, asked)):
            asked = (*asked, FALSE)
        return asked

    @cached_property
    def estimates(self) -> dict[int, dict[str, Estimate]]:
        """The estimates of each setting, each with an interval of its own, from all its work."""
        return {
            cell: {
                **{measure: estimate_of(measure, runs) for measure in self.measures},
                **_rare(self.found.decision.checked.get(cell)),
            }
            for cell, runs in sorted(self.found.runs.items())
            if cell < len(self.labels)
        }

    @cached_property
    def values(self) -> dict[int, float]:
        """How settings are ordered: the logarithm of the objective."""
        objective = self.found.decision.terms.objective
        return {cell: logarithm(objective, self.found.runs[cell]).value for cell in self.estimates}

    def paper(self, *, brief: bool = False) -> Paper:
        """What to set, what was tried, what else would help, and what that rests on."""
        sheets = [self._tried(brief)]
        if self.found.worth:
            sheets.append(self._worth())
        return Paper(
            sheets,
            said=list(self._said()),
            notes=list(self._notes()),
            headline=headline(self.found, self.labels),
            title=f"Advice: {self.name}",
        )

    def tidy(self) -> Sheet:
        """A row for each setting and measure."""
        columns = [Column(n) for n in ("setting", "standing", "measure", "value", "low", "high")]
        rows: list[Sequence[Value]] = [
            [self.labels[cell], self.standings[cell], m, e.value, e.low, e.high]
            for cell, found in self.estimates.items()
            for m, e in found.items()
        ]
        return Sheet(columns, rows)

    def plain(self) -> dict[str, Any]:
        """All of it as plain data."""
        decision = self.found.decision
        better = None if decision.against_today is None else bounds(decision.against_today)
        return {
            "scenario": self.name,
            "seed": self.seed,
            "minimise": decision.terms.objective,
            "for": [str(limit) for limit in decision.terms.limits],
            "recommended": self.chosen,
            "refused": refusal(decision, self.labels) or None,
            "ratio_to_today": better,
            "noise": str(self.found.noise),
            "replications": decision.total,
            "settings": [
                {
                    "setting": self.found.points[cell],
                    "standing": self.standings[cell],
                    "replications": decision.taken.get(cell, 0),
                    "front": cell in self._front,
                    **{name: plain_estimate(e) for name, e in found.items()},
                }
                for cell, found in self.estimates.items()
            ],
            "would_help": [
                {"change": one.change.name, "ratio": bounds(one.ratio), "limits": _limits(one)}
                for one in self.found.worth
            ],
        }

    def figure(self) -> Figure | None:
        """Outage against false failovers, with the front; None if no noise is stated."""
        return None if self.axes is None else pareto_plot(self.spots, self.axes, self.limits)

    def page(self) -> str:
        """The advice as one HTML file: what to set, the front, what was tried.

        Raises `hasim.report.html.library.NoLibraryError` without the extra ``report``.
        """
        from hasim.findings.advice_page import advice_page
        from hasim.report.html.page import html_page

        tried = {self.labels[cell]: self.estimates[cell] for cell in self.ordered}
        return html_page(advice_page(self.paper(), self.spots, self.axes, self.limits, tried))

    @property
    def axes(self) -> tuple[str, str] | None:
        """The measures of the front: false failovers, and the objective; None without noise."""
        objective = self.found.decision.terms.objective
        others = (m for m in self.measures if m != objective and rests_on_noise(m))
        false = next(others, None)
        return None if false is None else (false, objective)

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """What each of them shall keep, if that was asked for."""
        held = {limit.measure: limit.bound for limit in self.found.decision.terms.limits}
        return (
            (None, None) if self.axes is None else (held.get(self.axes[0]), held.get(self.axes[1]))
        )

    @property
    def spots(self) -> list[Spot]:
        """The settings as points of the front's figure."""
        return [spot for _, spot in self._spots]

    @cached_property
    def _spots(self) -> list[tuple[int, Spot]]:
        if self.axes is None:
            return []
        (false, objective), today = self.axes, self.found.decision.today
        return [
            (
                cell,
                Spot(
                    self.labels[cell],
                    found[false],
                    found[objective],
                    _shown(objective, self.values[cell]),
                    self._kind(cell),
                    cell == today,
                ),
            )
            for cell, found in self.estimates.items()
        ]

    @cached_property
    def _front(self) -> set[int]:
        best = {id(spot) for spot in front([spot for _, spot in self._spots])}
        return {cell for cell, spot in self._spots if id(spot) in best}

    def _kind(self, cell: int) -> Kind:
        if cell == self.found.decision.chosen:
            return "recommended"
        standing = self.found.decision.checked[cell].standing
        kinds: dict[str, Kind] = {"feasible": "keeps the limits", "undecided": "undecided"}
        return kinds.get(standing, "breaks a limit")

    @cached_property
    def ordered(self) -> list[int]:
        """The settings: the recommended one, today's, then the best of those that may be chosen."""
        order = {"feasible": 0, "undecided": 1, "infeasible": 2}
        decision = self.found.decision

        def place(cell: int) -> tuple[Any, ...]:
            value = self.values[cell]
            known = value if math.isfinite(value) else math.inf
            standing = order[decision.checked[cell].standing]
            return (cell != decision.chosen, cell != decision.today, standing, known, cell)

        return sorted(self.estimates, key=place)

    def _tried(self, brief: bool) -> Sheet:
        cells = self.ordered
        shown = cells[:SHOWN] if brief else cells
        rows: list[Sequence[Value]] = [
            [
                self._name(cell),
                *self.estimates[cell].values(),
                Field(self.standings[cell], mood=MOODS.get(self.standings[cell], "")),
            ]
            for cell in shown
        ]
        columns = [
            Column("setting"),
            *(
                Column(title(m).replace(" ", "\n"), m, find(m).unit, align="right")
                for m in self.measures
            ),
            Column("which"),
        ]
        left = len(cells) - len(shown)
        notes = [f"{left} more were tried; `--format csv` has all."] if left else []
        return Sheet(columns, rows, caption="What was tried", notes=notes, stacked=True)

    def _name(self, cell: int) -> Field:
        label = self.labels[cell]
        if cell == self.found.decision.today and label != "as it stands":
            label = f"{label} (today)"
        return Field(label, tuple(label.replace(", ", ",\n").split("\n")))

    def _worth(self) -> Sheet:
        objective = title(self.found.decision.terms.objective)
        rows: list[Sequence[Value]] = []
        for one in self.found.worth:
            value, low, high = bounds(one.ratio)
            estimate = Estimate(objective, "ratio", value, low, high, 0, "")
            rows.append([one.change.name, estimate, _limits(one)])
        columns = [
            Column("one change to the recommended setting"),
            Column(f"{objective},\nof what it was", "ratio", "ratio", align="right"),
            Column("limits"),
        ]
        return Sheet(columns, rows, caption="What else would help")

    def _said(self) -> Iterator[str]:
        decision = self.found.decision
        reason = refusal(decision, self.labels)
        if reason:
            yield reason
        if (text := today_text(self.found, self.labels)) is not None:
            yield text
        if decision.chosen is not None and (text := help_text(self.found)) is not None:
            yield text
        if decision.undecided and decision.chosen is not None:
            count = len(decision.undecided)
            needed = [n for c in decision.undecided if (n := decision.checked[c].needed)]
            nearest = f"; the nearest to it would take about {min(needed or [0]):,} replications"
            more = nearest if needed else ""
            yield (
                f"{count} setting{'s are' if count > 1 else ' is'} undecided, and never "
                f"recommended{more}."
            )

    def _notes(self) -> Iterator[str]:
        decision = self.found.decision
        if decision.chosen is not None:
            yield claim(decision)
        if any(map(rests_on_noise, self.measures)):
            yield f"False failovers rest on: {self.found.noise}."
        if any(NEEDLESS in _rare(checked) for checked in decision.checked.values()):
            yield (
                f"{NEEDLESS}: those of healthy masters by splitting, and those for faults that are "
                "cured too early, as often as faults are projected."
            )
        yield (
            f"{len(self.labels)} settings, {decision.total:,} replications in all, seed "
            f"{self.seed}. Intervals in the table are of 95 % each; what is decided rests on wider "
            "ones, which hold together."
        )


def _rare(checked: Checked | None) -> dict[str, Estimate]:
    """What was estimated without waiting for it, in wider intervals, which hold together."""
    return {
        kept.limit.measure: Estimate(
            kept.limit.measure,
            find(kept.limit.measure).unit,
            kept.found.value,
            kept.found.low,
            kept.found.high,
            kept.found.n,
            kept.found.method,
        )
        for kept in (checked.limits if checked else ())
        if kept.rare
    }


def _shown(objective: str, logarithm_: float) -> float:
    """The value of an objective again: of what more is better of, what is missing to 1."""
    about = find(objective)
    if about.better == "more" and about.unit != "ratio":
        return math.exp(-logarithm_)
    return math.exp(logarithm_) if math.isfinite(logarithm_) else math.nan


def _limits(one: Worth) -> str:
    """Whether the limits hold with a change."""
    broken = [kept.limit.measure for kept in one.limits if kept.standing == "infeasible"]
    unknown = [kept.limit.measure for kept in one.limits if kept.standing == "undecided"]
    if broken:
        return f"breaks {', '.join(broken)}"
    return f"open: {', '.join(unknown)}" if unknown else "kept"
