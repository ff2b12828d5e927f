"""A sheet as a Markdown table (GitHub Flavored Markdown), for comments and step summaries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from hasim.report.sheet import Paper, Sheet
from hasim.report.visible import visible

_MARKS = re.compile(
    r"[\\|`*~]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # within a word an underscore emphasises nothing
    r"|<(?=[A-Za-z/!?])"  # else it opens no tag
    r"|&(?=#?\w+;)"
    r"|\](?=[(\[])"
)
"""What Markdown would take for more than text."""
_OPENS = re.compile(r"^(?=[>\[]|[#+-]+\s|\d+[.)]\s)")
"""Where a sentence begins like a quotation, a reference, a heading or a list."""


def markdown(paper: Paper) -> str:
    """A paper as text that ends in a line feed; the headline comes first."""
    return "\n\n".join(_blocks(paper)) + "\n"


def _blocks(paper: Paper) -> Iterator[str]:
    if paper.title:
        yield f"## {escaped(paper.title)}"
    if paper.headline is not None:
        yield f"**{escaped(paper.headline.text)}**"
    for sheet in paper.sheets:
        yield from _sheet(sheet)
    yield from _sentences([*paper.said, *paper.notes])


def _sheet(sheet: Sheet) -> Iterator[str]:
    if sheet.caption:
        yield f"**{escaped(sheet.caption)}**"
    aligned = ["---:" if column.align == "right" else "---" for column in sheet.columns]
    lines = [_row(escaped(column.heading) for column in sheet.columns), _row(aligned)]
    lines += [_row(escaped(field.text) for field in row) for row in sheet.fields()]
    yield "\n".join(lines)
    yield from _sentences([*sheet.said, *sheet.notes])


def _sentences(sentences: Sequence[str]) -> Iterator[str]:
    """One is a paragraph, several are a list."""
    lines = [_OPENS.sub(r"\\", escaped(sentence)) for sentence in sentences]
    if len(lines) == 1:
        yield lines[0]
    elif lines:
        yield "\n".join(f"- {line}" for line in lines)


def _row(fields: Iterable[str]) -> str:
    return "| " + " | ".join(fields) + " |"


def escaped(text: str) -> str:
    """A text that Markdown shows as it is, in one line."""
    return _MARKS.sub(lambda found: "\\" + found[0], visible(text.replace("\n", " ")))
