"""Where and how a terminal shows results: colours, widths, what is no terminal."""

from __future__ import annotations

import io

import pytest

from hasim.report.forms.terminal import InTerminal, console
from hasim.report.sheet import Column, Field, Paper, Sheet

PAPER = Paper(
    [Sheet([Column("measure"), Column("verdict")], [["uptime", Field("fail", mood="bad")]])],
    headline=Field("broken", mood="bad"),
)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def printed(file):
    console(file).print(InTerminal(PAPER))
    return file.getvalue()


def test_colours_on_a_terminal():
    shown = printed(Terminal())
    assert "\x1b[1;31mfail" in shown
    assert "\x1b[1;31mbroken" in shown


def test_no_colour_with_no_color(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "31m" not in printed(Terminal())


def test_no_colour_in_a_pipe():
    assert "\x1b" not in printed(io.StringIO())


def test_the_width_of_a_pipe(monkeypatch):
    assert console(io.StringIO()).width == 160
    monkeypatch.setenv("COLUMNS", "90")
    assert console(io.StringIO()).width == 90


def test_a_terminal_without_unicode():
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    console(file).print(InTerminal(PAPER))
    file.flush()
    assert b"uptime" in raw.getvalue()


def test_a_text_is_no_markup():
    sheet = Sheet([Column("name")], [["[red]x[/red] :smile:"]])
    out = io.StringIO()
    console(out).print(InTerminal(Paper([sheet], said=["[bold]y[/bold]"])))
    assert "[red]x[/red] :smile:" in out.getvalue()
    assert "[bold]y[/bold]" in out.getvalue()
