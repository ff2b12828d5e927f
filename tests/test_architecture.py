"""The house rules that a machine can check."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import hasim

ROOT = Path(hasim.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
LEVELS = [
    ["units", "version"],
    ["settings", "model", "sketch", "mser"],
    ["events", "truth"],
    ["journal"],
    ["services"],
    ["simulation"],
    ["scenario"],
    ["measures"],
    ["study"],
    ["report"],
    ["findings", "api"],
    ["commands"],
    ["cli", "__main__"],
    ["__init__"],
]
LEVEL_OF = {name: level for level, names in enumerate(LEVELS) for name in names}
BANNED_IN_SERVICES = {
    "simpy",
    "asyncio",
    "time",
    "random",
    "datetime",
    "numpy",
    "pandas",
    "scipy",
    "socket",
    "threading",
    "subprocess",
    "os",
    "pathlib",
    "secrets",
    "uuid",
}


def part_of(path: Path) -> str:
    inside = path.relative_to(ROOT)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module == "hasim":
                found |= {f"hasim.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_downwards_only(path: Path) -> None:
    own = part_of(path)
    for name in imports_of(path):
        if name.startswith("hasim."):
            other = name.split(".")[1]
            if other in LEVEL_OF:
                assert LEVEL_OF[other] <= LEVEL_OF[own], f"{path}: {own} imports {name}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "services").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_services_look_at_no_clock_no_socket_no_chance(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports_of(path)}
    assert not roots & BANNED_IN_SERVICES
    assert "hasim.simulation" not in {".".join(n.split(".")[:2]) for n in imports_of(path)}
    assert "hasim.truth" not in imports_of(path)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_functions_fit_on_a_screen(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 70, f"{path}:{node.lineno} {node.name} has {length} lines"
