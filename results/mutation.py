"""Mutants of the services that no test notices: `python results/mutation.py` (hours of one core).

mutmut changes `hasim/services` one place at a time, in a copy below `.mutation/`, and runs for each
change the tests nearest to it that pass through the changed function. It goes on where the last
call stopped (`--budget 20m`), takes some files only (`--files 'hasim/services/failover/*'`), and
tries again what survived when tests were added (`--again`). It needs what
`pip install '.[test,mutation]'` brings.

What was found is kept in `results/mutation.json`, with a reason for each survivor that was looked
at: written there by hand, and kept as long as the change reads the same. `--render` only writes
the table anew; `--least 85` ends with exit code 1 if a file that is done has a smaller share.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from hasim.units import SECOND, parse_duration

ROOT = Path(__file__).resolve().parents[1]
TREES = ROOT / ".mutation"
KEPT = ROOT / "results" / "mutation.json"
PAGE = ROOT / "results" / "mutation.md"
HEAD = """# Mutants of the services

Command: `python results/mutation.py` goes on where the last call stopped; `--files` names some,
`--budget` says how long. mutmut changes one place at a time and runs the tests nearest to it.

*Killed*: a test fails, or never ends. *Reworded*: what survived changes no more than a text for
people, which no test holds to the letter. *Same*: looked at, and it changes nothing that anybody
can see; the reasons are below. *Share* is of killed among all but those two; *plain*, among all.
Functions with a decorator, and what is outside of functions, are not changed.

"""
REWORDED = "wording"
"""The reason, or its first word, of a survivor that changes only a text for people."""


@dataclass(frozen=True)
class Area:
    """Files that the same tests are nearest to."""

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]


SERVICES, TESTS = "hasim/services", "tests/services"
AREAS = (
    Area(
        "orders",
        tuple(f"{SERVICES}/failover/{n}.py" for n in ("lifecycle", "orders", "answers")),
        (
            f"{TESTS}/test_operators.py",
            *(f"{TESTS}/failover/test_{n}.py" for n in ("lifecycle", "orders", "answers")),
            *(f"{TESTS}/failover/test_{n}.py" for n in ("block", "selection", "switchover")),
        ),
    ),
    Area(
        "failover",
        (f"{SERVICES}/failover/*",),
        (f"{TESTS}/failover", f"{TESTS}/test_operators.py"),
    ),
    Area("door", (f"{SERVICES}/door.py",), (f"{TESTS}/test_door.py",)),
    Area(
        "court",
        tuple(f"{SERVICES}/detection/{n}.py" for n in ("verdicts", "court", "health")),
        tuple(f"{TESTS}/detection/test_{n}.py" for n in ("verdicts", "detection", "flapping")),
    ),
    Area(
        "detection",
        (f"{SERVICES}/detection/*", f"{SERVICES}/agenda.py"),
        (f"{TESTS}/detection", f"{TESTS}/test_agenda.py"),
    ),
    Area("gateway", (f"{SERVICES}/gateway/*",), (f"{TESTS}/gateway",)),
    Area("balancing", (f"{SERVICES}/balancing/*",), (f"{TESTS}/balancing",)),
    Area("monitoring", (f"{SERVICES}/monitoring/*",), (f"{TESTS}/monitoring",)),
    Area("leadership", (f"{SERVICES}/leadership/*",), (f"{TESTS}/leadership",)),
    Area("routing", (f"{SERVICES}/routing/*",), (f"{TESTS}/routing",)),
    Area("whole", (f"{SERVICES}/*.py",), tuple(f"{TESTS}/test_{n}.py" for n in (
        "accession", "control_plane", "frozen", "whole_machine"))),
)  # fmt: skip
"""The first whose pattern fits has the file; in the order in which they are run."""
FIRST = ("lifecycle", "orders", "answers", "door", "verdicts", "court")
"""The files that are run before all others, by name: what would cost most if it were wrong."""


def area_of(file: str) -> Area:
    """The area that has a file."""
    return next(a for a in AREAS if any(fnmatch.fnmatch(file, each) for each in a.files))


def all_files() -> list[str]:
    """All files of the services that hold something to change, the most important first."""
    found = sorted(str(path.relative_to(ROOT)) for path in (ROOT / SERVICES).rglob("*.py"))
    names = [area.name for area in AREAS]
    return sorted(
        (file for file in found if not file.endswith("__init__.py")),
        key=lambda file: (
            FIRST.index(Path(file).stem) if Path(file).stem in FIRST else len(FIRST),
            names.index(area_of(file).name),
        ),
    )


# -- running mutmut ----------------------------------------------------------------


def tree(area: Area) -> Path:
    """A folder in which mutmut changes the files of an area: links to this tree, settings."""
    folder = TREES / area.name
    folder.mkdir(parents=True, exist_ok=True)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    mutmut = settings["mutmut"]
    for name in (*mutmut["source_paths"], *mutmut["also_copy"], "tests"):
        link = folder / name
        if not link.is_symlink():
            link.symlink_to(ROOT / name)
    chosen = {**mutmut, "only_mutate": area.files, "pytest_add_cli_args_test_selection": area.tests}
    told = {"pytest.ini_options": settings["pytest"]["ini_options"], "mutmut": chosen}
    lines: list[str] = []
    for part, values in told.items():  # JSON's lists, texts, numbers and truths are TOML's
        lines += [f"[tool.{part}]", *(f"{key} = {json.dumps(v)}" for key, v in values.items())]
    text = "\n".join(lines) + "\n"
    if not (folder / "pyproject.toml").exists() or (folder / "pyproject.toml").read_text() != text:
        (folder / "pyproject.toml").write_text(text)
    return folder


def called(
    folder: Path,
    *args: str,
    seconds: float | None = None,
    program: Sequence[str] = ("-m", "mutmut"),
) -> tuple[int | None, str]:
    """Exit code and output of mutmut; no code if its time was over, which loses nothing."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    with subprocess.Popen(
        [sys.executable, *program, *args],
        cwd=folder, env=environment, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            return _ended(process, seconds)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _ended(process: subprocess.Popen[str], seconds: float | None) -> tuple[int | None, str]:
    try:
        out, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            out, _ = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, _ = process.communicate()
        return None, out
    return process.returncode, out


def _module(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def verdicts(folder: Path, file: str) -> dict[str, str]:
    """What became of each mutant of a file, by its name."""
    module = _module(file)
    _, out = called(folder, "results", "--all", "true")
    said = re.findall(r"^ +(\S+): (.+)$", out, re.MULTILINE)
    return {name: became for name, became in said if name.rpartition(".")[0] == module}


def changes(folder: Path, names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """By mutant, what its function had, and what the mutant has instead."""
    shown = "import sys; from mutmut.__main__ import cli as c\nfor n in sys.argv[1:]: "
    shown += "c(['show', n], standalone_mode=False)"
    _, out = called(folder, *names, program=("-c", shown))
    found: dict[str, tuple[str, str]] = {}
    for text in re.split(r"^# (?=\S+: )", out, flags=re.MULTILINE)[1:]:
        head, *body = text.splitlines()
        body = [line for line in body if not line.startswith(("---", "+++"))]
        was, becomes = ([x[1:].strip() for x in body if x.startswith(sign)] for sign in "-+")
        found[head.partition(": ")[0]] = ("\n".join(was), "\n".join(becomes))
    return found


def run(area: Area, files: Sequence[str], seconds: float | None, again: bool) -> str:
    """Run what is not decided of an area's files; an empty text, or why it was not finished."""
    folder = tree(area)
    decided = {file: verdicts(folder, file) for file in files}
    asked: list[str] = []
    for file, of in decided.items():
        if of:
            asked += [name for name, became in of.items() if _is_open(became, again)]
        else:
            asked.append(f"{_module(file)}.*")
    code: int | None = 0
    out = ""
    if asked:
        code, out = called(folder, "run", "--max-children", "1", *asked, seconds=seconds)
    for file in files:
        note(file, folder)
    if code is None:
        return "time is over"
    return "" if code == 0 else out[-2000:]


def _is_open(became: str, again: bool) -> bool:
    unsure = ("not checked", "check was interrupted by user", "suspicious")
    return became in unsure or (again and became in ("survived", "no tests"))


# -- what is kept ------------------------------------------------------------------


def kept() -> dict[str, Any]:
    """What was found so far, by file."""
    return dict(json.loads(KEPT.read_text("utf-8"))) if KEPT.exists() else {}


def digest(file: str) -> str:
    """A short name of a file's content."""
    return hashlib.sha256((ROOT / file).read_bytes()).hexdigest()[:16]


def note(file: str, folder: Path) -> None:
    """Write down what became of a file's mutants; reasons that were given stay."""
    found = kept()
    before = found.get(file, {})
    reasons = {
        (each["in"], each["was"], each["becomes"]): each["reason"]
        for each in before.get("survivors", ())
    }
    same = before.get("digest") == digest(file)
    known = {each["mutant"]: each for each in before.get("survivors", ()) if same}
    now = verdicts(folder, file)
    survivors = []
    left = [name for name, became in now.items() if became in ("survived", "no tests")]
    unknown = [name for name in left if name.rpartition(".")[2] not in known]
    shown = changes(folder, unknown) if unknown else {}
    for name in left:
        mutant, became = name.rpartition(".")[2], now[name]
        if mutant in known:
            survivors.append({**known[mutant], "untested": became == "no tests"})
            continue
        was, becomes = shown[name]
        place = re.sub(r"__mutmut_\d+$", "", mutant).removeprefix("x").strip("ǁ_")
        where = place.replace("ǁ", ".")
        reason = reasons.get((where, was, becomes), "")
        survivors.append(
            {"mutant": mutant, "in": where, "was": was, "becomes": becomes,
             "untested": became == "no tests", "reason": reason}
        )  # fmt: skip
    killed = [b for b in now.values() if b in ("killed", "timeout", "segfault")]
    found[file] = {
        "digest": digest(file),
        "mutants": len(now),
        "killed": len(killed),
        "open": len(now) - len(killed) - len(survivors),
        "survivors": survivors,
    }
    text = json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True)
    KEPT.write_text(text + "\n", encoding="utf-8")


def finished(file: str, found: dict[str, Any]) -> bool:
    """Whether all mutants of a file, as it stands, are decided."""
    return file in found and found[file]["digest"] == digest(file) and not found[file]["open"]


# -- the page ----------------------------------------------------------------------


def counted(row: dict[str, Any]) -> dict[str, int]:
    """The survivors of a file by what was said of them."""
    reasons = [each["reason"] for each in row["survivors"]]
    worded = sum(reason.startswith(REWORDED) for reason in reasons)
    return {
        "reworded": worded,
        "same": sum(bool(reason) for reason in reasons) - worded,
        "open": sum(not reason for reason in reasons),
    }


def share(row: dict[str, Any]) -> float:
    """Killed among the decided mutants that change something, in percent."""
    left = counted(row)["open"]
    return 100 * row["killed"] / (row["killed"] + left) if row["killed"] + left else 100.0


def page(found: dict[str, Any]) -> str:
    """The table of all files that were begun, and the survivors that were looked at."""
    lines = [
        "| file | mutants | not run | killed | survived | reworded | same | share | plain |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    files = [file for file in all_files() if file in found]
    rows = [found[file] for file in files]
    total: dict[str, Any] = {key: sum(row[key] for row in rows) for key in ("mutants", "killed")}
    total["open"] = sum(row["open"] for row in rows)
    total["survivors"] = [each for row in rows for each in row["survivors"]]
    for name, row in [*zip(files, rows, strict=True), ("together", total)]:
        left, decided = counted(row), row["mutants"] - row["open"]
        of_open = f"{share(row):.1f} %" if decided else ""
        plain = f"{100 * row['killed'] / decided:.1f} %" if decided else ""
        stale = "digest" in row and row["digest"] != digest(name)
        title = name.removeprefix(f"{SERVICES}/") + " (changed since)" * stale
        lines.append(
            f"| {title} | {row['mutants']:,} | {row['open']:,} | {row['killed']:,} "
            f"| {len(row['survivors']):,} | {left['reworded']:,} | {left['same']:,} "
            f"| {of_open} | {plain} |"
        )
    missing = [file for file in all_files() if file not in found]
    lines += ["", f"{len(missing)} of {len(all_files())} files were not run yet.", ""]
    return HEAD + "\n".join(lines) + "\n".join(_reasons(files, found)) + "\n"


def _reasons(files: Iterable[str], found: dict[str, Any]) -> list[str]:
    seen, unseen = list[str](), list[str]()
    for file in files:
        for each in found[file]["survivors"]:
            if not each["reason"].startswith(REWORDED):
                where = f"- `{file}`, `{each['in']}`"
                note = f": {each['reason']}" if each["reason"] else ""
                lines = [where + note, "", "  ```diff"]
                lines += [f"  - {line}" for line in each["was"].splitlines()]
                lines += [f"  + {line}" for line in each["becomes"].splitlines()]
                (seen if note else unseen).extend([*lines, "  ```", ""])
    parts = (("Survivors that were looked at", seen), ("Not looked at yet", unseen))
    return [line for title, lines in parts for line in ("", f"## {title}", "", *lines) if lines]


def main() -> int:
    """Run what is wanted; 1 if too many mutants of a file survived."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--files", nargs="+", default=["*"], help="patterns of files")
    options.add_argument("--budget", help="for how long, as in 20m; else to the end")
    options.add_argument("--again", action="store_true", help="survivors too: tests were added")
    options.add_argument("--render", action="store_true", help="only write the page anew")
    options.add_argument("--least", type=float, default=0.0, help="share of killed in percent")
    told = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # mutmut does not outlive this
    until = None if told.budget is None else time.monotonic() + parse_duration(told.budget) / SECOND
    chosen = [f for f in all_files() if any(fnmatch.fnmatch(f, each) for each in told.files)]
    if not chosen:
        options.error(f"no file of {SERVICES} is like {' '.join(told.files)}")
    by_area: dict[Area, list[str]] = {}
    for file in [] if told.render else chosen:
        if told.again or not finished(file, kept()):
            by_area.setdefault(area_of(file), []).append(file)
    for area, files in by_area.items():
        left = None if until is None else until - time.monotonic()
        if left is not None and left <= 0:
            break
        why = run(area, files, left, told.again)
        for file in files:
            row = kept()[file]
            sys.stdout.write(f"{file}: {row['killed']} of {row['mutants']} killed {why}\n")
        sys.stdout.flush()
    found = kept()
    PAGE.write_text(page(found), encoding="utf-8")
    low = [f for f in chosen if finished(f, found) and share(found[f]) < told.least]
    for file in low:
        sys.stdout.write(f"{file}: only {share(found[file]):.1f} % killed\n")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
