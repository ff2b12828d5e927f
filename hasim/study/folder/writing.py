"""The writer of a run folder, alone in it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path

from hasim.study.execution.program import this_program, unlike
from hasim.study.folder.errors import WAYS_ON, FormatError, OtherRunError, StoreError
from hasim.study.folder.lines import (
    CELLS,
    cell_line,
    mend,
    outcome_file,
    outcome_line,
    read_cells,
    read_outcomes,
)
from hasim.study.folder.lock import NAME as LOCK
from hasim.study.folder.manifest import (
    NAME,
    SCENARIO,
    Manifest,
    Session,
    manifest_of,
    now,
    part,
    read_manifest,
)
from hasim.study.folder.places import locked
from hasim.study.planning.outcomes import CellInfo, Outcome
from hasim.study.planning.study import Study

WRITTEN = (NAME, SCENARIO, CELLS)
PARTS = {LOCK, "replications", *WRITTEN[1:], *(part(Path(name)).name for name in WRITTEN)}
"""All that a run which was killed before it had a manifest can have left."""
MOST_OPEN = 64
"""Files that are open at the same time."""
_KEPT = {
    "checked": "checked",
    "journals": "kept as journals",
    "messages": "kept message by message",
}


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
        self._begun: tuple[str, str] | None = None
        self._keys = array("Q", bytes(8 * len(study.cells) if study.find_key else 0))
        study.outcomes.read = self._of_cell
        try:
            _refuse_strangers(path)
            path.mkdir(parents=True, exist_ok=True)
            self._lock = locked(path)
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
        before = self._before()
        if before is not None:
            self._take_up(before)
        begun = manifest_of(self._study)
        if before is not None:
            session = Session(begun.started, begun.commit, begun.versions)
            begun = dataclasses.replace(
                begun, started=before.started, continued=(*before.continued, session)
            )
        self._manifest = begun
        (self.path / "replications").mkdir(exist_ok=True)
        self._begin_cells(before)
        # The manifest knows the scenario by its digest: in between, it is found beside its place.
        scenario = self.path / SCENARIO
        part(scenario).write_text(self._study.resolved, encoding="utf-8", newline="")
        self._write_manifest()
        part(scenario).replace(scenario)

    def _before(self) -> Manifest | None:
        """The manifest of the run that is there, if there is one."""
        if not (self.path / NAME).exists():
            return None
        try:
            return read_manifest(self.path)
        except FormatError as error:
            raise FormatError(f"{error}. {WAYS_ON}") from None

    def _begin_cells(self, before: Manifest | None) -> None:
        """Write down the cells whose keys are known: all of a common study."""
        cells: Iterable[CellInfo] = ()
        if self._study.find_key is None:
            cells = self._study.cells
        elif before is not None and before.plan == self._study.plan:
            cells = list(read_cells(self.path))
            for cell in cells:
                self._keys[cell.index] = int(cell.key, 16)
        # Written anew in any case, since the last line may be torn.
        self._write(CELLS, "".join(map(cell_line, cells)))

    def _named(self, index: int) -> CellInfo:
        """A cell that was begun, with its key; one that was not has none."""
        cell = self._study.cells[index]
        if self._keys and self._keys[index]:
            return dataclasses.replace(cell, key=f"{self._keys[index]:016x}")
        return cell

    def _take_up(self, before: Manifest) -> None:
        """Take over the outcomes and options of the run that is there."""
        different = unlike(before.program, this_program())
        if different:
            raise StoreError(
                f"{self.path}: what is there was simulated by another program: "
                f"{'; '.join(different)}. Results of two programs are not mixed. {WAYS_ON}"
            )
        if before.base != self._study.base:
            raise OtherRunError(str(self.path))
        options = before.options
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
            self._append(CELLS, cell_line(cell))
        for outcome in read_outcomes(self.path, cell):
            if outcome.replication < self._study.most and not outcome.error:
                self._study.add(outcome)
        return cell

    def _of_cell(self, index: int) -> Iterator[Outcome]:
        return read_outcomes(self.path, self._named(index))

    def append(self, outcome: Outcome) -> None:
        """Store one outcome; once, also if it is handed on again since an interrupt came here."""
        cell = self._named(outcome.cell)
        name, line = outcome_file(cell), outcome_line(outcome, cell)
        if self._begun == (name, line) and self._stands(name, line):
            return
        self._begun = name, line
        self._append(name, line)

    def _stands(self, name: str, line: str) -> bool:
        """Whether a file ends with a line; one that was torn is cut off."""
        file = os.open(self.path / name, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            mend(file)
            data, size = line.encode(), os.fstat(file).st_size
            return os.pread(file, len(data), max(0, size - len(data))) == data
        finally:
            os.close(file)

    def _append(self, name: str, line: str) -> None:
        """One line at the end of a file, of which the last few stay open."""
        file = self._files.pop(name, None)
        if file is None:
            file = os.open(self.path / name, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            mend(file)
        self._files[name] = file
        if len(self._files) > MOST_OPEN:
            os.close(self._files.popitem(last=False)[1])
        data = line.encode()
        while data:  # a disk that is nearly full takes a part
            data = data[os.write(file, data) :]

    def finish(self) -> None:
        """Close the files, say in the manifest how the study ended, and let others in.

        Raises OSError if it cannot be said that it is complete. Of one that broke off, the
        manifest then goes on to say that it is running, as after a kill.
        """
        try:
            self._finish()
        except OSError:
            with contextlib.suppress(OSError):
                part(self.path / NAME).unlink()
            if self._study.state == "COMPLETED":
                raise
        finally:
            self._lock.release()

    def _finish(self) -> None:
        while self._files:
            os.close(self._files.popitem()[1])
        outcomes = self._study.outcomes
        self._manifest = dataclasses.replace(
            self._manifest,
            state=self._study.state,
            ended=now(),
            replications_done=len(outcomes) - outcomes.failed,
            violations=outcomes.violations,
            stops={str(cell): stop for cell, stop in sorted(self._study.stops.items())},
        )
        self._write_manifest()

    def _write_manifest(self) -> None:
        self._write(NAME, self._manifest.text())

    def _write(self, name: str, text: str) -> None:
        file = self.path / name
        part(file).write_text(text, encoding="utf-8")
        part(file).replace(file)


def _refuse_strangers(path: Path) -> None:
    """Raise StoreError if a folder holds something, and it is no run."""
    if not path.exists() or (path / NAME).exists():
        return
    if {inside.name for inside in path.iterdir()} - PARTS:
        raise StoreError(f"{path}: not empty; choose another folder for the run")
