"""The forms of sheets whose texts are hostile or odd, in terminals of any width."""

from __future__ import annotations

import csv
import dataclasses
import html
import io
import json
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from hasim.report.forms.csv_text import csv_text
from hasim.report.forms.html_text import html_text
from hasim.report.forms.json_text import json_text, plain_paper
from hasim.report.forms.markdown import markdown
from hasim.report.forms.terminal import InTerminal, to_text
from hasim.report.sheet import Column, Field, Paper, Sheet
from hasim.report.visible import cell, visible
from hasim.study.estimates.estimate import Estimate

HOSTILE = (
    "\x1b[31mred\x1b[0m\x07\r\n\x9b2J\u202egnp\u2066 <script>x</script> a|b `c` *d* [e](f) &amp;"
)


def everywhere(text: str) -> Paper:
    """A paper with a text wherever there is one."""
    field = Field(text, (text, text))
    sheet = Sheet([Column(text), Column("n", align="right")], [[text, field]], text, [text], [text])
    return Paper([sheet], [text], [text], Field(text), text)


FORMS = {
    "terminal": lambda paper: to_text(InTerminal(paper)),
    "markdown": markdown,
    "csv": lambda paper: csv_text(paper.sheets[0]),
    "json": lambda paper: json_text(plain_paper(paper)),
    "html": html_text,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_nothing_that_acts_gets_out(form):
    text = form(everywhere(HOSTILE))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_what_acts_is_shown_as_an_escape_and_the_rest_as_it_is():
    assert visible("\x1b[31m\x9b\u202e\ud800") == r"\x1b[31m\x9b\u202e\ud800"
    assert visible("Zürich 東京 – naïve 👍🏽 a‍b") == "Zürich 東京 – naïve 👍🏽 a‍b"


def test_programs_read_json_as_it_was_and_csv_with_escapes():
    data = json.loads(json_text(plain_paper(everywhere(HOSTILE))))
    assert data["sheets"][0]["rows"][0]["n"] == HOSTILE
    (heads, row) = csv.reader(io.StringIO(csv_text(everywhere(HOSTILE).sheets[0])))
    assert heads[0] == visible(HOSTILE.replace("\n", " "))
    assert row[0] == row[1] == visible(HOSTILE)


@pytest.mark.parametrize("text", ["=1+1|x", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)"])
def test_no_cell_of_csv_is_a_formula(text):
    (heads, row) = csv.reader(io.StringIO(csv_text(everywhere(text).sheets[0])))
    assert heads[0] == row[0] == f"'{text}"
    assert cell("-") == "-"
    assert cell("a=1") == "a=1"


def test_html_holds_a_text_and_no_tag():
    page = ET.fromstring(f"<div>{html_text(everywhere(HOSTILE))}</div>")
    assert not list(page.iter("script"))
    assert page.findtext("table/caption") == visible(HOSTILE.replace("\n", " "))


def test_markdown_shows_a_text_and_no_mark():
    text = markdown(everywhere(HOSTILE))
    row = next(line for line in text.splitlines() if line.startswith("| ") and "red" in line)
    assert len(re.findall(r"(?<!\\)\|", row)) == 3  # two columns
    assert r"\<script>" in row
    assert r"`c` \*d\* [e\](f) \&amp;" in row
    assert markdown(Paper([], ["> x", "- y", "1. z", "[a]: b"])) == (
        "- \\> x\n- \\- y\n- \\1. z\n- \\[a]: b\n"
    )


def test_markdown_has_what_is_typed_as_code():
    sheet = Sheet([Column("name", code=True)], [["a_b|*c*"], ["d`e"], [""]])
    assert markdown(Paper([sheet])).splitlines()[2:] == ["| `a_b\\|*c*` |", "| d\\`e |", "|  |"]
    assert "<code>d`e</code>" in html_text(Paper([sheet]))


def test_a_sheet_of_entries_is_read_like_a_dictionary():
    columns = [
        Column("name", entry="{}"),
        Column("default", entry=" = {}"),
        Column("meaning"),
        Column("source", entry="\nSource: {}"),
    ]
    about = Field("one; two", ("- one: " + "long " * 12, "- two {}"))
    sheet = Sheet(columns, [["a.b", "3", "", "HAProxy"], ["c", "", about, ""]], look="entries")
    paper = Paper([sheet, dataclasses.replace(sheet, rows=[], caption="more")], notes=["Note."])
    assert to_text(InTerminal(paper), width=50).splitlines() == [
        "  a.b = 3",
        "      Source: HAProxy",
        "  c",
        "      - one: long long long long long long long",
        "        long long long long long",
        "      - two {}",
        "",
        "more",
        "",
        "Note.",
    ]


def test_markdown_leaves_alone_what_is_no_mark():
    plain = "detection_time.p99 < 5s: 2.31 s [2.20, 2.45]; -1 & +2, x = y (a/b)"
    assert markdown(Paper([], [plain])) == f"{plain}\n"


def test_html_stacks_what_a_stacked_sheet_stacks():
    sheet = Sheet(
        [Column("a"), Column("b", align="right")],
        [["x", Field("1 [0, 2]", ("1", "0-2", "<bad>"), mood="bad")]],
        stacked=True,
    )
    assert '1<br><small>0-2</small><br><small><strong class="bad">&lt;bad&gt;</strong></small>' in (
        html_text(Paper([sheet]))
    )


NUMBERS = st.floats(1e-6, 1e6).map(
    lambda value: Estimate("m", "s", value, value / 3, value * 3, 9, "Student t")
)
WORDS = st.text(st.sampled_from("abcdefgh é東"), min_size=1, max_size=24)


@st.composite
def sheets(draw):
    """Sheets of one to seven columns of numbers, some of them in groups."""
    count = draw(st.integers(1, 7))
    groups = draw(st.lists(st.sampled_from(["", "one", "two"]), min_size=count, max_size=count))
    columns = [Column(draw(WORDS))] + [
        Column(draw(WORDS), align="right", group=group) for group in groups
    ]
    rows = draw(
        st.lists(
            st.tuples(WORDS, *[st.one_of(NUMBERS, st.none(), st.integers())] * count).map(list),
            max_size=4,
        )
    )
    caption = draw(st.one_of(st.just(""), WORDS))
    return Sheet(columns, rows, caption, stacked=draw(st.booleans()))


@settings(max_examples=60)
@given(sheets(), st.integers(36, 160))
def test_no_number_is_cut_and_no_line_too_long(sheet, width):
    text = to_text(InTerminal(Paper([sheet])), width=width)
    assert all(cell_len(line) <= width for line in text.splitlines())
    assert "…" not in text
    for row in sheet.fields():
        for column, field in zip(sheet.columns, row, strict=True):
            if column.align == "right":
                whole = field.text in text
                assert whole or all(line in text for line in field.lines)
    assert html.unescape("".join(html_text(Paper([sheet])).split()))


@settings(max_examples=30)
@given(sheets())
def test_every_form_has_each_row_once(sheet):
    paper = Paper([sheet])
    table = [line for line in markdown(paper).splitlines() if line.startswith("|")]
    assert len(table) == len(sheet.rows) + 2
    assert len(list(csv.reader(io.StringIO(csv_text(sheet))))) == len(sheet.rows) + 1
    assert len(json.loads(json_text(plain_paper(paper)))["sheets"][0]["rows"]) == len(sheet.rows)
    assert html_text(paper).count("<tr>") == len(sheet.rows) + 1
