"""A result as files in its run folder: tables, summary, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from hasim.extras import installed
from hasim.findings import limits
from hasim.findings.frames import write_frames
from hasim.findings.pictures import draw
from hasim.findings.result import Result
from hasim.findings.tables import TABLES
from hasim.report import figures
from hasim.report.visible import cell

if TYPE_CHECKING:
    from hasim.scenario.loader import Loaded
    from hasim.study.planning.study import Study

SOMETIMES = ("stopping", "warm_up", "operations", "transients", "churn", "tiers")
"""Tables that are only written if there is anything in them."""
SUMMARIES = {"json": "summary.json", "csv": "summary.csv", "markdown": "summary.md"}


class Exported:
    """What a study ended in: its result, whose files are written while its folder is locked."""

    result: Result
    figures: tuple[Path, ...] = ()

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def __call__(self, study: Study, loaded: Loaded) -> None:
        """Take the finished study; `export` of `hasim.study.execution.runner.run_study`."""
        self.result = Result(study, loaded=loaded, folder=self._folder)
        if self._folder is not None:
            self.figures = tuple(export(self.result, self._folder))


def export(result: Result, folder: Path) -> list[Path]:
    """Write the frames, tables, summary and figures of a run; the paths of the figures.

    The frames hold all cells, the others the first, if there are very many. Without pyarrow there
    are no frames, without matplotlib no figures.

    Raises OSError if the folder cannot be written.
    """
    if installed("pyarrow"):
        write_frames(result, folder)
    for form, name in SUMMARIES.items():
        (folder / name).write_text(result.render(form), encoding="utf-8")
    shown = result.head(limits.SUMMARISED)
    for name in (*TABLES, "balance"):
        _write(getattr(shown, name), folder / f"{name}.csv")
    for name in SOMETIMES:
        frame, path = getattr(shown, name), folder / f"{name}.csv"
        path.unlink(missing_ok=True)  # of a study with another rule, or without operations or keys
        if not frame.empty:
            _write(frame, path)
    (folder / "differences.csv").unlink(missing_ok=True)
    if shown.compared:
        _write(result.head(limits.SHOWN).differences(), folder / "differences.csv")
    made: list[Path] = []
    if not installed("matplotlib"):
        return made
    for name, figure in draw(result.head(limits.SHOWN)).items():
        (folder / "figures").mkdir(exist_ok=True)
        path = folder / "figures" / f"{name}.png"
        figures.save(figure, path)
        made.append(path)
    return made


def _write(frame: pd.DataFrame, path: Path) -> None:
    """A table as CSV; what acts instead of being seen is escaped, and no cell is a formula."""
    texts = frame.select_dtypes(["object", "string"]).columns
    shown = frame.assign(**{name: frame[name].map(_seen) for name in texts})
    shown.to_csv(path, index=False, lineterminator="\n")


def _seen(value: object) -> object:
    return cell(value) if isinstance(value, str) else value
