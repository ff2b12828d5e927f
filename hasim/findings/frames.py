"""The frames of a run as Parquet: every measure of every replication, and every incident.

``metrics.parquet`` is tidy and long: a row for each cell, replication and measure, with its
unit; durations that were censored count in a mean for as long as they were seen, so that
replications of two cells can be paired. ``incidents.parquet`` has a row for each incident. Both
begin with scenario, number of the cell, a column for each varied setting, replication and seed, so
that frames of several runs can be put together. The unit of a column stands in the field's metadata
under ``unit``; scenario, seed and version in the schema's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hasim.findings.recorded import Recorded
from hasim.findings.tables import metric_rows
from hasim.measures.incidents import Incident
from hasim.report.cells import text
from hasim.study.estimates.summary import values
from hasim.study.folder.errors import StoreError
from hasim.version import __version__

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FRAMES = ("metrics", "incidents")
"""The frames of a run folder, each in a file ``NAME.parquet``."""
ROWS = 50_000
"""Rows that are held in memory and written at once."""
Row = dict[str, Any]
Varied = dict[str, type[int] | type[float] | type[str]]


def write_frames(recorded: Recorded, folder: Path) -> None:
    """Write both frames of a run, cell by cell; each file whole, or not at all.

    Raises OSError if the folder cannot be written, StoreError if an outcome is garbled.
    """
    varied = _varied(recorded)
    schemas = {f"{name}.parquet": _schema(recorded, name, varied) for name in FRAMES}
    writers = [_Writer(folder / file, schema) for file, schema in schemas.items()]
    names = [field.name for field in dataclasses.fields(Incident)]
    try:
        for cell in recorded.study.cells:
            place = {
                "scenario": recorded.name,
                "cell": cell.index,
                **_as_columns(cell.varied, varied),
                "seed": recorded.seed,
            }
            runs = recorded.measured(cell.index)
            for (number, run), found in zip(runs.items(), values(list(runs.values())), strict=True):
                here = {**place, "replication": number}
                writers[0].add({**here, **row} for row in metric_rows(found))
                writers[1].add(
                    {**here, **{name: getattr(incident, name) for name in names}}
                    for incident in run.incidents
                )
        for writer in writers:
            writer.finish()
    finally:
        for writer in writers:
            writer.discard()


def read_frame(path: str | Path, name: str = "metrics") -> pd.DataFrame:
    """The frame of this name in a run folder: ``metrics`` or ``incidents``.

    ``frame.attrs["units"]`` maps each column that has one unit to it (``s``, ...), and
    ``frame.attrs`` also holds scenario, seed and the version of hasim. Raises ValueError for
    another name, StoreError, naming the file, if it is not there or no such frame.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if name not in FRAMES:
        raise ValueError(f"no frame {name!r}; there are {' and '.join(FRAMES)}")
    file = Path(path) / f"{name}.parquet"
    try:
        table = pq.read_table(file)
    except FileNotFoundError:
        raise StoreError(f"{file}: no such file; it is written when a run has ended") from None
    except (OSError, pa.ArrowInvalid) as error:
        raise StoreError(f"{file}: cannot be read: {str(error).splitlines()[0]}") from None
    about = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    if about.get("hasim_frame") != name:
        raise StoreError(f"{file}: not a frame of hasim's {name}")
    frame: pd.DataFrame = table.replace_schema_metadata(None).to_pandas()
    frame.attrs = {
        "scenario": about["scenario"],
        "seed": int(about["seed"]),
        "hasim": about["hasim"],
        "units": {
            field.name: field.metadata[b"unit"].decode()
            for field in table.schema
            if field.metadata and b"unit" in field.metadata
        },
    }
    return frame


class _Writer:
    """Rows into a Parquet file beside its final place, in groups of `ROWS`."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self._path, self._schema = path, schema
        self._partial = path.with_name(f"{path.name}.part")
        self._file: Any = pq.ParquetWriter(self._partial, schema, compression="zstd")
        self._rows: list[Row] = []

    def add(self, rows: Iterator[Row]) -> None:
        self._rows += rows
        while len(self._rows) >= ROWS:
            self._flush(ROWS)

    def _flush(self, count: int) -> None:
        import pyarrow as pa

        table = pa.Table.from_pylist(self._rows[:count], schema=self._schema)
        self._file.write_table(table, row_group_size=ROWS)
        del self._rows[:count]

    def finish(self) -> None:
        if self._rows:
            self._flush(len(self._rows))
        self._file.close()
        self._partial.replace(self._path)

    def discard(self) -> None:
        """Leave nothing behind; harmless after `finish`."""
        self._file.close()
        self._partial.unlink(missing_ok=True)


# -- schemas -------------------------------------------------------------------------


def _schema(recorded: Recorded, name: str, varied: Varied) -> pa.Schema:
    """The columns of a frame with their types and units; the same for the same plan."""
    import pyarrow as pa

    word = pa.dictionary(pa.int32(), pa.string())
    kinds = {int: pa.int64(), float: pa.float64(), str: word}
    varied_columns = [(path, kinds[kind], "") for path, kind in varied.items()]
    columns = [("scenario", word, ""), ("cell", pa.int64(), ""), *varied_columns]
    columns += [("replication", pa.int64(), ""), ("seed", pa.int64(), "")]
    if name == "metrics":
        columns += [("measure", word, ""), ("value", pa.float64(), ""), ("unit", word, "")]
    else:
        columns += [_column(field) for field in dataclasses.fields(Incident)]
    about = {
        "hasim_frame": name,
        "scenario": recorded.name,
        "seed": str(recorded.seed),
        "hasim": __version__,
    }
    fields = [pa.field(n, kind, metadata={"unit": u} if u else None) for n, kind, u in columns]
    return pa.schema(fields, metadata=about)


def _column(field: dataclasses.Field[Any]) -> tuple[str, pa.DataType, str]:
    import pyarrow as pa

    word = pa.dictionary(pa.int32(), pa.string())
    if field.name.endswith("_s"):
        return field.name, pa.float64(), "s"
    return field.name, {"int": pa.int64(), "str": word}[str(field.type)], ""


def _varied(recorded: Recorded) -> Varied:
    """What the column of each varied setting holds: numbers, if all of its values are some."""
    found: dict[str, set[type]] = {}
    for cell in recorded.study.cells:
        for path, value in cell.varied.items():
            found.setdefault(path, set()).add(type(value))
    return {
        path: int if kinds == {int} else float if kinds <= {int, float} else str
        for path, kinds in found.items()
    }


def _as_columns(values: Mapping[str, Any], varied: Varied) -> Row:
    return {path: text(value) if varied[path] is str else value for path, value in values.items()}
