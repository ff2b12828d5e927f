"""Runs mutants inside one pytest process: `pytest -p results.mutants`, begun by mutation.py.

mutmut makes the mutants: a file in which each function stands beside all of its variants. Here a
mutant is put in place by giving the function the code of the variant, in a forked child that has
all tests and all modules loaded already; so most mutants take some hundredths of a second.

Which tests pass through a line is measured once, by coverage.py with a context for each test, and
kept. A mutant meets the tests that pass through the changed statement: first those that killed
others of its function, then the fastest; until one fails, or tests of so many seconds (`--most`)
have passed.
"""

from __future__ import annotations

import ast
import functools
import gc
import hashlib
import json
import os
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterator, Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

import coverage
import hypothesis
import pytest
from mutmut.mutation import trampoline
from mutmut.mutation.trampoline_templates import mangle_function_name

MORE_TIMES, MORE_S, MORE_BYTES = 4, 2, 2**30
"""What a mutant may take in a test: times the processor time of it, and so many seconds and bytes
more.
"""
SERVICES = "/hasim/services/"
KILLED, SURVIVED, UNTESTED, TIMEOUT = "killed", "survived", "no tests", "timeout"

Variants = dict[str, Any]
found: dict[str, tuple[FunctionType, Variants]] = {}
"""By module and name, as mutmut writes it: each function that has mutants, and these."""


def _kept(variants: Variants, is_classmethod: bool = False) -> Callable[[Any], Any]:
    """In the place of mutmut's decorator: the function stays as it is, and is remembered."""

    def remember(function: FunctionType) -> FunctionType:
        found[f"{function.__module__}.{_of_class(function.__qualname__)}"] = (function, variants)
        return function

    return remember


trampoline.wrap_in_trampoline = _kept
hypothesis.settings.register_profile(
    "mutants",
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],  # nothing is shrunk
    suppress_health_check=list(hypothesis.HealthCheck),
    deadline=None, database=None, derandomize=True, report_multiple_bugs=False,
)  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the names of the mutants are, what the tests reach, and what comes out."""
    parser.addoption("--mutants", type=Path, help="a file of JSON: names, sources, lines")
    parser.addoption("--reach", type=Path, help="what each test reaches")
    parser.addoption("--verdicts", type=Path, help="a line of JSON for each mutant")
    parser.addoption("--most", type=float, help="seconds of tests that a mutant meets")
    parser.addoption("--until", type=float, default=None, help="seconds since 1970")


def pytest_configure(config: pytest.Config) -> None:
    """Before any test module is read: examples of hypothesis are neither shrunk nor stored."""
    hypothesis.settings.load_profile("mutants")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """All tests are collected: see what they reach, or run mutants in their place."""
    option = session.config.option
    items = {item.nodeid: item for item in session.items}
    until = float("inf") if option.until is None else option.until
    if option.mutants is None:
        _measure(items, option.reach, until)
    else:
        _all(items, option, until)
    return True


def _all(items: Mapping[str, pytest.Item], option: Any, until: float) -> None:
    reach = json.loads(option.reach.read_text())
    gc.collect()
    gc.freeze()
    kills: dict[str, Counter[str]] = defaultdict(Counter)
    with option.verdicts.open("a", encoding="utf-8") as out:
        for name, source, lines in json.loads(option.mutants.read_text()):
            if time.time() > until:
                break
            began = time.monotonic()
            function = name.rpartition("__mutmut_")[0]
            met = _tests(reach, function, lines, kills[function], items, option.most)
            seconds = {test: reach["tests"][test]["seconds"] for test in met}
            tests = [items[test] for test in met]
            became, by = _try(tests, name, seconds) if tests else (UNTESTED, "")
            if by:
                kills[function][by] += 1
            row = {
                "mutant": name, "source": source, "became": became, "by": by,
                "took_s": round(time.monotonic() - began, 2),
                "met_s": round(sum(seconds.values()), 2),
            }  # fmt: skip
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            out.flush()


# -- what tests reach --------------------------------------------------------------


def _measure(items: Mapping[str, pytest.Item], file: Path, until: float) -> None:
    """`tests`: seconds of each; `lines`: by function and line within it, the tests' numbers.

    Only tests that are not known, or whose file has changed, are run.
    """
    known = json.loads(file.read_text()) if file.exists() else {"tests": {}, "lines": {}}
    new = [item for name, item in items.items() if _digest(item) != _of(known, name)]
    done = dict[str, int]()
    seen = coverage.Coverage(data_file=None, include=[f"*{SERVICES}*"], messages=False)
    for item, then in _pairs(new):
        if time.time() > until:
            break
        _forget()
        began = time.process_time()
        seen.start()
        seen.switch_context(item.nodeid)
        passed = _passes(item, then)
        seen.stop()
        seconds = time.process_time() - began
        number = known["tests"].get(item.nodeid, {"number": len(known["tests"])})["number"]
        known["tests"][item.nodeid] = {
            "number": number,
            "digest": _digest(item),
            "seconds": round(seconds, 3) if passed else None,
        }
        done[item.nodeid] = number
    again = set(done.values())
    for lines in known["lines"].values():
        for tests in lines.values():
            tests[:] = [test for test in tests if test not in again]
    data = seen.get_data()
    for each in data.measured_files():
        spans = _functions(Path(each))
        for line, tests in data.contexts_by_lineno(each).items():
            for name, first, last in spans:
                if first <= line <= last:
                    lines = known["lines"].setdefault(name, {})
                    lines.setdefault(str(line - first), []).extend(done[t] for t in tests if t)
    file.write_text(json.dumps(known))
    sys.stdout.write(f"{len(new) - len(done)} tests left to measure\n")


def _of(known: Mapping[str, Any], test: str) -> str:
    return str(known["tests"].get(test, {}).get("digest", ""))


@functools.cache
def _digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _digest(item: pytest.Item) -> str:
    return _digest_of(item.path)


def _functions(file: Path) -> list[tuple[str, int, int]]:
    """Each function of a file as mutmut names it, and its lines, the first with `def`."""
    path = file.as_posix()
    module = path[path.index(SERVICES) + 1 :].removesuffix(".py").replace("/", ".")
    found = list[tuple[str, int, int]]()
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.parse(file.read_text("utf-8")).body:
        owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        for each in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(each, kinds):
                name = f"{module}.{_of_class(owner + each.name)}"
                found.append((name, each.lineno, each.end_lineno or each.lineno))
    return found


def _of_class(qualified: str) -> str:
    owner, _, name = qualified.rpartition(".")
    return str(mangle_function_name(name=name, class_name=owner or None))


def _tests(
    reach: Mapping[str, Any],
    function: str,
    lines: tuple[int, int],
    kills: Counter[str],
    there: Container[str],
    most: float,
) -> list[str]:
    """The tests that a mutant of these lines of a function meets, in their order."""
    by_line = {int(line): tests for line, tests in reach["lines"].get(function, {}).items()}
    through = set[int]().union(*(by_line.get(n, ()) for n in range(lines[0], lines[1] + 1)))
    through = through or set[int]().union(*by_line.values())  # of a default, say
    known = {one["number"]: (test, one["seconds"]) for test, one in reach["tests"].items()}
    seconds = dict(known[number] for number in through if known[number][0] in there)
    # A test that fails without a mutant has no seconds.
    order = sorted(
        (test for test, taken in seconds.items() if taken is not None),
        key=lambda test: (-kills[test], seconds[test], test),
    )
    chosen, spent = list[str](), 0.0
    for test in order:
        if chosen and spent + seconds[test] > most:
            continue
        chosen.append(test)
        spent += seconds[test]
    return chosen


# -- one mutant --------------------------------------------------------------------


class _Watch:
    """Whether a test failed."""

    def __init__(self) -> None:
        self.failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Told of each part of a test."""
        self.failed = self.failed or report.failed


def _passes(item: pytest.Item, then: pytest.Item | None) -> bool:
    watch = _Watch()
    item.config.pluginmanager.register(watch)
    try:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=then)
    finally:
        item.config.pluginmanager.unregister(watch)
    return not watch.failed


def _try(items: list[pytest.Item], name: str, seconds: Mapping[str, float]) -> tuple[str, str]:
    """What became of a mutant, and by which test; tried in a child that ends with it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            _in_child(items, name, seconds, writing)
        finally:
            os._exit(3)  # whatever else ended it was the mutant
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        by = pipe.read().splitlines()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        return SURVIVED, ""
    if not by:
        raise RuntimeError(f"{name} could not be put in its place: {code}")
    return (TIMEOUT if code == -signal.SIGXCPU else KILLED), by[-1]


def _in_child(
    items: list[pytest.Item], name: str, seconds: Mapping[str, float], writing: int
) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MORE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    _put(name)
    _forget()
    for item, then in _pairs(items):
        os.write(writing, f"{item.nodeid}\n".encode())
        more = time.process_time() + MORE_TIMES * seconds[item.nodeid] + MORE_S
        resource.setrlimit(resource.RLIMIT_CPU, (int(more) + 1, resource.RLIM_INFINITY))
        if not _passes(item, then):
            os._exit(1)
    os._exit(0)


def _pairs(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    yield from zip(items, [*items[1:], None] if items else [], strict=True)


def _put(name: str) -> None:
    """Give a function the code of one of its mutants."""
    module, _, mutant = name.rpartition(".")
    function, variants = found[name.rpartition("__mutmut_")[0]]
    variant = getattr(variants[mutant], "__func__", variants[mutant])
    if function.__code__.co_freevars == variant.__code__.co_freevars:
        function.__code__ = variant.__code__
        function.__defaults__, function.__kwdefaults__ = (
            variant.__defaults__,
            variant.__kwdefaults__,
        )
        return
    owner: object = sys.modules[module]
    *within, last = function.__qualname__.split(".")
    for part in within:
        owner = getattr(owner, part)
    setattr(owner, last, variants[mutant])


@functools.cache
def _caches() -> list[Any]:
    kind = functools._lru_cache_wrapper
    return [e for e in gc.get_objects() if isinstance(e, kind) and "hasim" in e.__module__]


def _forget() -> None:
    """Without what was kept of earlier calls: a mutant would not be asked again."""
    for cache in _caches():
        cache.cache_clear()
