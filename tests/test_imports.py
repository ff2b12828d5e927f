"""What imports what: quick starts, pure services, layers that only look down."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import hasim

PACKAGE = Path(hasim.__file__).parent
HEAVY = {
    "numpy", "pandas", "scipy", "numba", "matplotlib", "simpy", "pydantic", "pyarrow",
    "distributed",
}  # fmt: skip
LAYERS = [
    {"units", "version", "record"},
    {"model", "settings", "sketch", "mser"},
    {"events", "truth"},
    {"journal"},
    {"services"},
    {"simulation"},
    {"scenario"},
    {"measures"},
    {"study"},
    {"report"},
    {"findings", "api"},
    {"commands"},
    {"cli", "__main__"},
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
IN_SERVICES = {"services", "model", "events", "units", "settings"}
NOT_IN_SERVICES = {
    "asyncio", "datetime", "multiprocessing", "numpy", "os", "random", "secrets", "select",
    "selectors", "simpy", "socket", "ssl", "subprocess", "threading", "time", "uuid",
}  # fmt: skip
FILES = sorted(PACKAGE.rglob("*.py"))


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after running the code."""
    script = f"import sys\n{code}\nprint(*sorted({{m.partition('.')[0] for m in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=PACKAGE.parent,
    )
    return set(done.stdout.splitlines()[-1].split())


def imports(file: Path, *, also_types: bool = False) -> Iterator[str]:
    """The modules that a file imports anywhere, those for type checkers left out."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            skipped |= {inner for child in node.body for inner in ast.walk(child)}
    for node in ast.walk(tree):
        if node in skipped and not also_types:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "hasim":
            yield from (f"hasim.{name.name}" for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield str(node.module)


def top(file: Path) -> str:
    """The part of the package that a file belongs to: ``services``, ``units``."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_import_hasim_loads_nothing_heavy():
    assert loaded_by("import hasim") & HEAVY == set()


def test_help_loads_nothing_heavy():
    code = (
        "from hasim.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert not end.code"
    )
    assert loaded_by(code) & HEAVY == set()


def test_help_of_each_command_loads_nothing_heavy():
    from hasim.cli import main

    code = (
        "from hasim.cli import main\n"
        f"for name in {sorted(main.commands)}:\n"
        "    try:\n        main([name, '--help'])\n"
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
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    typed = {
        (name.name, node.module)
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    assert typed == set(hasim._HOMES.items())


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_imports_run_downwards(file):
    if file == PACKAGE / "__init__.py":
        return  # hands on names of all layers, lazily
    assert top(file) in RANK, f"{file}: to which layer does it belong?"
    for module in imports(file):
        if module.startswith("hasim."):
            other = module.split(".")[1]
            assert RANK[other] <= RANK[top(file)], f"{file} imports {module}"


@pytest.mark.parametrize(
    "file", [f for f in FILES if top(f) == "services"], ids=lambda f: str(f.relative_to(PACKAGE))
)
def test_services_touch_no_clock_no_chance_no_network(file):
    for module in imports(file, also_types=True):
        first, *rest = module.split(".")
        if first == "hasim":
            assert rest[0] in IN_SERVICES, f"{file} imports {module}"
        else:
            assert first in sys.stdlib_module_names, f"{file} imports {module}"
            assert first not in NOT_IN_SERVICES, f"{file} imports {module}"


def test_the_import_checks_see_imports(tmp_path):
    file = tmp_path / "bad.py"
    file.write_text("def f():\n    import time\nfrom hasim import truth\n")
    assert sorted(imports(file)) == ["hasim.truth", "time"]
