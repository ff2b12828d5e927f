"""Runs of a budget that are kept: what a killed one has done is not done again.

Each budget has a folder of its own, named by what determines its runs (world, traces, rates,
measure, seed, program), with a line for each run that has ended. A line that was cut short by a
kill is dropped.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hasim.study.execution.program import sources, versions
from hasim.study.folder.errors import StoreError
from hasim.study.folder.places import locked
from hasim.study.planning.keys import key_of, with_contents
from hasim.study.rare.estimate import Pair, Run
from hasim.study.rare.runs import Design, Measure, Trial

if TYPE_CHECKING:
    from hasim.scenario.loader import Loaded

NAME = "trials.jsonl"
SOURCES = ("strikes.py", "runs.py", "rates.py", "estimate.py", "kept.py")
"""Beside what determines a simulation: which runs there are, and what is kept of each."""


@dataclass
class Kept:
    """The runs that are known, by cell and number; each new one is written down at once."""

    trials: dict[tuple[int, int], Trial] = field(default_factory=dict)
    file: IO[str] | None = None
    left: int = 0
    total: int = 0
    progress: Callable[[int, int], None] | None = None
    """Told how many runs there are, of how many."""

    def missing(
        self, wanted: Mapping[int, Sequence[int]], progress: Callable[[int, int], None] | None
    ) -> dict[int, list[int]]:
        """The numbers of each cell that are wanted and not known."""
        found = {
            cell: [n for n in numbers if (cell, n) not in self.trials]
            for cell, numbers in wanted.items()
        }
        self.total, self.left = (sum(map(len, one.values())) for one in (wanted, found))
        self.progress = progress
        return found

    def take(self, trial: Trial) -> None:
        """A run has ended."""
        self.trials[trial.cell, trial.number] = trial
        if self.file is not None:
            self.file.write(f"{json.dumps(_plain(trial), separators=(',', ':'))}\n")
            self.file.flush()
        self.left -= 1
        if self.progress is not None:
            self.progress(self.total - self.left, self.total)


@contextlib.contextmanager
def kept_runs(folder: Path | None, key: str, *, fresh: bool = False) -> Iterator[Kept]:
    """The runs under a key in a folder, for nobody else meanwhile; None: nothing is kept.

    Raises StoreError if another process works there, or nothing can be written.
    """
    if folder is None:
        yield Kept()
        return
    place = folder / key
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: cannot write there: {error.strerror}") from None
    lock = locked(place)
    try:
        path = place / NAME
        if fresh:
            path.unlink(missing_ok=True)
        trials = _read(path)
        with path.open("a", encoding="utf-8") as file:
            yield Kept(trials, file)
    finally:
        lock.release()


def key_for(loaded: Loaded, designs: Sequence[Design], of: Measure) -> str:
    """16 hexadecimal digits that differ if anything does that a run could depend on."""
    scenario = loaded.scenario
    return key_of(
        scenario.world(),
        scenario.seed,
        vary=with_contents(loaded.data.get("vary")),
        traces=with_contents(loaded.traces(), "trace"),
        of=of,
        designs=[
            {
                "groups": design.groups,
                "quiet_ns": design.quiet_ns,
                "plain_ns": design.plain_ns,
                "classes": [
                    [one.name, repr(one.rate.per_s.value), one.rate.origin, list(one.targets)]
                    for one in design.classes
                ],
            }
            for design in designs
        ],
        program=[sources(), _own_sources(), versions()],
    )


@functools.cache
def _own_sources() -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name in SOURCES:
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()


def _plain(trial: Trial) -> dict[str, Any]:
    kind = "pair" if isinstance(trial.found, Pair) else "run"
    return {"cell": trial.cell, "number": trial.number, kind: dataclasses.asdict(trial.found)}


def _read(path: Path) -> dict[tuple[int, int], Trial]:
    """The whole lines of a file, which is cut after the last of them."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    whole = content[: content.rfind(b"\n") + 1]
    found = {}
    try:
        for line in whole.splitlines():
            trial = _trial(json.loads(line))
            found[trial.cell, trial.number] = trial
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{path}: is no file of runs; begin with --fresh") from None
    if len(whole) < len(content):
        path.write_bytes(whole)
    return found


def _trial(plain: dict[str, Any]) -> Trial:
    found: Run | Pair
    if "pair" in plain:
        own = plain["pair"]
        found = Pair(**{**own, "excess_s": tuple(own["excess_s"])})
    else:
        own = plain["run"]
        lists = {name: tuple(own[name]) for name in ("down_s", "failovers_s")}
        found = Run(**{**own, **lists})
    return Trial(plain["cell"], plain["number"], found)
