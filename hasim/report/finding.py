"""What every finding has in common: it builds its sheets, and every form is made of these."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hasim.report.forms.csv_text import csv_text
from hasim.report.forms.html_text import html_text
from hasim.report.forms.json_text import json_text, plain_paper
from hasim.report.forms.markdown import markdown
from hasim.report.sheet import Paper, Sheet

FORMS = ("table", "json", "csv", "markdown", "html", "page")
"""The forms that every finding has (html: for a notebook; page: a file by itself); some have others
of their own besides."""


class Finding(ABC):
    """What was found, on paper: a subclass says what is shown, and never how.

    `paper` is for people (terminal, Markdown, HTML); `tidy` and `plain` are for programs (CSV
    and JSON), of the paper unless they say more.
    """

    __slots__ = ()

    @abstractmethod
    def paper(self, *, brief: bool = False) -> Paper:
        """The sheets and sentences that people are shown.

        `brief`: for a terminal, where what has not changed is only counted.
        """

    def tidy(self) -> Sheet:
        """One sheet with one fact a row, in full precision."""
        (sheet,) = self.paper().sheets
        return sheet

    def plain(self) -> Mapping[str, Any] | Sequence[Any]:
        """All of it as plain data."""
        return plain_paper(self.paper())

    def render(self, form: str) -> str:
        """The finding as text that ends in a line feed: one of `FORMS`.

        ``table`` is what a terminal shows, without its colours. Raises ValueError, naming the
        forms, for any other.
        """
        match form:
            case "table":
                return f"{self}\n"
            case "json":
                return json_text(self.plain())
            case "csv":
                return csv_text(self.tidy())
            case "markdown":
                return markdown(self.paper())
            case "html":
                return html_text(self.paper()) + "\n"
            case "page":
                return self.page()
        raise ValueError(f"unknown form {form!r}; expected one of {', '.join(FORMS)}")

    def page(self) -> str:
        """The finding as one HTML file: verdict first, tables that can be sorted.

        Needs nothing from elsewhere: it opens from disk.
        """
        from hasim.report.html.page import html_page, page_of

        return html_page(page_of(self.paper(), type(self).__name__))

    def report(self, path: str | Path) -> Path:
        """Write the page of the finding (see `page`); where to. Raises OSError if that fails."""
        place = Path(path)
        place.write_text(self.page(), encoding="utf-8")
        return place

    def print(self) -> None:
        """Show it on stdout, with colours if that is a terminal."""
        from hasim.report.forms import terminal

        terminal.console().print(terminal.InTerminal(self.paper(brief=True)))

    def __str__(self) -> str:
        """What a terminal shows, without colours, as wide as what it is printed on."""
        from hasim.report.forms import terminal

        paper = terminal.InTerminal(self.paper(brief=True))
        return terminal.to_text(paper, width=terminal.printed_width()).rstrip("\n")

    def _repr_html_(self) -> str:
        """For Jupyter."""
        return html_text(self.paper())
