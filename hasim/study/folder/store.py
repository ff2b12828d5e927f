"""The folder of a run: what was asked, what each replication gave, how it ended.

::

    manifest.json                    versions, seed, start, end, state, counts
    scenario.yaml                    the scenario, resolved: it loads to the same cells
    cells.jsonl                      number, varied settings and key of the cells, one to a line
    replications/cell-KEY.jsonl      one line per replication, appended as it finishes
    journals/, messages/             only when asked for
    .lock                            held by the process that works in the folder

The key of a cell is made of what determines its replications (`hasim.study.folder.keys`), so
that what is there already is found again when a study is continued, or grows by
replications or cells. A replication is a line that is appended, and not a file that is
renamed, since there may be a million; a line that was torn by a kill or a full disk is
cut off before the next one. The manifest says which program made it
(`hasim.study.execution.program`), and no other adds to it. The keys of a large study are found one
by one: its cells.jsonl names those that were begun. Everything is JSON, YAML or CSV;
nothing is ever executed when a folder is read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from hasim.scenario.replications import Sequential, most
from hasim.settings import from_plain, plain
from hasim.settings.validation import SettingsError
from hasim.study.execution.program import this_program, unlike
from hasim.study.folder.lock import NAME as LOCK
from hasim.study.folder.lock import Lock, LockedError
from hasim.study.folder.outcomes import CellInfo, Outcome, Outcomes
from hasim.study.planning.stopping import Stop

FORMAT = 4
READABLE = (1, 2, 3, FORMAT)
"""Format 1 named the cells by their numbers, 2 had them in its manifest, and 3 did not say which
sources had made it, so that none of them can be continued."""
WITH_CELLS = (3, FORMAT)
"""The formats that have their cells in a file."""
CELLS = "cells.jsonl"
WRITTEN = ("manifest.json", "scenario.yaml", CELLS)
PARTS = {LOCK, "replications", *WRITTEN[1:], *(f"{name}.part" for name in WRITTEN)}
"""All that a run which was killed before it had a manifest can have left."""
MOST_OPEN = 64
"""Files that are open at the same time."""
RUNS = Path("hasim-runs")
"""Where runs are kept, unless somebody says where."""
WAYS_ON = (
    "Begin anew with --fresh (in Python fresh=True), which moves the old run aside, "
    "or choose another folder."
)
T = TypeVar("T")
State = Literal["RUNNING", "COMPLETED", "INTERRUPTED", "FAILED"]


_KEPT = {
    "checked": "checked",
    "journals": "kept as journals",
    "messages": "kept message by message",
}


class StoreError(ValueError):
    """A run folder that cannot be written or read; the message names the file."""


class OtherRunError(StoreError):
    """A run folder of another world or seed: no replication could be taken over."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a run does with each replication; a folder keeps to it when it is continued.

    `checked`: its invariants are checked. `journals`, `messages`: they are kept.
    """

    checked: bool = False
    journals: bool = False
    messages: bool = False


@dataclass
class Study:
    """What was asked and, by (cell, replication), what came out.

    `replications` is how many each cell has: a number, or the rule that ends a cell;
    `stops` then says for each cell that has ended how. `base` is the key of the
    world before anything is varied. `expect` holds measure -> limit as text;
    `baseline` the values of varied settings that other cells are compared with;
    `projection` the mean time between failures and the period in nanoseconds, if
    uptime is projected; `notes` what a reader of the results must know. `plan` is a digest of
    what determines the cells; `find_key` finds the key of a cell that has none.
    """

    name: str
    seed: int
    replications: int | Sequential
    cells: Sequence[CellInfo]
    expect: dict[str, str] = field(default_factory=dict)
    baseline: dict[str, Any] = field(default_factory=dict)
    projection: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()
    resolved: str = ""
    state: State = "RUNNING"
    options: Options = Options()
    base: str = ""
    stops: dict[int, Stop] = field(default_factory=dict)
    outcomes: Outcomes = field(default_factory=Outcomes)
    plan: str = field(default="", compare=False)
    find_key: Callable[[int], str] | None = field(default=None, compare=False, repr=False)

    def keyed(self, index: int) -> CellInfo:
        """A cell with its key, which is looked for if need be. May raise ScenarioError."""
        cell = self.cells[index]
        if cell.key or self.find_key is None:
            return cell
        return dataclasses.replace(cell, key=self.find_key(index))

    @property
    def checked(self) -> bool:
        """Whether the invariants of every replication were checked."""
        return self.options.checked

    @property
    def most(self) -> int:
        """The number of replications that a cell has, or may have."""
        return most(self.replications)

    def end_cell(self, cell: int, stop: Stop) -> None:
        """A cell has ended: replications beyond, which the folder may hold, are not of the study.

        They are there if the study once asked for more.
        """
        self.stops[cell] = stop
        for replication in range(stop.replications, self.most):
            self.outcomes.pop((cell, replication), None)

    def add(self, outcome: Outcome) -> None:
        """Take an outcome; the same one twice is the same as once."""
        self.outcomes[outcome.cell, outcome.replication] = outcome

    def ordered(self) -> Iterator[Outcome]:
        """The outcomes by cell, then replication, whatever the order they came in."""
        for cell in self.cells:
            yield from self.of_cell(cell.index)

    def of_cell(self, cell: int) -> list[Outcome]:
        """The outcomes of one cell, by replication."""
        return self.outcomes.of_cell(cell)


class RunFolder:
    """Writes one run, alone. Each line is one `os.write`, so an interrupt cannot tear it."""

    def __init__(self, path: Path, study: Study) -> None:
        """Begin a run, or take up the one that is there: `recall` then finds its outcomes.

        Raises StoreError if the folder holds something else or what another program made,
        another process works in it, or it cannot be written.
        """
        self.path = path
        self._study = study
        self._files: OrderedDict[str, int] = OrderedDict()
        self._keys = array("Q", bytes(8 * len(study.cells) if study.find_key else 0))
        study.outcomes.read = self._of_cell
        try:
            _refuse_strangers(path)
            path.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(path)
        except OSError as error:
            raise StoreError(f"{path}: cannot write there: {error.strerror}") from None
        try:
            self._begin()
        except OSError as error:
            self._lock.release()
            raise StoreError(f"{path}: cannot write there: {error.strerror}") from None
        except BaseException:
            self._lock.release()
            raise

    def _begin(self) -> None:
        _refuse_strangers(self.path)  # once more, now that nobody else can write
        before = _read_manifest(self.path) if (self.path / "manifest.json").exists() else None
        if before is not None:
            try:
                self._take_up(before)
            except (KeyError, TypeError) as error:
                manifest = self.path / "manifest.json"
                raise StoreError(f"{manifest}: lacks or garbles {error}") from None
        self._manifest = _manifest(self._study)
        if before is not None:
            session = {"at": self._manifest["started"]}
            session |= {name: self._manifest[name] for name in ("commit", "versions")}
            self._manifest["started"] = before["started"]
            self._manifest["continued"] = [*before["continued"], session]
        (self.path / "replications").mkdir(exist_ok=True)
        self._begin_cells(before)
        self._write("scenario.yaml", self._study.resolved)
        self._write_manifest()

    def _begin_cells(self, before: dict[str, Any] | None) -> None:
        """Write down the cells whose keys are known: all of a common study."""
        file = self.path / CELLS
        cells: Iterable[CellInfo] = ()
        if self._study.find_key is None:
            cells = self._study.cells
        elif before is not None and before.get("plan") == self._study.plan:
            cells = list(_read_cells(file))
            for cell in cells:
                self._keys[cell.index] = int(cell.key, 16)
        # Written anew in any case, since the last line may be torn.
        self._write(CELLS, "".join(map(_cell_line, cells)))

    def _named(self, index: int) -> CellInfo:
        """A cell that was begun, with its key; one that was not has none."""
        cell = self._study.cells[index]
        if self._keys and self._keys[index]:
            return dataclasses.replace(cell, key=f"{self._keys[index]:016x}")
        return cell

    def _take_up(self, before: dict[str, Any]) -> None:
        """Take over the outcomes and options of the run that is there."""
        if before["hasim_run"] != FORMAT:
            raise StoreError(
                f"{self.path}: written by an older hasim; it can be read, but not added to. "
                f"{WAYS_ON}"
            )
        different = unlike(before, this_program())
        if different:
            raise StoreError(
                f"{self.path}: what is there was simulated by another program: "
                f"{'; '.join(different)}. Results of two programs are not mixed. {WAYS_ON}"
            )
        if before["base"] != self._study.base:
            raise OtherRunError(str(self.path))
        options = _options(before)
        for name, wanted in dataclasses.asdict(self._study.options).items():
            if wanted and not getattr(options, name):
                raise StoreError(
                    f"{self.path}: holds a run whose replications were not {_KEPT[name]}. {WAYS_ON}"
                )
        self._study.options = options
        for torn in self.path.glob("*/.part-*"):  # of workers that were killed
            torn.unlink()

    def recall(self, index: int) -> CellInfo:
        """A cell with its key, which is begun; the study gets what is there of it already."""
        cell = self._named(index)
        if self._keys and not cell.key:
            cell = self._study.keyed(index)
            self._keys[index] = int(cell.key, 16)
            self._append(CELLS, _cell_line(cell))
        for outcome in _read_outcomes_of(self.path, cell):
            if outcome.replication < self._study.most and not outcome.error:
                self._study.add(outcome)
        return cell

    def _of_cell(self, index: int) -> Iterator[Outcome]:
        return _read_outcomes_of(self.path, self._named(index))

    def append(self, outcome: Outcome) -> None:
        """Store one outcome."""
        cell = self._named(outcome.cell)
        row = dataclasses.asdict(outcome)
        line = json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n"
        self._append(f"replications/{cell.stem}.jsonl", line)

    def _append(self, name: str, line: str) -> None:
        """One line at the end of a file, of which the last few stay open."""
        file = self._files.pop(name, None)
        if file is None:
            file = os.open(self.path / name, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            _mend(file)
        self._files[name] = file
        if len(self._files) > MOST_OPEN:
            os.close(self._files.popitem(last=False)[1])
        data = line.encode()
        while data:  # a disk that is nearly full takes a part
            data = data[os.write(file, data) :]

    def finish(self) -> None:
        """Close the files, say in the manifest how the study ended, and let others in."""
        while self._files:
            os.close(self._files.popitem()[1])
        outcomes = self._study.outcomes
        self._manifest |= {
            "state": self._study.state,
            "ended": _now(),
            "replications_done": len(outcomes) - outcomes.failed,
            "violations": outcomes.violations,
            "stops": {str(c): dataclasses.asdict(s) for c, s in sorted(self._study.stops.items())},
        }
        self._write_manifest()
        self._lock.release()

    def _write_manifest(self) -> None:
        self._write("manifest.json", json.dumps(self._manifest, indent=2) + "\n")

    def _write(self, name: str, text: str) -> None:
        partial = self.path / f"{name}.part"
        partial.write_text(text, encoding="utf-8")
        partial.replace(self.path / name)


def _refuse_strangers(path: Path) -> None:
    """Raise StoreError if a folder holds something, and it is no run."""
    if not path.exists() or (path / "manifest.json").exists():
        return
    if {inside.name for inside in path.iterdir()} - PARTS:
        raise StoreError(f"{path}: not empty; choose another folder for the run")


def _mend(file: int) -> None:
    """Cut off the torn last line that a kill in the middle of a write has left.

    A line that lacks nothing but its end is completed: it has been read as an outcome.
    """
    size = os.fstat(file).st_size
    os.lseek(file, 0, os.SEEK_SET)
    with os.fdopen(os.dup(file), "rb") as whole:
        last = whole.read().rpartition(b"\n")[2]
    if not last:
        return
    try:
        json.loads(last)
    except ValueError:
        os.ftruncate(file, size - len(last))
    else:
        os.write(file, b"\n")


def default_folder(name: str, under: Path = RUNS) -> Path:
    """A folder for a new run that does not exist yet: ``hasim-runs/NAME-20250131T235959``."""
    return _free(under, name, datetime.now())


def _free(under: Path, name: str, when: datetime) -> Path:
    stem = f"{name}-{when:%Y%m%dT%H%M%S}"
    path, number = under / stem, 1
    while path.exists():
        number += 1
        path = under / f"{stem}-{number}"
    return path


def set_aside(path: Path) -> Path | None:
    """Move the run in a folder beside it, under its name and the time when it began.

    None if there is no run. Raises StoreError if it cannot be read or moved, or another process
    works in it.
    """
    if not (path / "manifest.json").exists():
        return None
    try:
        began = datetime.fromisoformat(_read_manifest(path)["started"]).astimezone()
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path / 'manifest.json'}: lacks or garbles {error}") from None
    lock = _locked(path)
    try:
        return path.rename(_free(path.parent, path.name, began))
    except OSError as error:
        raise StoreError(f"{path}: cannot be moved: {error.strerror}") from None
    finally:
        lock.release()


def _locked(path: Path) -> Lock:
    """The lock on a folder that is there; raises StoreError."""
    try:
        return Lock(path)
    except LockedError as error:
        raise StoreError(
            f"{path}: {error} is working on this run; wait until it has ended"
        ) from None
    except OSError as error:
        raise StoreError(f"{path}: cannot write there: {error.strerror}") from None


def open_run(path: Path) -> Study:
    """Read a run folder, finished or not.

    Raises StoreError, naming the file, if it is no run folder or something in
    it cannot be read. A torn last line, as a kill in the middle of a write leaves
    it, is passed over.
    """
    manifest = _read_manifest(path)
    try:
        study = Study(
            name=manifest["scenario"],
            seed=manifest["seed"],
            replications=_replications(manifest["replications"]),
            cells=tuple(_cells(path, manifest)),
            expect=manifest["expect"],
            baseline=manifest.get("baseline", {}),
            projection=tuple(manifest["projection"]) if manifest["projection"] else None,
            notes=tuple(manifest["notes"]),
            resolved=(path / "scenario.yaml").read_text(encoding="utf-8"),
            state=manifest["state"],
            options=_options(manifest),
            base=manifest.get("base", ""),
            stops={int(c): Stop(**stop) for c, stop in manifest.get("stops", {}).items()},
        )
    except (KeyError, TypeError, AttributeError, SettingsError) as error:
        raise StoreError(f"{path / 'manifest.json'}: lacks or garbles {error}") from None
    except UnicodeDecodeError:
        raise StoreError(f"{path / 'scenario.yaml'}: is not a text file in UTF-8") from None
    except OSError as error:
        raise StoreError(f"{path / 'scenario.yaml'}: {error.strerror}") from None
    named = {cell.index: cell for cell in study.cells}
    study.outcomes.read = lambda index: _read_outcomes_of(path, named[index])
    for cell in study.cells:
        stop = study.stops.get(cell.index)
        for outcome in _read_outcomes_of(path, cell):
            if outcome.replication < (stop.replications if stop else study.most):
                study.add(outcome)
    return study


def _cells(path: Path, manifest: dict[str, Any]) -> Iterator[CellInfo]:
    """The cells of a run that are known, by their numbers; of a large one those that were begun."""
    if manifest["hasim_run"] in WITH_CELLS:
        yield from sorted(_read_cells(path / CELLS), key=lambda cell: cell.index)
        return
    for cell in manifest["cells"]:
        yield CellInfo(cell["index"], cell["varied"], cell.get("key", ""))


def _cell_line(cell: CellInfo) -> str:
    row = {"cell": cell.index, "varied": dict(cell.varied), "key": cell.key}
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n"


def _read_cells(file: Path) -> Iterator[CellInfo]:
    def make(row: dict[str, Any]) -> CellInfo:
        return CellInfo(int(row["cell"]), dict(row["varied"]), str(row["key"]))

    try:
        yield from _read_lines(file, make, "a cell")
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from None


def options_of(path: Path) -> Options:
    """What the run in a folder does with each replication. Raises StoreError like `open_run`."""
    try:
        return _options(_read_manifest(path))
    except (KeyError, TypeError) as error:
        raise StoreError(f"{path / 'manifest.json'}: lacks or garbles {error}") from None


def _options(manifest: Mapping[str, Any]) -> Options:
    kept = {name: bool(manifest.get(name, False)) for name in ("journals", "messages")}
    return Options(checked=manifest["checked"], **kept)


def _replications(written: Any) -> int | Sequential:
    return from_plain(Sequential, written) if isinstance(written, dict) else int(written)


def _read_outcomes_of(path: Path, cell: CellInfo) -> Iterator[Outcome]:
    """What is stored of a cell; cells of the same world share a file."""

    def make(row: dict[str, Any]) -> Outcome:
        return Outcome(**{**row, "violations": tuple(row["violations"])}).of(cell)

    file = path / "replications" / f"{cell.stem}.jsonl"
    with contextlib.suppress(FileNotFoundError):
        yield from _read_lines(file, make, "an outcome of a replication")


def _read_manifest(path: Path) -> dict[str, Any]:
    file = path / "manifest.json"
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        what = "it has no manifest.json" if path.is_dir() else "it is no folder"
        what = what if path.exists() else "it does not exist"
        raise StoreError(f"{path}: no folder of a hasim run ({what})") from None
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise StoreError(f"{file}: not JSON: {error}") from None
    found = manifest.get("hasim_run") if isinstance(manifest, dict) else None
    if found not in READABLE:
        raise StoreError(f"{file}: expected a run of format {FORMAT}, got {found!r}")
    return dict(manifest)


def _read_lines(file: Path, make: Callable[[dict[str, Any]], T], what: str) -> Iterator[T]:
    """What `make` makes of each line of JSON; a torn last line is passed over."""
    lines = file.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            yield make(json.loads(line))
        except (ValueError, TypeError, KeyError) as error:
            if number == len(lines):  # no newline behind it: torn
                return
            raise StoreError(f"{file}:{number}: not {what}: {error}") from None


def _manifest(study: Study) -> dict[str, Any]:
    return {
        "hasim_run": FORMAT,
        "scenario": study.name,
        "state": "RUNNING",
        "started": _now(),
        "ended": None,
        "seed": study.seed,
        "replications": plain(study.replications),
        "replications_done": 0,
        "violations": 0,
        **dataclasses.asdict(study.options),
        "base": study.base,
        "cells": len(study.cells),
        "plan": study.plan,
        "stops": {},
        "expect": study.expect,
        "baseline": study.baseline,
        "projection": list(study.projection) if study.projection else None,
        "notes": list(study.notes),
        **this_program(),
        "continued": [],
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
