"""One replication of one cell: simulated, checked, measured, and kept as far as is asked for."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
import os
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hasim import stored
from hasim.journal import Journal
from hasim.measures import measure
from hasim.scenario import sent
from hasim.simulation.run import collector_paused, simulate
from hasim.study.folder.errors import FULL
from hasim.study.planning.keys import key_of
from hasim.study.planning.outcomes import CellInfo, Outcome
from hasim.truth import MessageRecord

if TYPE_CHECKING:
    from hasim.scenario.loader import Loaded

UNWRITTEN = "cannot write: "
"""How the error of an outcome begins whose files the disk did not take."""


def simulate_cell(
    loaded: Loaded,
    cell: int,
    replication: int,
    *,
    messages: bool = False,
    keep: Path | None = None,
) -> Journal:
    """The journal of one replication; the same for the same scenario, seed and replication.

    It is appended to the file `keep` meanwhile, if one is named.
    """
    point = loaded.cells[cell]
    return simulate(
        point.world,
        loaded.recorded_of(point),
        seed=loaded.scenario.seed,
        replication=replication,
        scenario=loaded.scenario.name,
        cell=dict(point.varied),
        messages=messages or loaded.scenario.include_messages,
        keep=keep,
    )


@dataclass(frozen=True)
class Replicate:
    """The work of a worker: simulate, check, measure, and keep what is asked for.

    An exception becomes an outcome with `error`, so that the study can say
    which replication it was, on whichever process it happened. `cells` give their
    files the names. `traces` is what is in the files of traces, for workers that
    may not see them.
    """

    loaded: Loaded
    check: bool = False
    journals: Path | None = None
    messages: Path | None = None
    cells: Sequence[CellInfo] = ()
    traces: Mapping[str, bytes] = field(default_factory=dict)

    def __call__(self, cell: int, replication: int) -> Outcome:
        """Do one replication of one cell."""
        with collector_paused():
            return self._outcome(cell, replication)

    def _outcome(self, cell: int, replication: int) -> Outcome:
        started = time.perf_counter()
        try:
            sent.use(self.traces)
            journal = self._simulated(cell, replication)
            own = self.loaded.scenario.invariants
            violations = broken(journal, own) if self.check else ()
            measured = measure(journal).to_plain()
        except Exception as raised:
            error = traceback.format_exc()
            if isinstance(raised, OSError) and raised.errno in FULL:
                error = f"{UNWRITTEN}{raised.strerror}"
            return Outcome(cell, replication, time.perf_counter() - started, None, (), error)
        return Outcome(cell, replication, time.perf_counter() - started, measured, violations)

    def _simulated(self, cell: int, replication: int) -> Journal:
        """The journal; it and the messages are kept if they are asked for."""
        messages = self.messages is not None
        if self.journals is None:
            journal = simulate_cell(self.loaded, cell, replication, messages=messages)
        else:
            file = self.journals / f"{self._stem(cell, replication)}.jsonl.gz"
            partial = part(file)
            journal = simulate_cell(self.loaded, cell, replication, messages=messages, keep=partial)
            partial.replace(file)
        if self.messages is not None:
            file = self.messages / f"{self._stem(cell, replication)}.csv.gz"
            write_messages(journal, part(file))
            part(file).replace(file)
        return journal

    def _stem(self, cell: int, replication: int) -> str:
        return file_stem(self._keyed(cell), replication)

    def _keyed(self, cell: int) -> CellInfo:
        """A cell with its key, which names its files."""
        info, loaded = self.cells[cell], self.loaded
        key = info.key or key_of(loaded.cells[cell].world, loaded.scenario.seed)
        return dataclasses.replace(info, key=key)


def part(file: Path) -> Path:
    """Where this process writes a file before it is moved to its place, whole."""
    return file.with_name(f".part-{os.getpid()}-{file.name}")


def file_stem(cell: CellInfo, replication: int) -> str:
    """How the files of one replication are named in a run folder."""
    return f"{cell.stem}-replication-{replication:04}"


def broken(journal: Journal, own: Sequence[str] = ()) -> tuple[str, ...]:
    """The invariants that a journal breaks, in words; empty if all hold, and a scenario's own."""
    from hasim.oracle import check  # forty modules, which only a checked run needs
    from hasim.oracle.statements import with_stated

    return tuple(map(str, check(journal, with_stated(own))))


def write_messages(journal: Journal, path: Path) -> None:
    """Every message of a journal as one row of a gzipped CSV file."""
    # mtime 0: the same messages give the same bytes.
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as out,
    ):
        rows = csv.DictWriter(
            out, [f.name for f in dataclasses.fields(MessageRecord)], lineterminator="\n"
        )
        rows.writeheader()
        for _, message in journal.of(MessageRecord):
            row = dataclasses.asdict(message)
            rows.writerow({n: _harmless(v) if isinstance(v, str) else v for n, v in row.items()})


def _harmless(text: str) -> str:
    """A name that cannot act in a terminal or a spreadsheet (as `hasim.report.visible` has it)."""
    shown = stored.printable(text)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) and len(shown) > 1 else shown
