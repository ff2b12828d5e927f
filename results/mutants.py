"""Runs mutants inside one pytest process: `pytest -p results.mutants`, begun by mutation.py.

mutmut makes the mutants: a file in which each function stands beside all of its variants. Here a
mutant is put in place by giving the function the code of the variant, in a forked child that has
all tests and all modules loaded already; so most mutants take some hundredths of a second.

Which tests reach a function is measured once, by a profiler, and kept. A mutant meets the tests
that reach its function: first those that killed others of it, then the fastest; until one fails, or
tests of so many seconds (`--most`) have passed.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

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
    parser.addoption("--mutants", type=Path, help="a file of JSON: names and sources")
    parser.addoption("--reach", type=Path, help="what each test reaches, made if it is not there")
    parser.addoption("--verdicts", type=Path, help="a line of JSON for each mutant")
    parser.addoption("--most", type=float, help="seconds of tests that a mutant meets")
    parser.addoption("--until", type=float, default=None, help="seconds since 1970")


def pytest_configure(config: pytest.Config) -> None:
    """Before any test module is read: examples of hypothesis are neither shrunk nor stored."""
    hypothesis.settings.load_profile("mutants")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """All tests are collected: run the mutants in the place of the tests."""
    option = session.config.option
    items = {item.nodeid: item for item in session.items}
    reach = _reached(session, items, option.reach)
    names = json.loads(option.mutants.read_text())
    gc.collect()
    gc.freeze()
    kills: dict[str, Counter[str]] = defaultdict(Counter)
    with option.verdicts.open("a", encoding="utf-8") as out:
        for name, source in names:
            if option.until is not None and time.time() > option.until:
                break
            function = name.rpartition("__mutmut_")[0]
            tests = [
                items[test] for test in _tests(reach, function, kills[function], items, option.most)
            ]
            became, by = _try(tests, name, reach["seconds"]) if tests else (UNTESTED, "")
            if by:
                kills[function][by] += 1
            row = {"mutant": name, "source": source, "became": became, "by": by}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            out.flush()
    return True


# -- what tests reach --------------------------------------------------------------


def _reached(session: pytest.Session, items: Mapping[str, pytest.Item], file: Path) -> Any:
    """`seconds` by test and `tests` by function; only tests that are not known are run."""
    known = json.loads(file.read_text()) if file.exists() else {"seconds": {}, "tests": {}}
    new = [item for name, item in items.items() if name not in known["seconds"]]
    for item, then in _pairs(new):
        _forget()
        began = time.process_time()
        with _profiled() as hit:
            passed = _passes(item, then)
        seconds = time.process_time() - began
        known["seconds"][item.nodeid] = seconds if passed else None
        for name in {_mangled(code) for code in hit.values() if SERVICES in code.co_filename}:
            known["tests"].setdefault(name, []).append(item.nodeid)
    if new:
        file.write_text(json.dumps(known))
    return known


@contextmanager
def _profiled() -> Iterator[dict[int, CodeType]]:
    """The code of every function that is called, by its identity."""
    hit: dict[int, CodeType] = {}

    def called(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            hit[id(frame.f_code)] = frame.f_code

    sys.setprofile(called)
    try:
        yield hit
    finally:
        sys.setprofile(None)


def _mangled(code: CodeType) -> str:
    """How mutmut writes the name of a function, given its code."""
    file = code.co_filename
    module = file[file.index(SERVICES) + 1 :].removesuffix(".py").replace("/", ".")
    return f"{module}.{_of_class(code.co_qualname)}"


def _of_class(qualified: str) -> str:
    owner, _, name = qualified.rpartition(".")
    return str(mangle_function_name(name=name, class_name=owner or None))


def _tests(
    reach: Mapping[str, Any],
    function: str,
    kills: Counter[str],
    there: Container[str],
    most: float,
) -> list[str]:
    """The tests that a function's mutant meets, in their order."""
    seconds = reach["seconds"]
    reaching = [
        test
        for test in reach["tests"].get(function, ())
        if test in there and seconds[test] is not None  # it has none if it fails without a mutant
    ]
    reaching.sort(key=lambda test: (-kills[test], seconds[test]))
    chosen, spent = list[str](), 0.0
    for test in reaching:
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
