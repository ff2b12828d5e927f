"""What compiled messages need of numba: where it is named, and what happens without it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import hasim
from hasim.simulation.clients.compiled import availability
from hasim.simulation.clients.compiled.availability import UNTRIED, refusal

PACKAGE = Path(hasim.__file__).parent
PRIVATE = ("numba.core", "numba.np")
WITHOUT = """
import sys
from importlib import metadata
from numba.core.typing import templates

del templates.infer_global
installed = metadata.version
metadata.version = lambda name: "9.0.0" if name == "numba" else installed(name)

import hasim
result = hasim.run("crash", replications=1, overrides={"horizon": "30s"}, jobs=1, progress=None)
print("hasim.simulation.clients.compiled.plane" in sys.modules)
print(*result.study.notes, sep="\\n")
print(result.metrics.to_csv(index=False))
"""


def test_one_file_names_what_is_private_in_numba() -> None:
    found = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            if any(name.startswith(PRIVATE) for name in names):
                found.add(file.relative_to(PACKAGE).as_posix())
    assert found == {"simulation/clients/compiled/internals.py"}


def test_the_bound_is_that_of_the_package() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    (needed,) = [text for text in project["dependencies"] if text.startswith("numba")]
    bound = re.search(r"<(\d+)\.(\d+)", needed)
    assert bound is not None
    assert tuple(map(int, bound.groups())) == UNTRIED
    assert tuple(map(int, metadata.version("numba").split(".")[:2])) < UNTRIED


@pytest.mark.parametrize(
    ("version", "missing", "refused"),
    [("0.68.9", True, False), ("0.69.0rc1", False, False), ("1.2.0", True, True)],
)
def test_versions_that_are_not_known_are_tried(
    monkeypatch: pytest.MonkeyPatch, version: str, missing: bool, refused: bool
) -> None:
    def bring(name: str) -> None:
        if missing:
            raise ImportError("cannot import name 'templates'")

    monkeypatch.setattr(metadata, "version", lambda _: version)
    monkeypatch.setattr(availability, "import_module", bring)
    refusal.cache_clear()
    try:
        assert bool(refusal()) == refused
        assert not refused or f"numba {version} is newer than hasim knows" in refusal()
    finally:
        monkeypatch.undo()
        refusal.cache_clear()


def test_without_them_messages_run_on_the_reference_plane_and_a_note_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        check=True,
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
    )
    compiled, note, table = done.stdout.split("\n", 2)
    assert compiled == "False"
    assert note.startswith("numba 9.0.0 is newer than hasim knows, and lacks what it needs")
    assert "ran on the reference data plane, which gives the same results and is slower" in note
    result = hasim.run("crash", replications=1, overrides={"horizon": "30s"}, progress=None)
    assert table.strip() == result.metrics.to_csv(index=False).strip()
