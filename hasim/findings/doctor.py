"""Whether hasim works here: interpreter, libraries, both data planes, files, the terminal."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from packaging.requirements import Requirement

from hasim.report.finding import Finding
from hasim.report.sheet import Column, Field, Mood, Paper, Sheet, Value
from hasim.units import SIZE_UNITS

Verdict = Literal["fine", "warning", "bad"]
MOODS: Mapping[Verdict, Mood] = {"fine": "good", "warning": "open", "bad": "bad"}
GIB = SIZE_UNITS["GiB"]
LITTLE_MEMORY, LITTLE_DISK = 2 * GIB, GIB // 2
"""Less of either is told: a study on several cores takes about 300 MiB a process."""
OLDEST = (3, 11)
"""The oldest Python that hasim runs on."""
TRIAL: Mapping[str, Any] = {
    "name": "trial",
    "horizon": "60s",
    "masters": [{"id": "a"}, {"id": "b", "priority": 2}],
    "traffic": {"arrivals": {"law": "poisson", "rate": "20/s"}, "retry": {"attempts": 2}},
    "faults": [{"kind": "crash", "target": "a", "at": "10s", "for": "20s"}],
    "detection": {"interval": "2s"},
}
"""What both data planes simulate, message by message."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what was found, and what to do about it."""

    name: str
    found: str
    verdict: Verdict = "fine"
    advice: str = ""


@dataclass(frozen=True)
class Health(Finding):
    """What `hasim doctor` found: whether hasim works here."""

    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of all checks."""
        found = {check.verdict for check in self.checks}
        return next((v for v in ("bad", "warning") if v in found), "fine")

    def paper(self, *, brief: bool = False) -> Paper:
        """A row for each check, and what to do."""
        rows: list[list[Value]] = [
            [check.name, Field(check.verdict, mood=MOODS[check.verdict]), check.found]
            for check in self.checks
        ]
        said = [f"{check.name}: {check.advice}" for check in self.checks if check.advice]
        text = {
            "fine": "hasim works here.",
            "warning": "hasim works here; see the warnings.",
            "bad": "hasim does not work here as it should.",
        }[self.verdict]
        sheet = Sheet([*map(Column, ("what", "verdict", "found"))], rows, said=said)
        return Paper([sheet], headline=Field(text, mood=MOODS[self.verdict]))

    def plain(self) -> dict[str, Any]:
        """Each check as plain data, and the worst verdict."""
        checks = [
            {"name": c.name, "found": c.found, "verdict": c.verdict, "advice": c.advice}
            for c in self.checks
        ]
        return {"verdict": self.verdict, "checks": checks}


def examine() -> Health:
    """Look at everything. What fails is a check that is bad, with what it raised."""
    looks: Mapping[str, Callable[[], Check]] = {
        "python": _python,
        "hasim": _hasim,
        "libraries": _libraries,
        "dask": _dask,
        "cores": _cores,
        "memory": _memory,
        "files": _files,
        "scenarios": _scenarios,
        "data planes": _planes,
        "terminal": _terminal,
    }
    return Health(tuple(_tried(name, look) for name, look in looks.items()))


def _tried(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except Exception as error:
        return Check(name, f"{type(error).__name__}: {error}", "bad", "This must not happen.")


def _python() -> Check:
    found = f"{platform.python_implementation()} {platform.python_version()}, {sys.platform}"
    if sys.version_info < OLDEST:
        return Check("python", found, "bad", "Python 3.11 or later is needed.")
    return Check("python", found)


def _hasim() -> Check:
    from hasim.study.execution.program import commit, sources
    from hasim.version import __version__

    made_of = [f"sources {sources()}"]
    if known := commit():
        made_of.append(f"commit {known[:12]}{'+' * known.endswith('+')}")
    return Check("hasim", f"{__version__} in {Path(__file__).parents[1]} ({', '.join(made_of)})")


def _libraries() -> Check:
    wanted = [one for one in map(Requirement, _requirements()) if _is_needed(one)]
    found, wrong = [], []
    for one in wanted:
        try:
            version = metadata.version(one.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{one} (missing)")
            continue
        found.append(f"{one.name} {version}")
        if not one.specifier.contains(version, prereleases=True):
            wrong.append(f"{one} (there is {version})")
    if wrong:
        advice = f"pip install {' '.join(repr(text.partition(' (')[0]) for text in wrong)}"
        return Check("libraries", f"wanted: {', '.join(wrong)}", "bad", advice)
    return Check("libraries", ", ".join(found))


def _requirements() -> Iterator[str]:
    """What the distribution requires; of a checkout that is not installed, what it would."""
    project = Path(__file__).parents[2] / "pyproject.toml"
    if project.exists():
        yield from tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    else:
        yield from metadata.requires("hasim") or ()


def _is_needed(one: Requirement) -> bool:
    return one.marker is None or one.marker.evaluate({"extra": ""})


def _dask() -> Check:
    try:
        return Check("dask", f"distributed {metadata.version('distributed')}")
    except metadata.PackageNotFoundError:
        return Check("dask", "not installed; --dask takes pip install 'hasim[dask]'")


def _cores() -> Check:
    from hasim.study.execution.executor import default_jobs

    cores, quota = default_jobs(), _quota()
    if quota is not None and quota < cores:
        advice = f"So many processes would wait for each other: give --jobs {max(1, int(quota))}."
        return Check("cores", f"{cores}, of which the time of {quota:.2g}", "warning", advice)
    return Check("cores", f"{cores}; so many processes run a study unless --jobs says otherwise")


def _quota() -> float | None:
    """The cores that a container may use the time of, where Linux says so (cgroup v2)."""
    try:
        most, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return None if most == "max" else int(most) / int(period)
    except (OSError, ValueError):
        return None


def _memory() -> Check:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, AttributeError, OSError):
        return Check("memory", "unknown")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")
        size = min(size, int(limit))
    except (OSError, ValueError):
        pass
    found = f"{size / GIB:.1f} GiB"
    if size < LITTLE_MEMORY:
        return Check("memory", found, "warning", "Give --jobs 1 if a study is killed.")
    return Check("memory", found)


def _files() -> Check:
    from hasim.study.folder.places import RUNS

    here = Path.cwd()
    free = shutil.disk_usage(here).free
    found = f"runs go to {here / RUNS}; {free / GIB:.1f} GiB are free"
    try:
        with tempfile.TemporaryFile(dir=here):
            pass
    except OSError as error:
        advice = "Change to a folder that can be written, or give --out."
        return Check("files", f"{here}: {error.strerror}", "bad", advice)
    if free < LITTLE_DISK:
        return Check("files", found, "warning", "A run folder takes a few MiB, journals far more.")
    return Check("files", found)


def _scenarios() -> Check:
    from hasim.scenario.catalogue import shipped
    from hasim.scenario.loader import load

    found = shipped()
    for path in found.values():
        load(path)
    if not found:
        return Check("scenarios", "none", "bad", "The package is not whole: install it again.")
    return Check("scenarios", f"{len(found)} shipped, all valid")


def _planes() -> Check:
    from hasim.scenario.loader import from_data
    from hasim.study.execution.replication import simulate_cell
    from hasim.study.gate.fingerprint import fingerprint

    prints, messages = [], []
    for plane in ("compiled", "reference"):
        journal = simulate_cell(from_data({**TRIAL, "data_plane": plane}), 0, 0, messages=True)
        prints.append(fingerprint(journal))
        messages.append([record.body for record in journal.records if record.lane == "truth"])
    if prints[0] != prints[1] or messages[0] != messages[1]:
        advice = "Write `data_plane: reference` in scenarios, and report the version of numba."
        return Check("data planes", "the compiled one differs from the reference", "bad", advice)
    return Check("data planes", "the compiled one equals the reference, message by message")


def _terminal() -> Check:
    from hasim.report.forms.terminal import console

    out = console()
    colours = "colours" if out.color_system and not out.no_color else "no colours"
    found = f"{out.width} columns, {out.encoding}, {colours}"
    if not out.encoding.lower().startswith("utf"):
        advice = "Names beyond ASCII may not be shown: set PYTHONUTF8=1."
        return Check("terminal", found, "warning", advice)
    return Check("terminal", found)
