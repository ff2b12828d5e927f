"""A sheet as a Markdown table (GitHub Flavored Markdown), for comments and step summaries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from hasim.report.sheet import Column, Field, Paper, Sheet
from hasim.report.visible import visible

_MARKS = re.compile(
    r"[\\|`*~]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # within a word an underscore emphasises nothing
    r"|<(?=[A-Za-z/!?])"  # else it opens no tag
    r"|&(?=#?\w+;)"
    r"|\](?=[(\[])"
)
"""What Markdown would take for more than text."""
_CODE = re.compile(r"(`[^`]+`)")
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
    lines += [
        _row(_field(field, column) for field, column in zip(row, sheet.columns, strict=True))
        for row in sheet.fields()
    ]
    yield "\n".join(lines)
    yield from _sentences([*sheet.said, *sheet.notes])


def _field(field: Field, column: Column) -> str:
    if not column.code or not field.text or "`" in field.text:
        return escaped(field.text)
    code = visible(field.text).replace("|", "\\|")
    return f"`{code}`"


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
    """A text that Markdown shows as it is, in one line; what it has in backquotes is code."""
    parts = _CODE.split(visible(text.replace("\n", " ")))
    marked = (_MARKS.sub(lambda found: "\\" + found[0], part) for part in parts[::2])
    codes = (code.replace("|", "\\|") for code in [*parts[1::2], ""])
    return "".join(part + code for part, code in zip(marked, codes, strict=True))
