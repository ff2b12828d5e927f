"""A page: what was found first, then sections of sentences, tables and figures.

One file that opens from disk: style, script, charting library and data stand in it, and its
security policy lets a browser load nothing else. Data go in as JSON, all other text escaped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from hasim.report.forms.html_text import escaped, paragraph, table
from hasim.report.html import lanes, library
from hasim.report.sheet import Field, Paper, Sheet, finite
from hasim.report.visible import visible
from hasim.version import __version__

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:"
)
"""No network. Vega compiles expressions (unsafe-eval); they are ours, never of a file."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure of a page: a Vega-Lite specification, and its data as columns of equal length.

    `about` says in a sentence what is drawn, for those who do not see it as well. The data are
    named ``rows`` in `spec`; a value is a number, a text or None.
    """

    name: str
    title: str
    about: str
    spec: Mapping[str, Any]
    columns: Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Grid:
    """Small figures, side by side where there is room."""

    charts: Sequence[Chart]


@dataclass(frozen=True, slots=True)
class Explorer:
    """Incidents to choose from, each with its timeline: columns, and details by number.

    `words` says what each column is; `command` is what tells the story of one that has no details.
    """

    columns: Mapping[str, Sequence[Any]]
    words: Mapping[str, str]
    details: Mapping[int, Mapping[str, Any]]
    command: str


Block = Sheet | Chart | Grid | Explorer | str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands below it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page; `headline` and `said` are the verdict, `notes` what it rests on."""

    title: str
    headline: Field | None
    said: Sequence[str]
    sections: Sequence[Section] = field(default_factory=tuple)
    notes: Sequence[str] = ()


def page_of(paper: Paper, title: str) -> Page:
    """The page of a finding that has nothing but its paper."""
    sections = [Section(sheet.caption or "Results", [sheet]) for sheet in paper.sheets]
    return Page(paper.title or title, paper.headline, paper.said, sections, paper.notes)


def html_page(page: Page) -> str:
    """The page as a file. Raises `hasim.report.html.library.NoLibraryError` without the library."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Page) -> Iterator[str]:
    title = escaped(page.title)
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<meta name="generator" content="hasim {escaped(__version__)}">'
    yield f"<title>{title} - hasim</title>"
    yield f"<style>{_own('page.css')}</style></head><body>"
    yield f'<a class="skip" href="#verdict">To the verdict</a><header><h1>{title}</h1>'
    yield _THEME
    yield _contents(page.sections)
    yield '</header><main><section id="verdict"><h2>Verdict</h2>'
    if page.headline is not None:
        mood = f" {page.headline.mood}" if page.headline.mood else ""
        yield f'<p class="headline{mood}">{escaped(page.headline.text)}</p>'
    yield from map(paragraph, page.said)
    yield "</section>"
    for number, section in enumerate(page.sections, 1):
        yield f'<section id="part-{number}"><h2>{escaped(section.title)}</h2>'
        yield from map(_block, section.blocks)
        yield "</section>"
    if page.notes:
        yield '<section id="basis"><h2>What the numbers rest on</h2>'
        yield from map(paragraph, page.notes)
        yield "</section>"
    yield f"</main><footer><p>Made by hasim {escaped(__version__)}.</p></footer>"
    yield '<p id="said" class="unseen" role="status"></p>'
    yield f'<script type="application/json" id="data">{_data(page)}</script>'
    if any(isinstance(one, Chart | Grid | Explorer) for s in page.sections for one in s.blocks):
        yield f"<script>{library.script()}</script>"
    yield f"<script>{_own('figures.js')}{_own('page.js')}{_own('incidents.js')}</script>"
    yield "</body></html>"


_THEME = (
    '<p class="theme"><label>Colours <select id="theme"><option value="auto">as the system'
    '<option value="light">light<option value="dark">dark</select></label></p>'
)


def _contents(sections: Sequence[Section]) -> str:
    links = "".join(
        f'<li><a href="#part-{number}">{escaped(section.title)}</a></li>'
        for number, section in enumerate(sections, 1)
    )
    return f'<nav aria-label="Contents"><ul>{links}</ul></nav>' if links else ""


def _block(block: Block) -> str:
    if isinstance(block, str):
        return paragraph(block)
    if isinstance(block, Sheet):
        label = escaped(block.caption or "Table")
        return (
            f'<div class="wide" role="region" tabindex="0" aria-label="{label}">'
            f"{table(block, sortable=True)}</div>"
        )
    if isinstance(block, Explorer):
        return '<div id="incidents"></div>'
    if isinstance(block, Grid):
        return f'<div class="small">{"".join(map(_figure, block.charts))}</div>'
    return _figure(block)


def _figure(chart: Chart) -> str:
    name = escaped(chart.name)
    return (
        f'<figure id="figure-{name}" data-figure="{name}"><figcaption><h3>{escaped(chart.title)}'
        f"</h3><p>{escaped(chart.about)}</p></figcaption>"
        f'<div class="chart"></div></figure>'
    )


def _data(page: Page) -> str:
    """The data of the figures as JSON that cannot end its script element."""
    blocks = [block for section in page.sections for block in section.blocks]
    data: dict[str, Any] = {
        "figures": {
            one.name: {"title": one.title, "spec": one.spec, "columns": one.columns}
            for one in _charts(blocks)
        }
    }
    for one in blocks:
        if isinstance(one, Explorer):
            data["timeline"] = lanes.specifications()
            data["incidents"] = {
                "columns": one.columns,
                "words": one.words,
                "details": one.details,
                "command": one.command,
            }
    return embedded(data)


def _charts(blocks: Sequence[Block]) -> Iterator[Chart]:
    for block in blocks:
        if isinstance(block, Chart):
            yield block
        elif isinstance(block, Grid):
            yield from block.charts


def embedded(data: Mapping[str, Any]) -> str:
    """Plain data as JSON inside a page; what would act instead of being seen is escaped."""
    text = json.dumps(_seen(finite(data)), separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _seen(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {key: _seen(part) for key, part in value.items()}
    return [_seen(part) for part in value] if isinstance(value, list | tuple) else value


def _own(name: str) -> str:
    """A file of ours beside this one."""
    return (resources.files(__package__) / name).read_text(encoding="utf-8")
