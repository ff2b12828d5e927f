"""Mutants of the services that no test notices: `python results/mutation.py` (one process).

mutmut changes `hasim/services` one place at a time, in a copy below `.mutation/`. There are some
20,000 such mutants; a random sample of them is run, drawn from each part of the services in
proportion (`--sample 300 --seed 2`): those with the smallest digests of seed, name and change. So
a larger sample holds the smaller one, and a change to the code exchanges only what it touches.

Each meets the tests that pass through what it changed, in a process forked off one that has loaded
everything (`results/mutants.py`). A call goes on where the last one stopped (`--budget 9m`), and
tries again what survived (`--again`, with `--most 30` seconds of tests for each). With
`--files 'hasim/services/failover/*'` all mutants of these files are run, and the survivors are
told, not kept. It needs what `pip install '.[test,mutation]'` brings.

What was found is kept in `results/mutation.json`, with a reason for each survivor that was looked
at: written there by hand, and kept as long as the change reads the same. A verdict stands as long
as the function and the test that failed do. `--render` only writes the page anew; `--least 85` ends
with exit code 1 if the sample is decided and a smaller share of it was killed.
"""

from __future__ import annotations

import argparse
import ast
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
import textwrap
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from hasim.units import SECOND, parse_duration
from results.mutation_page import page, share

ROOT = Path(__file__).resolve().parents[1]
TREE = ROOT / ".mutation"
LOG = TREE / "verdicts.jsonl"
REACH = TREE / "reach.json"
KEPT = ROOT / "results" / "mutation.json"
PAGE = ROOT / "results" / "mutation.md"
SERVICES = "hasim/services"
TESTS = ("tests/services", "tests/hunt/test_fencing_worlds.py")
"""Those of the services, and of whole worlds those in which nothing is compiled."""
MOST_S = 4.0
"""Seconds of tests, as they took without a change, that a mutant meets; one test at least."""
PARTS = {
    "failover": ("failover/",),
    "detection": ("detection/",),
    "balancing": ("balancing/", "routing/", "gateway/"),
    "monitoring": ("monitoring/",),
    "control plane": ("",),
}
"""The folders of each part; what is in none of them is of the last."""

SURVIVED = ("survived", "no tests")

Mutant = dict[str, Any]
Sample = dict[str, Any]
Verdict = tuple[str, str]
"""What became of a mutant, and the test that killed it."""


def all_files() -> list[str]:
    """All files of the services that may hold something to change."""
    found = sorted(str(path.relative_to(ROOT)) for path in (ROOT / SERVICES).rglob("*.py"))
    return [file for file in found if not file.endswith("__init__.py")]


def part_of(file: str) -> str:
    """The part of the services that a file belongs to."""
    inside = file.removeprefix(f"{SERVICES}/")
    return next(part for part, folders in PARTS.items() if inside.startswith(folders))


# -- the sample --------------------------------------------------------------------


def drawn(mutants: Iterable[Mutant], number: int, seed: int) -> list[Mutant]:
    """So many of all mutants at random, from each part in proportion."""
    strata: dict[str, list[Mutant]] = {part: [] for part in PARTS}
    for each in mutants:
        strata[part_of(each["file"])].append(each)
    sizes = shared(number, {part: len(each) for part, each in strata.items()})
    return [
        one
        for part, of in strata.items()
        for one in sorted(of, key=lambda each: _lot(seed, each))[: sizes[part]]
    ]


def shared(number: int, sizes: Mapping[str, int]) -> dict[str, int]:
    """A number dealt out in proportion to sizes, the largest remainders rounded up."""
    total = sum(sizes.values())
    number = min(number, total)
    out = {name: number * size // total for name, size in sizes.items()}
    rest = sorted(sizes, key=lambda name: -(number * sizes[name] % total))
    for name in rest[: number - sum(out.values())]:
        out[name] += 1
    return out


def _lot(seed: int, mutant: Mutant) -> str:
    """By what a mutant is drawn: as good as a number at random."""
    told = "\n".join([str(seed), *(mutant[key] for key in ("file", "mutant", "was", "becomes"))])
    return hashlib.sha256(told.encode()).hexdigest()


# -- the tree of mutants -----------------------------------------------------------


def begin_tree() -> None:
    """The folder of the copy, with what stays as it is: mutmut's settings, too."""
    TREE.mkdir(exist_ok=True)
    for name in ("tests", "scenarios", "results", "docs", "pyproject.toml"):
        if not (TREE / name).is_symlink():
            (TREE / name).symlink_to(ROOT / name)


def tree(files: Collection[str]) -> None:
    """A copy of the program in which these files hold their mutants."""
    shutil.rmtree(TREE / "hasim", ignore_errors=True)
    shutil.copytree(ROOT / "hasim", TREE / "hasim", ignore=shutil.ignore_patterns("__pycache__"))
    for file in files:
        shutil.copy(TREE / "made" / digest(file) / "code.py", TREE / file)


def mutated(file: str) -> list[Mutant]:
    """The mutants of a file: `source` of the function, `was`, `becomes`, the `lines` changed."""
    from mutmut.mutation.file_mutation import mutate_file_contents

    text = (ROOT / file).read_text("utf-8")
    stored = TREE / "made" / digest(file)
    if not (stored / "mutants.json").exists():
        os.chdir(TREE)  # mutmut reads its settings where it stands
        made = mutate_file_contents(file, text)
        lines = made.code.splitlines()
        spans = made.line_span_by_function_name
        written = {n: lines[span.start - 1 : span.end] for n, span in spans.items()}
        mutants = list[Mutant]()
        for name in made.mutant_names:
            function = name.rpartition("__mutmut_")[0]
            old, new = written[f"{function}__mutmut_orig"], written[name]
            was, becomes, at = _difference(old, new)
            mutants.append({
                "file": file, "mutant": name, "was": was, "becomes": becomes,
                "source": hashlib.sha256("\n".join(old).encode()).hexdigest()[:16],
                "in": function.removeprefix("x").strip("ǁ_").replace("ǁ", "."),
                "lines": statement("\n".join(old), at),
            })  # fmt: skip
        stored.mkdir(parents=True, exist_ok=True)
        (stored / "code.py").write_text(made.code, encoding="utf-8")
        (stored / "mutants.json").write_text(json.dumps(mutants), encoding="utf-8")
    return list(json.loads((stored / "mutants.json").read_text("utf-8")))


def _difference(was: Sequence[str], becomes: Sequence[str]) -> tuple[str, str, int]:
    """The lines that differ, but for the function's name, and the number of the first of them."""
    kept = [[re.sub(r"__mutmut_(orig|\d+)", "", line) for line in each] for each in (was, becomes)]
    lines = list(difflib.unified_diff(*kept, lineterm="", n=0))[2:]
    old, new = ([x[1:].strip() for x in lines if x.startswith(sign)] for sign in "-+")
    codes = difflib.SequenceMatcher(None, *kept, autojunk=False).get_opcodes()
    at = next((low for tag, low, *_ in codes if tag != "equal"), 0)
    return "\n".join(old), "\n".join(new), min(at, len(was) - 1)


def statement(function: str, at: int) -> tuple[int, int]:
    """The first and last line of the statement that a line of a function is in.

    `at` counts from the first line of the text, what is returned from that with `def`: there may
    be empty lines before it. Of a statement that holds others only its head.
    """
    whole = ast.parse(textwrap.dedent(function)).body[0]
    found = (whole.lineno, whole.lineno)
    for node in ast.walk(whole):
        if not isinstance(node, ast.stmt):
            continue
        below = [each.lineno for each in ast.walk(node) if isinstance(each, ast.stmt)][1:]
        last = max(node.lineno, min(below) - 1) if below else node.end_lineno or node.lineno
        if node.lineno <= at + 1 <= last and node.lineno >= found[0]:
            found = (node.lineno, last)
    return found[0] - whole.lineno, found[1] - whole.lineno


def digest(file: str) -> str:
    """A short name of a file's content."""
    return hashlib.sha256((ROOT / file).read_bytes()).hexdigest()[:16]


# -- running -----------------------------------------------------------------------


def run(wanted: Sequence[Mutant], most_s: float, until: float | None) -> str:
    """Run mutants, after what tests reach is measured; what was said at the end."""
    reach = f"--reach={REACH}"
    said = _pytest(ROOT, [reach], until)
    if re.search(r"\b0 tests left to measure", said):
        tree({each["file"] for each in wanted})
        asked = [(full_name(each), each["source"], each["lines"]) for each in wanted]
        (TREE / "wanted.json").write_text(json.dumps(asked), encoding="utf-8")
        mutants = ["--mutants=wanted.json", f"--verdicts={LOG}", f"--most={most_s}"]
        said = _pytest(TREE, [reach, *mutants], until)
    return said


def _pytest(where: Path, options: Sequence[str], until: float | None) -> str:
    """What a run of pytest with the plugin of mutants said, at its end."""
    options = [*options, *([] if until is None else [f"--until={until}"])]
    environment = {**os.environ, "PYTHONPATH": str(where), "PYTHONHASHSEED": "0"}
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "results.mutants", "-p", "no:cacheprovider",
         "-m", "not slow", *options, *TESTS],
        cwd=where, env=environment, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            out, _ = process.communicate()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return out[-2000:]


def verdicts() -> dict[tuple[str, str], Verdict]:
    """What became of each mutant of a source, and by which test: the last word of each."""
    found: dict[tuple[str, str], Verdict] = {}
    for sample in kept().values():
        for row in (each for each in sample["rows"] if each["became"]):
            found[full_name(row), row["source"]] = (row["became"], row["by"])
    for line in LOG.read_text("utf-8").splitlines() if LOG.exists() else []:
        row = json.loads(line)
        found[row["mutant"], row["source"]] = (row["became"], row["by"])
    return found


def full_name(mutant: Mutant) -> str:
    """A mutant's name with its module."""
    return f"{mutant['file'].removesuffix('.py').replace('/', '.')}.{mutant['mutant']}"


def still_open(verdict: Verdict | None, again: bool) -> bool:
    """Whether a mutant of which this is known is to be run."""
    if verdict is None:
        return True
    became, by = verdict
    return again if became in SURVIVED else not _stands(by)


def _stands(test: str) -> bool:
    """Whether a test is still there, by its name."""
    file, _, name = test.partition("::")
    path = ROOT / file
    return path.exists() and name.partition("::")[0].partition("[")[0] in path.read_text("utf-8")


# -- what is kept ------------------------------------------------------------------


def kept() -> dict[str, Sample]:
    """The samples, by their seeds."""
    return dict(json.loads(KEPT.read_text("utf-8"))) if KEPT.exists() else {}


def note(seed: int, sample: Sequence[Mutant], number: int) -> Sample:
    """Write down what became of a sample out of so many; reasons that were given stay."""
    found, known = kept(), verdicts()
    reasons = {
        _same(row): row["reason"] for one in found.values() for row in one["rows"] if row["reason"]
    }
    rows = []
    for each in sample:
        became, by = known.get((full_name(each), each["source"]), ("", ""))
        row = {key: each[key] for key in ("file", "mutant", "in", "was", "becomes", "source")}
        reason = reasons.get(_same(row), "") if became in SURVIVED else ""
        rows.append({**row, "part": part_of(each["file"]), "became": became, "by": by,
                     "reason": reason})  # fmt: skip
    said = found.get(str(seed), {}).get("said", "")
    found[str(seed)] = {"of": number, "said": said, "rows": rows}
    text = json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True)
    KEPT.write_text(text + "\n", encoding="utf-8")
    return found[str(seed)]


def _same(row: Mutant) -> tuple[str, ...]:
    return tuple(row[key] for key in ("file", "in", "was", "becomes"))


def main() -> int:
    """Run what is wanted; 1 if too many mutants of the sample survived."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--sample", type=int, default=300, help="how many mutants")
    options.add_argument("--seed", type=int, default=2, help="which of all samples")
    options.add_argument("--files", nargs="+", help="patterns of files: all of their mutants")
    options.add_argument("--budget", help="for how long, as in 9m; else to the end")
    options.add_argument("--most", type=float, default=MOST_S, help="seconds of tests for each")
    options.add_argument("--again", action="store_true", help="survivors too: tests were added")
    options.add_argument("--render", action="store_true", help="only write the page anew")
    options.add_argument("--least", type=float, default=0.0, help="share of killed in percent")
    told = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what it has begun ends with it
    until = None
    if told.budget is not None:
        until = time.time() + parse_duration(told.budget) / SECOND
    if not told.render:
        files = all_files()
        if told.files:
            files = [f for f in files if any(fnmatch.fnmatch(f, each) for each in told.files)]
        begin_tree()
        mutants = [one for file in files for one in mutated(file)]
        wanted = mutants if told.files else drawn(mutants, told.sample, told.seed)
        known = verdicts()
        left = [each for each in wanted if still_open(known.get(_key(each)), told.again)]
        left.sort(key=lambda each: _lot(told.seed, each))  # those of a cut run are a sample, too
        said = run(left, told.most, until) if left else ""
        known = verdicts()
        if told.files:
            sys.stdout.write(_told(wanted, known))
        else:
            note(told.seed, wanted, len(mutants))
        left = [each for each in wanted if still_open(known.get(_key(each)), again=False)]
        sys.stdout.write(f"{len(left)} of {len(wanted)} are left{': ' + said if left else ''}\n")
    found = kept()
    PAGE.write_text(page(found), encoding="utf-8")
    rows = found.get(str(told.seed), {"rows": []})["rows"]
    if rows and all(row["became"] for row in rows) and share(rows) < told.least:
        sys.stdout.write(f"only {share(rows):.1f} % killed\n")
        return 1
    return 0


def _key(mutant: Mutant) -> tuple[str, str]:
    return full_name(mutant), mutant["source"]


def _told(wanted: Iterable[Mutant], known: Mapping[tuple[str, str], Verdict]) -> str:
    """The survivors, each as a difference."""
    lines = [
        f"{each['file']} {each['in']}\n- {each['was']}\n+ {each['becomes']}\n"
        for each in wanted
        if known.get(_key(each), ("", ""))[0] in SURVIVED
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
