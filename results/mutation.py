"""Mutants of the services that no test notices: `python results/mutation.py` (hours of one core).

mutmut changes `hasim/services` one place at a time, in a copy below `.mutation/`; for each change
the tests of the services that pass through the changed function are run, in a process that is
forked off one that has loaded everything (`results/mutants.py`). It goes on where the last call
stopped (`--budget 20m`), takes some files only (`--files 'hasim/services/failover/*'`), and tries
again what survived when tests were added (`--again`). Of a file that has changed, only the changed
functions are run anew. It needs what `pip install '.[test,mutation]'` brings.

What was found is kept in `results/mutation.json`, with a reason for each survivor that was looked
at: written there by hand, and kept as long as the change reads the same. `--render` only writes
the table anew; `--least 85` ends with exit code 1 if a file that is done has a smaller share.
"""

from __future__ import annotations

import argparse
import difflib
import fnmatch
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from hasim.units import SECOND, parse_duration

ROOT = Path(__file__).resolve().parents[1]
TREE = ROOT / ".mutation"
LOG = TREE / "verdicts.jsonl"
KEPT = ROOT / "results" / "mutation.json"
PAGE = ROOT / "results" / "mutation.md"
HEAD = """# Mutants of the services

Command: `python results/mutation.py` goes on where the last call stopped; `--files` names some,
`--budget` says how long. mutmut changes one place at a time; a mutant meets the tests of
`tests/services` that pass through the changed function, those that killed its neighbours first,
then the fastest, until they have taken {most:g} s.

*Killed*: a test fails, or never ends. *Reworded*: what survived changes no more than a text for
people, which no test holds to the letter. *Same*: looked at, and it changes nothing that anybody
can see; the reasons are below. *Share* is of killed among all but those two; *plain*, among all.
Functions with a decorator, and what is outside of functions, are not changed.

"""
REWORDED = "wording"
"""The reason, or its first word, of a survivor that changes only a text for people."""
SERVICES, TESTS = "hasim/services", "tests/services"
MOST_S = 4.0
"""Seconds of tests, as they took without a change, that a mutant meets; one test at least."""
FIRST = (
    f"{SERVICES}/failover/lifecycle.py",
    f"{SERVICES}/failover/orders.py",
    f"{SERVICES}/failover/answers.py",
    f"{SERVICES}/door.py",
    f"{SERVICES}/detection/verdicts.py",
    f"{SERVICES}/detection/court.py",
    f"{SERVICES}/failover/*",
    f"{SERVICES}/*.py",
    f"{SERVICES}/detection/*",
    f"{SERVICES}/routing/*",
    f"{SERVICES}/monitoring/*",
    f"{SERVICES}/gateway/*",
    f"{SERVICES}/leadership/*",
    f"{SERVICES}/*",
)
"""In the order in which they are run: first what would cost most if it were wrong."""


def all_files() -> list[str]:
    """All files of the services that hold something to change, the most important first."""
    found = sorted(str(path.relative_to(ROOT)) for path in (ROOT / SERVICES).rglob("*.py"))
    return sorted(
        (file for file in found if not file.endswith("__init__.py")),
        key=lambda file: next(n for n, each in enumerate(FIRST) if _fits(file, each)),
    )


def _fits(file: str, pattern: str) -> bool:
    """Whether a file is like a pattern; `*.py` are those of one folder, `*` all that are below."""
    if pattern.endswith("/*.py"):
        return Path(file).parent == Path(pattern).parent
    return fnmatch.fnmatch(file, pattern)


# -- the tree of mutants -----------------------------------------------------------


def tree(files: Sequence[str]) -> dict[str, dict[str, Any]]:
    """A copy of the program in which these files hold their mutants; what is in each of them."""
    TREE.mkdir(exist_ok=True)
    for name in ("tests", "scenarios", "results", "docs", "pyproject.toml"):
        if not (TREE / name).is_symlink():
            (TREE / name).symlink_to(ROOT / name)
    shutil.rmtree(TREE / "hasim", ignore_errors=True)
    shutil.copytree(ROOT / "hasim", TREE / "hasim", ignore=shutil.ignore_patterns("__pycache__"))
    return {file: mutated(file, TREE / file) for file in files}


def mutated(file: str, into: Path) -> dict[str, Any]:
    """Write a file with its mutants; by mutant: `source` of its function, `was`, `becomes`."""
    from mutmut.mutation.file_mutation import mutate_file_contents

    text = (ROOT / file).read_text("utf-8")
    stored = TREE / "made" / digest(file)
    if not (stored / "mutants.json").exists():
        os.chdir(TREE)  # mutmut reads its settings where it stands
        made = mutate_file_contents(file, text)
        lines = made.code.splitlines()
        spans = made.line_span_by_function_name
        written = {n: lines[span.start - 1 : span.end] for n, span in spans.items()}
        mutants = {}
        for name in made.mutant_names:
            function = name.rpartition("__mutmut_")[0]
            source = hashlib.sha256("\n".join(written[f"{function}__mutmut_orig"]).encode())
            was, becomes = _difference(written[f"{function}__mutmut_orig"], written[name])
            mutants[name] = {
                "source": source.hexdigest()[:16], "was": was, "becomes": becomes,
                "in": function.removeprefix("x").strip("ǁ_").replace("ǁ", "."),
            }  # fmt: skip
        stored.mkdir(parents=True)
        (stored / "code.py").write_text(made.code, encoding="utf-8")
        (stored / "mutants.json").write_text(json.dumps(mutants), encoding="utf-8")
    shutil.copy(stored / "code.py", into)
    return dict(json.loads((stored / "mutants.json").read_text("utf-8")))


def _difference(was: Sequence[str], becomes: Sequence[str]) -> tuple[str, str]:
    """The lines that differ, but for the function's name."""
    kept = [[re.sub(r"__mutmut_(orig|\d+)", "", line) for line in each] for each in (was, becomes)]
    lines = list(difflib.unified_diff(*kept, lineterm="", n=0))[2:]
    old, new = ([x[1:].strip() for x in lines if x.startswith(sign)] for sign in "-+")
    return "\n".join(old), "\n".join(new)


# -- running -----------------------------------------------------------------------


def run(wanted: Sequence[tuple[str, str]], seconds: float | None) -> str:
    """Run mutants, given with the source of their function; an empty text, or what went wrong."""
    (TREE / "wanted.json").write_text(json.dumps(wanted), encoding="utf-8")
    options = ["--mutants=wanted.json", "--reach=reach.json", f"--verdicts={LOG}"]
    options += [f"--most={MOST_S}"]
    options += [] if seconds is None else [f"--until={time.time() + seconds}"]
    environment = {**os.environ, "PYTHONPATH": str(TREE), "PYTHONHASHSEED": "0"}
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "results.mutants", "-p", "no:cacheprovider",
         "-m", "not slow", *options, *tests_of(wanted)],
        cwd=TREE, env=environment, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            out, _ = process.communicate()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return "" if process.returncode in (0, 5) else out[-2000:]


def tests_of(wanted: Sequence[tuple[str, str]]) -> list[str]:
    """The tests of the parts that mutants are of, and those of all parts together."""
    parts = {name.split(".")[2] for name, _ in wanted}
    beside = [f"{TESTS}/{part}" for part in sorted(parts) if (ROOT / TESTS / part).is_dir()]
    return [*(str(p.relative_to(ROOT)) for p in sorted((ROOT / TESTS).glob("test_*.py"))), *beside]


def verdicts() -> dict[tuple[str, str], str]:
    """What became of each mutant of a source, the last word of each."""
    rows = LOG.read_text("utf-8").splitlines() if LOG.exists() else []
    read = map(json.loads, rows)
    return {(row["mutant"], row["source"]): row["became"] for row in read}


def full_name(file: str, mutant: str) -> str:
    """A mutant's name with its module."""
    return f"{file.removesuffix('.py').replace('/', '.')}.{mutant}"


def still_open(became: str | None, again: bool) -> bool:
    """Whether a mutant of which this is known is to be run."""
    return became is None or (again and became in ("survived", "no tests"))


# -- what is kept ------------------------------------------------------------------


def kept() -> dict[str, Any]:
    """What was found so far, by file."""
    return dict(json.loads(KEPT.read_text("utf-8"))) if KEPT.exists() else {}


def digest(file: str) -> str:
    """A short name of a file's content."""
    return hashlib.sha256((ROOT / file).read_bytes()).hexdigest()[:16]


def note(file: str, mutants: Mapping[str, Any], known: Mapping[tuple[str, str], str]) -> None:
    """Write down what became of a file's mutants; reasons that were given stay."""
    found = kept()
    reasons = {
        (each["in"], each["was"], each["becomes"]): each["reason"]
        for each in found.get(file, {}).get("survivors", ())
    }
    became = {n: known.get((full_name(file, n), one["source"])) for n, one in mutants.items()}
    survivors = [
        {
            "mutant": name,
            **{key: mutants[name][key] for key in ("in", "was", "becomes")},
            "untested": verdict == "no tests",
            "reason": reasons.get(tuple(mutants[name][k] for k in ("in", "was", "becomes")), ""),
        }
        for name, verdict in became.items()
        if verdict in ("survived", "no tests")
    ]
    if mutants and all(verdict is None for verdict in became.values()):
        return  # nothing is known: what was found of an earlier content stays
    found[file] = {
        "digest": digest(file),
        "mutants": len(mutants),
        "killed": sum(verdict in ("killed", "timeout") for verdict in became.values()),
        "open": sum(verdict is None for verdict in became.values()),
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
    return HEAD.format(most=MOST_S) + "\n".join(lines) + "\n".join(_reasons(files, found)) + "\n"


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
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what it has begun ends with it
    began = time.monotonic()
    chosen = [f for f in all_files() if any(fnmatch.fnmatch(f, each) for each in told.files)]
    if not chosen:
        options.error(f"no file of {SERVICES} is like {' '.join(told.files)}")
    if not told.render:
        mutants = tree([f for f in chosen if told.again or not finished(f, kept())])
        known = verdicts()
        wanted = [
            (name, one["source"])
            for file, of in mutants.items()
            for name, one in ((full_name(file, mutant), one) for mutant, one in of.items())
            if still_open(known.get((name, one["source"])), told.again)
        ]
        seconds = None
        if told.budget is not None:
            seconds = parse_duration(told.budget) / SECOND - (time.monotonic() - began)
        why = run(wanted, seconds) if wanted else ""
        known = verdicts()
        for file, of in mutants.items():
            note(file, of, known)
        sys.stdout.write(f"{len(wanted)} mutants were to be run {why}\n")
    found = kept()
    PAGE.write_text(page(found), encoding="utf-8")
    low = [f for f in chosen if finished(f, found) and share(found[f]) < told.least]
    for file in low:
        sys.stdout.write(f"{file}: only {share(found[file]):.1f} % killed\n")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
