"""How far something is, while it runs: a bar in a terminal, or one in a notebook."""

from __future__ import annotations

import contextlib
import html
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal, Protocol

from hasim.report.visible import visible

Auto = Literal["auto"]
"""Show progress where somebody looks on: in IPython and Jupyter."""
PAUSE_S = 0.2
"""Seconds between two pictures of a bar in a notebook."""


class Step(Protocol):
    """How far something is."""

    @property
    def done(self) -> int:
        """What is done of it."""
        ...

    @property
    def total(self) -> int:
        """All of it."""
        ...


Moves = Callable[[int, int | None], None]
"""Moves a bar: what is done, of how much, if that is known."""


@contextlib.contextmanager
def terminal_bar(title: str, *, lines: bool = False) -> Iterator[Moves | None]:
    """A bar on stderr; if that is no terminal, `lines` (one for each tenth) or None."""
    if not sys.stderr.isatty():
        yield _Lines(visible(title)).move if lines else None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns: list[Any] = ["{task.description}", BarColumn(), MofNCompleteColumn()]
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(escape(visible(title)), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Lines:
    """A line on stderr whenever another tenth is done; what has another total begins anew."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._tenths = 0
        self._last: tuple[int, int | None] = 0, None

    def move(self, done: int, total: int | None) -> None:
        before, of = self._last
        if done < before or total != of:
            self._tenths = 0
        self._last = done, total
        tenths = 10 * done // total if total else 0
        if tenths > self._tenths:
            self._tenths = tenths
            sys.stderr.write(f"{self._title}: {done:,} of {total:,}\n")
            sys.stderr.flush()


@contextlib.contextmanager
def interactive_bar(title: str) -> Iterator[Moves | None]:
    """A bar in a notebook, or in IPython's terminal; None outside both."""
    shell = _shell()
    if shell is None:
        yield None
    elif not hasattr(shell, "kernel"):  # not Jupyter, but IPython in a terminal
        with terminal_bar(title) as bar:
            yield bar
    else:
        picture = _Picture(title)
        try:
            yield picture.move
        finally:
            picture.vanish()


def _shell() -> Any:
    """The IPython shell that this process runs in, if it runs in one."""
    loaded = sys.modules.get("IPython")
    return loaded.get_ipython() if loaded is not None else None


class _Picture:
    """One output of a notebook cell, which is replaced as the work goes on, and empty at last.

    A notebook that is stored does not depend on how long the work took.
    """

    def __init__(self, title: str) -> None:
        from IPython.display import display

        self._title = title
        self._done = 0
        self._began = self._shown = time.monotonic()
        self._html = _bar(title, 0, None, None)
        show: Any = display
        self._handle = show(self, display_id=True)

    def move(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if done < self._done:  # another part of the work: how long the last one took says nothing
            self._began = now
        self._done = done
        if now < self._shown + PAUSE_S:
            return
        self._shown = now
        left_s = (now - self._began) * (total - done) / done if done and total else None
        self._html = _bar(self._title, done, total, left_s)
        self._handle.update(self)

    def vanish(self) -> None:
        self._html = ""
        self._handle.update(self)

    def _repr_html_(self) -> str:
        return self._html

    def __repr__(self) -> str:
        return ""


def _bar(title: str, done: int, total: int | None, left_s: float | None) -> str:
    of = f"{done:,} of {total:,}" if total else "starting"
    left = f", about {left_s:,.0f} s left" if left_s is not None else ""
    values = f' value="{done}" max="{total}"' if total else ""
    return f"<progress{values}></progress> {html.escape(visible(title))}: {of}{left}"
