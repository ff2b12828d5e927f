"""Runs of a budget that are kept: what a killed one has done is not done again.

Each budget has a folder of its own, named by what determines its runs (world, traces, rates,
measure, seed, program), with a line for each run that has ended, and a digest in it. A line that
was cut short by a kill is dropped; one that was changed is refused.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hasim import stored
from hasim.study.execution.program import sources, versions
from hasim.study.folder.errors import StoreError
from hasim.study.folder.places import locked
from hasim.study.planning.keys import key_of, with_contents
from hasim.study.rare.estimate import Pair, Run
from hasim.study.rare.runs import Design, Trial
from hasim.study.rare.shortfalls import Measure

if TYPE_CHECKING:
    from hasim.scenario.loader import Loaded

NAME = "trials.jsonl"
SOURCES = ("strikes.py", "runs.py", "rates.py", "estimate.py", "kept.py", "shortfalls.py")
"""Beside what determines a simulation: which runs there are, and what is kept of each."""


@dataclass
class Kept:
    """The runs that are known, by cell and number; each new one is written down at once."""

    trials: dict[tuple[int, int], Trial] = field(default_factory=dict)
    file: IO[str] | None = None
    key: str = ""
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
            self.file.write(f"{json.dumps(_plain(trial, self.key), separators=(',', ':'))}\n")
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
        try:
            trials = _read(path, key)
            file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}") from None
        with file:
            yield Kept(trials, file, key)
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


@dataclass(frozen=True)
class _Row:
    """The form of a line: a run, or a pair."""

    __pydantic_config__ = stored.STRICT

    cell: int
    number: int
    digest: str
    run: Run | None = None
    pair: Pair | None = None


def _plain(trial: Trial, key: str) -> dict[str, Any]:
    kind = "pair" if isinstance(trial.found, Pair) else "run"
    plain = {"cell": trial.cell, "number": trial.number, kind: dataclasses.asdict(trial.found)}
    return {**plain, "digest": _digest(plain, key)}


def _digest(plain: dict[str, Any], key: str) -> str:
    """What a line of another budget, or one that was changed, does not have."""
    return stored.digest(key.encode(), json.dumps(plain, sort_keys=True).encode())


def _read(path: Path, key: str) -> dict[tuple[int, int], Trial]:
    """The whole lines of a file, which is cut after the last of them. Raises OSError too."""
    found: dict[tuple[int, int], Trial] = {}
    lines, whole = 0, 0
    try:
        content = stored.content(path)
        for _, line in stored.lines(io.BytesIO(content)):
            lines += 1
            if not line.endswith(b"\n"):
                path.write_bytes(content[:whole])
                break
            trial = _trial(line, key)
            found[trial.cell, trial.number] = trial
            whole += len(line)
    except FileNotFoundError:
        return {}
    except stored.StoredError as error:
        at = f"{path}:{lines}" if lines else f"{path}"
        raise StoreError(f"{at}: is no run: {error}; --fresh begins anew") from None
    return found


def _trial(line: bytes, key: str) -> Trial:
    """Raises StoredError for a line that is none, or of which something was changed."""
    plain = stored.plain(line)
    row = stored.of_form(_Row, plain)
    kept = row.run or row.pair
    if kept is None or (row.run and row.pair):
        raise stored.StoredError("expected a run or a pair")
    if plain.pop("digest") != _digest(plain, key):
        raise stored.StoredError(
            "was changed after it had been written, or is of another budget: its digest is "
            "another one"
        )
    return Trial(row.cell, row.number, kept)
