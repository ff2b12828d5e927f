"""A sheet as HTML, for notebooks and pages: plain tables that a style sheet may dress."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping

from hasim.report.sheet import Column, Field, Paper, Sheet
from hasim.report.visible import visible


def html_text(paper: Paper) -> str:
    """A paper as a fragment of a page; the headline comes first."""
    return "".join(_parts(paper))


def _parts(paper: Paper) -> Iterator[str]:
    if paper.title:
        yield f"<h2>{escaped(paper.title)}</h2>"
    if paper.headline is not None:
        yield f"<p>{_dressed(escaped(paper.headline.text), paper.headline)}</p>"
    for sheet in paper.sheets:
        yield table(sheet)
    yield from map(paragraph, [*paper.said, *paper.notes])


def table(sheet: Sheet, *, sortable: bool = False) -> str:
    """A sheet with the sentences below it.

    `sortable`: headings are buttons, and a field carries its number, for the script of a page.
    """
    caption = f"<caption>{escaped(sheet.caption)}</caption>" if sheet.caption else ""
    press = '<button type="button">{}</button>' if sortable else "{}"
    heads = "".join(
        f'<th scope="col"{_aligned(column)}>{press.format(escaped(column.heading))}</th>'
        for column in sheet.columns
    )
    rows = (_row(sheet, row, sortable=sortable) for row in sheet.fields())
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    below = "".join(map(paragraph, [*sheet.said, *sheet.notes]))
    return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>{below}"


def _row(sheet: Sheet, row: list[Field], *, sortable: bool) -> Iterator[str]:
    for place, (column, field) in enumerate(zip(sheet.columns, row, strict=True)):
        tag = 'th scope="row"' if place < sheet.names else "td"
        shown = _shown(field, stacked=sheet.stacked and column.align == "right")
        if column.code and field.text:
            shown = f"<code>{shown}</code>"
        number = _number(field) if sortable else ""
        yield f"<{tag}{_aligned(column)}{number}>{shown}</{tag[:2]}>"


def _number(field: Field) -> str:
    """What a field is sorted by, if that is a number."""
    plain = field.plain
    if isinstance(plain, Mapping):
        plain = plain.get("value")
    known = isinstance(plain, int | float) and not isinstance(plain, bool)
    return f' data-value="{plain!r}"' if known else ""


def _shown(field: Field, *, stacked: bool) -> str:
    if not stacked or len(field.lines) < 2:
        return _dressed(escaped(field.text), field)
    point, *below = map(escaped, field.lines)
    below[-1] = _dressed(below[-1], field)
    return point + "".join(f"<br><small>{line}</small>" for line in below)


def _dressed(shown: str, field: Field) -> str:
    return f'<strong class="{field.mood}">{shown}</strong>' if field.mood else shown


def _aligned(column: Column) -> str:
    return f' style="text-align: {column.align}"'


def paragraph(text: str) -> str:
    """A sentence of its own."""
    return f"<p>{escaped(text)}</p>"


def escaped(text: str) -> str:
    """A text that a browser shows as it is."""
    return html.escape(visible(text.replace("\n", " ")))
