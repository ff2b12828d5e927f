"""The house rules that a machine can check: what imports what, pure services, sizes, quick starts.

Each test looks at the whole package and tells all offenders at once.
"""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

import hasim

PACKAGE = Path(hasim.__file__).parent
ROOT = PACKAGE.parent
FILES = tuple(sorted(PACKAGE.rglob("*.py")))

LAYERS = (
    {"units", "version", "record", "times", "sketch", "mser", "burn", "extras"},
    {"model", "settings"},
    {"events", "truth", "stored"},
    {"journal"},
    {"singles", "appended"},
    {"services"},
    {"replay"},
    {"deployed"},
    {"told"},
    {"simulation", "live", "measures"},
    {"oracle"},
    {"scenario"},
    {"study"},
    {"hunt"},
    {"report"},
    {"findings"},
    {"watch"},
    {"api"},
    {"deciding"},
    {"commands"},
    {"cli"},
    {"__main__"},
)
"""A part sees itself and the layers above its own in this list, and no other part of its own."""
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}

IN_SERVICES = {"services", "model", "events", "units", "settings", "record", "times", "burn"}
NOT_IN_SERVICES = {
    "asyncio", "datetime", "multiprocessing", "os", "pathlib", "random", "secrets", "select",
    "selectors", "socket", "ssl", "subprocess", "threading", "time", "uuid",
}  # fmt: skip
"""What of the standard library the services do without: the clock, chance, the world outside."""

HEAVY = {
    "numpy", "pandas", "scipy", "numba", "matplotlib", "simpy", "pydantic", "pyarrow",
    "distributed",
}  # fmt: skip
"""What `import hasim` and ``--help`` must not wait for."""

MOST_LINES, MOST_IN_FUNCTION, MOST_METHODS = 400, 70, 25
LONG_FILES: Mapping[str, str] = {}
"""File -> why it is one idea all the same."""
OF_ALL = {"fuzz", "defects"}
"""Folders of tests of the whole program."""
LARGE_CLASSES: Mapping[str, str] = {}
"""File and class -> why it has more methods than others."""


class Import(NamedTuple):
    """What a line of a file imports: a module, or a name in one."""

    line: int
    module: str
    name: str = ""


@functools.cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imports(file: Path) -> Iterator[Import]:
    """All imports of a file: within functions, and those for type checkers, too."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (Import(node.lineno, module, alias.name) for alias in node.names)


def inside(file: Path) -> str:
    """The file as it is told: its path in the package."""
    return file.relative_to(PACKAGE).as_posix()


def part_of(file: Path) -> str:
    """The part of the package that a file belongs to: ``services``, ``units``."""
    return inside(file).partition("/")[0].removesuffix(".py")


def parts_seen(file: Path) -> Iterator[tuple[Import, str]]:
    """The parts of the package that a file imports; "" is the package itself."""
    for found in imports(file):
        first, _, rest = found.module.partition(".")
        if first == "hasim":
            known = found.name if found.name in RANK else ""
            yield found, rest.partition(".")[0] or known


def module_of(file: Path) -> str:
    """The dotted name of a file of the package."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def graph() -> dict[str, set[str]]:
    """Each module of the package, with the modules of the package that it imports.

    A package counts only for what its own `__init__` says: who imports one of its modules
    depends on that one.
    """
    modules = {module_of(file): file for file in FILES}
    found: dict[str, set[str]] = {name: set() for name in modules}
    for name, file in modules.items():
        if name == "hasim":
            continue  # hands on names of all layers, lazily
        for one in imports(file):
            inner = f"{one.module}.{one.name}"
            target = inner if inner in modules else one.module
            if target in modules and target != name:
                found[name].add(target)
    return found


def circles(edges: Mapping[str, set[str]]) -> list[list[str]]:
    """The sets of modules that reach each other, each sorted."""
    reach = {name: set(seen) for name, seen in edges.items()}
    for middle in edges:
        onward = reach[middle]
        for name, seen in reach.items():
            if middle in seen:
                reach[name] = seen | onward
    rings = {
        tuple(sorted(o for o in seen if name in reach.get(o, ())))
        for name, seen in reach.items()
        if name in seen
    }
    return [list(ring) for ring in sorted(rings)]


def tell(offenders: list[str]) -> None:
    assert not offenders, "\n" + "\n".join(offenders)


def test_each_part_sees_only_the_layers_below_it():
    offenders = []
    for file in FILES:
        own = part_of(file)
        if file == PACKAGE / "__init__.py":
            continue  # hands on names of all layers, lazily
        if own not in RANK:
            offenders.append(f"{inside(file)}: to which layer does it belong?")
            continue
        for found, other in parts_seen(file):
            if other and other != own and RANK.get(other, -1) >= RANK[own]:
                offenders.append(f"{inside(file)}:{found.line} imports {found.module}")
    tell(offenders)


def test_imports_are_absolute():
    tell([
        f"{inside(file)}:{one.line}" for file in FILES for one in imports(file)
        if one.module.startswith(".")
    ])  # fmt: skip


def test_no_circle_of_imports():
    tell([" -> ".join(ring) for ring in circles(graph())])


def test_services_touch_no_clock_no_chance_no_network():
    """Standard library only, and of it nothing that waits or asks the world outside."""
    offenders = []
    for file in FILES:
        if part_of(file) != "services":
            continue
        for found, other in parts_seen(file):
            if other not in IN_SERVICES:
                offenders.append(f"{inside(file)}:{found.line} imports {found.module}")
        for found in imports(file):
            first = found.module.partition(".")[0]
            allowed = first in sys.stdlib_module_names and first not in NOT_IN_SERVICES
            if first != "hasim" and not allowed:
                offenders.append(f"{inside(file)}:{found.line} imports {found.module}")
    tell(offenders)


def test_a_file_has_one_idea():
    offenders = []
    for file in FILES:
        lines = len(file.read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES and inside(file) not in LONG_FILES:
            offenders.append(f"{inside(file)}: {lines} lines, at most {MOST_LINES}")
    tell(offenders)


def test_what_is_cited_of_the_architecture_is_there():
    headings = set(re.findall(r"^## (.+)$", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE))
    folders = ("hasim", "tests", "results", "notebooks")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    cited = [
        (file, title)
        for file in [*files, *ROOT.glob("*.md")]
        for places in re.findall(
            r'ARCHITECTURE\.md,((?:\s+(?:and\s+)?"[^"]+",?)+)', file.read_text(encoding="utf-8")
        )
        for title in re.findall(r'"([^"]+)"', places)
    ]
    assert {title for _, title in cited} >= {"Invariants", "Time", "Written before sent"}
    tell([f"{file}: {title}" for file, title in cited if " ".join(title.split()) not in headings])


def test_what_the_pages_name_is_there():
    tell([
        f"{page.name}: {path}"
        for page in sorted(ROOT.glob("*.md"))
        for path in re.findall(
            r"[`(]((?:hasim|tests|results|scenarios|notebooks)/[\w./-]+)[`)]",
            page.read_text(encoding="utf-8"),
        )
        if not (ROOT / path).exists()
    ])  # fmt: skip


def test_functions_fit_on_a_screen():
    tell([
        f"{inside(file)}:{node.lineno} {node.name}: {length} lines, at most {MOST_IN_FUNCTION}"
        for file in FILES
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > MOST_IN_FUNCTION
    ])  # fmt: skip


def test_classes_do_one_thing():
    offenders = []
    for file in FILES:
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.ClassDef):
                methods = sum(
                    isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) for inner in node.body
                )
                name = f"{inside(file)} {node.name}"
                if methods > MOST_METHODS and name not in LARGE_CLASSES:
                    offenders.append(f"{name}: {methods} methods, at most {MOST_METHODS}")
    tell(offenders)


def test_tests_stand_where_the_package_has_what_they_test():
    tests = Path(__file__).parent
    tell([
        f"tests/{folder.relative_to(tests)}: no such folder in hasim"
        for folder in sorted(p.parent for p in tests.rglob("__init__.py"))
        if not (PACKAGE / folder.relative_to(tests)).is_dir() and folder.name not in OF_ALL
    ])  # fmt: skip


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after running the code."""
    script = f"import sys\n{code}\nprint(*sorted({{m.partition('.')[0] for m in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return set(done.stdout.splitlines()[-1].split())


def test_import_hasim_and_the_services_load_nothing_heavy():
    assert loaded_by("import hasim") & HEAVY == set()
    assert loaded_by("import hasim.services.control_plane") & HEAVY == set()
    assert loaded_by("import hasim.measures.catalogue") & HEAVY == set()


def test_help_loads_nothing_heavy():
    from hasim.cli import main

    code = (
        "from hasim.cli import main\n"
        f"for names in [], *([name] for name in {sorted(main.commands)}):\n"
        "    try:\n        main([*names, '--help'])\n"
        "    except SystemExit as end:\n        assert not end.code"
    )
    assert loaded_by(code) & HEAVY == set()


def test_each_public_name_is_what_it_says():
    for name in hasim.__all__:
        value = getattr(hasim, name)
        assert isinstance(value, str) if name == "__version__" else value.__name__ == name
    assert set(hasim.__all__) <= set(dir(hasim))
    with pytest.raises(AttributeError, match="has no attribute 'runn'"):
        _ = hasim.runn


def test_lazy_names_are_those_for_type_checkers():
    assert set(hasim._HOMES) == set(hasim.__all__)
    typed = {
        (one.name, one.module)
        for one in imports(PACKAGE / "__init__.py")
        if one.module.startswith("hasim.")
    }
    assert typed == set(hasim._HOMES.items())


def test_the_checks_see_imports_and_circles(tmp_path):
    file = tmp_path / "bad.py"
    file.write_text(
        "from hasim import truth\ndef f():\n    import time\n"
        "if TYPE_CHECKING:\n    from hasim.units import SECOND\n"
    )
    assert sorted(imports(file)) == [
        (1, "hasim", "truth"),
        (3, "time", ""),
        (5, "hasim.units", "SECOND"),
    ]
    edges = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"a", "f"}, "f": {"e"}}
    assert circles(edges) == [["a", "b", "c"], ["e", "f"]]
