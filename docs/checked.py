"""The test report: what is checked against what, read from the tests and the stored results."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
RESULTS = ROOT / "results"
BOARDS = {
    "truth.md": "Real systems beside their prediction",
    "statistics.md": "How often intervals cover",
    "rare-events.md": "Budgets beside closed forms",
    "gate-trials.md": "How often the gate is wrong",
}
"""Stored results that are shown as they are, and their headings."""


def page() -> Iterator[str]:
    """What each file of tests checks, and what was found."""
    yield "# Test report\n"
    files = sorted(TESTS.rglob("test_*.py"))
    counts = {file: _tests(file) for file in files}
    slow = sum("pytest.mark.slow" in file.read_text(encoding="utf-8") for file in files)
    yield (
        f"{sum(counts.values()):,} tests (each of them may have many cases) in {len(files)} files; "
        f"{slow} files hold tests that run at night (`.ci/run --slow`). Generated from the tests "
        "and from the stored results, so that it says what is there.\n"
    )
    yield "## What is checked against what\n"
    folders = sorted({file.parent for file in files})
    for folder in folders:
        yield f"### {folder.relative_to(ROOT).as_posix()}\n"
        yield "| tests | what they hold | how many |\n|---|---|---:|"
        for file in files:
            if file.parent == folder:
                yield f"| `{file.name}` | {_about(file)} | {counts[file]} |"
        yield ""
    for name, heading in BOARDS.items():
        if (RESULTS / name).exists():
            yield f"## {heading}\n"
            yield from _shown(RESULTS / name)


def _tests(file: Path) -> int:
    """How many functions of a file are tests."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return sum(node.name.startswith("test_") for node in functions)


def _about(file: Path) -> str:
    """What a file of tests says that it holds."""
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or _from_names(file)
    first = " ".join(text.split("\n\n")[0].split())
    for mark in "<>{}*_[]$|":
        first = first.replace(mark, f"\\{mark}")
    return first


def _from_names(file: Path) -> str:
    """The names of its tests as words, where it says nothing."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
    words = [name.removeprefix("test_").replace("_", " ") for name in names if "test_" in name]
    return "; ".join(words[:3]) + ("; ..." if len(words) > 3 else "")


def _shown(path: Path) -> Iterator[str]:
    """A stored result one level deeper, its links as names of files."""
    fenced = False
    for line in path.read_text(encoding="utf-8").splitlines():
        fenced = fenced != line.startswith("```")
        if fenced or not line.startswith("#"):
            yield line if fenced else re.sub(r"\[([^\]]+)\]\((?!http)[^)]+\)", r"`\1`", line)
        elif not line.startswith("# "):
            yield f"#{line}"
    yield ""
