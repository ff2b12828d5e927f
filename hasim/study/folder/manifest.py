"""The manifest of a run folder: what was asked, which program made it, how it ended."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from hasim import stored
from hasim.scenario.replications import Sequential
from hasim.settings import ANY, count, plain
from hasim.settings.validation import SettingsError, from_plain
from hasim.stored import StoredError
from hasim.study.execution.program import named, this_program
from hasim.study.folder.errors import FormatError, StoreError
from hasim.study.planning.stopping import Stop
from hasim.study.planning.study import Options, State, Study

NAME = "manifest.json"
SCENARIO = "scenario.yaml"
FORMAT = 7
"""What is written and read. Format 1 named the cells by their numbers, 2 had them in its manifest,
3 did not say which sources had made it, 4 had no digests, and 5 knew latencies by buckets alone."""
Count = Annotated[int, count("How many there are.", least=0, most=ANY)]


@dataclass(frozen=True, slots=True)
class Session:
    """When a run was continued, and by which program."""

    __pydantic_config__ = stored.STRICT
    at: str
    commit: str | None
    versions: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What stands in manifest.json; times are in UTC, in ISO 8601.

    `replications` is a number or the rule that ends a cell, `scenario_digest` that of
    scenario.yaml. The rest is as in `hasim.study.planning.study.Study`, and as
    `hasim.study.execution.program.this_program` tells of a program.
    """

    __pydantic_config__ = stored.STRICT
    hasim_run: int
    scenario: str
    scenario_digest: str
    state: State
    started: str
    ended: str | None
    seed: Count
    replications: Count | dict[str, Any]
    replications_done: Count
    violations: Count
    checked: bool
    journals: bool
    messages: bool
    base: str
    cells: Count
    plan: str
    stops: dict[str, Stop]
    expect: dict[str, str]
    baseline: dict[str, Any]
    projection: tuple[Count, Count] | None
    notes: tuple[str, ...]
    sources: str
    commit: str | None
    versions: dict[str, str]
    continued: tuple[Session, ...] = ()

    @property
    def options(self) -> Options:
        """What the run does with each replication."""
        return Options(self.checked, self.journals, self.messages)

    @property
    def program(self) -> dict[str, Any]:
        """The program that made the run, as `this_program` tells of it."""
        return {"sources": self.sources, "commit": self.commit, "versions": self.versions}

    def rule(self) -> int | Sequential:
        """How many replications each cell has. Raises SettingsError for a rule that is none."""
        written = self.replications
        return from_plain(Sequential, written) if isinstance(written, dict) else written

    def text(self) -> str:
        """The file, which ends in a digest of all of it."""
        return json.dumps(stored.sealed(dataclasses.asdict(self)), indent=2) + "\n"


def manifest_of(study: Study) -> Manifest:
    """The manifest of a study that begins now."""
    return Manifest(
        hasim_run=FORMAT,
        scenario=study.name,
        scenario_digest=stored.digest(study.resolved.encode()),
        state="RUNNING",
        started=now(),
        ended=None,
        seed=study.seed,
        replications=plain(study.replications),
        replications_done=0,
        violations=0,
        **dataclasses.asdict(study.options),
        base=study.base,
        cells=len(study.cells),
        plan=study.plan,
        stops={},
        expect=study.expect,
        baseline=study.baseline,
        projection=study.projection,
        notes=study.notes,
        **this_program(),
    )


def now() -> str:
    """The time of day, as it stands in a manifest."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def read_manifest(path: Path) -> Manifest:
    """The manifest of the run in a folder.

    Raises StoreError if there is none, or not what was written, and FormatError if it is of
    another format.
    """
    data, file = manifest_in(path), path / NAME
    found = data["hasim_run"]
    if found != FORMAT or isinstance(found, bool):
        writer = f"{named(data)}, which wrote it," if named(data) else "what wrote it"
        raise FormatError(
            f"{file}: a run of format {found!r:.20}, of which this hasim reads {FORMAT} alone; "
            f"{writer} can read it"
        )
    try:
        manifest = stored.of_form(Manifest, stored.unsealed(data))
        began_at(manifest.started)
        if not manifest.replications:
            raise StoredError("must be at least 1, got 0", field="replications")
        manifest.rule()
    except StoredError as error:
        raise StoreError(f"{file}: {error}") from None
    except SettingsError as error:
        raise StoreError(f"{file}: replications: {error}") from None
    return manifest


def began_at(written: Any) -> datetime:
    """The time at which a run began, in local time. Raises StoredError for what is none."""
    try:
        return datetime.fromisoformat(written).astimezone()
    except (TypeError, ValueError, OverflowError):
        raise StoredError("expected a time such as 2025-01-31T23:59:59+00:00", "started") from None


def manifest_in(path: Path) -> dict[str, Any]:
    """The manifest of a run of whatever format. Raises StoreError if there is none."""
    file = path / NAME
    try:
        manifest = stored.plain(stored.content(file))
    except (FileNotFoundError, NotADirectoryError):
        what = "it has no manifest.json" if path.is_dir() else "it is no folder"
        what = what if path.exists() else "it does not exist"
        raise StoreError(f"{path}: no folder of a hasim run ({what})") from None
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from None
    except StoredError as error:
        raise StoreError(f"{file}: {error}") from None
    if not isinstance(manifest, dict) or "hasim_run" not in manifest:
        raise StoreError(f"{file}: not the manifest of a hasim run (it has no hasim_run)")
    return manifest


def read_scenario(path: Path, manifest: Manifest, *, settle: bool = False) -> str:
    """The scenario of a run, as it was written there. Raises StoreError.

    A process that was killed just after it wrote the manifest has left the scenario beside its
    place, under the name of `part`; to `settle` is to move it there.
    """
    file = path / SCENARIO
    for place in (file, part(file)):
        try:
            found = stored.content(place)
        except FileNotFoundError:
            continue
        except (OSError, StoredError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise StoreError(f"{place}: cannot be read: {reason}") from None
        if stored.digest(found) == manifest.scenario_digest:
            if settle and place != file:
                place.replace(file)
            return found.decode()
    if not file.exists():
        raise StoreError(f"{file}: no such file")
    raise StoreError(
        f"{file}: was changed after it had been written (run a changed scenario into a folder of "
        "its own)"
    )


def part(file: Path) -> Path:
    """Where a file is written before it is moved to its place."""
    return file.with_name(f"{file.name}.part")
