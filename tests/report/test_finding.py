"""A finding that only builds its sheet gets all five forms, and shows itself."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET

import pytest

from hasim.report.finding import FORMS, Finding
from hasim.report.sheet import Column, Field, Paper, Sheet
from hasim.study.estimates.estimate import Estimate

OUTAGE = Estimate("outage.mean", "s", 2.31, 2.2, 2.45, 120, "Student t")


class Weather(Finding):
    """A toy: how long it rained, and on how many days."""

    def paper(self, *, brief: bool = False) -> Paper:
        sheet = Sheet(
            [
                Column("town"),
                Column("rain", unit="s", align="right"),
                Column("days\nin all", key="days", align="right"),
                Column("good?"),
            ],
            [
                ["Bergen", OUTAGE, 1200, Field("no", mood="bad")],
                ["Atacama", None, 0, Field("yes", mood="good")],
            ],
            "rain",
            said=["Bergen is wet."],
            notes=["Each rain with its interval."],
        )
        return Paper([sheet], headline=Field("take an umbrella"), title="Weather")


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_a_terminal_shows_a_table_its_sentences_and_last_the_headline():
    assert Weather().render("table").splitlines() == [
        "rain",
        "",
        " town                    rain  days in all  good?",
        " ────────────────────────────────────────────────",
        " Bergen   2.31 s [2.20, 2.45]        1,200  no",
        " Atacama                    -            0  yes",
        "",
        "Bergen is wet.",
        "Each rain with its interval.",
        "",
        "take an umbrella",
    ]


def test_markdown_begins_with_the_headline():
    assert Weather().render("markdown").splitlines() == [
        "## Weather",
        "",
        "**take an umbrella**",
        "",
        "**rain**",
        "",
        "| town | rain | days in all | good? |",
        "| --- | ---: | ---: | --- |",
        "| Bergen | 2.31 s [2.20, 2.45] | 1,200 | no |",
        "| Atacama | - | 0 | yes |",
        "",
        "- Bergen is wet.",
        "- Each rain with its interval.",
    ]


def test_csv_has_the_numbers_in_full_and_a_column_for_each_bound():
    rows = list(csv.reader(io.StringIO(Weather().render("csv"))))
    assert rows == [
        ["town", "rain", "rain_low", "rain_high", "rain_n", "days", "good?"],
        ["Bergen", "2.31", "2.2", "2.45", "120", "1200", "no"],
        ["Atacama", "", "", "", "", "0", "yes"],
    ]


def test_json_has_the_rows_by_the_names_for_programs():
    data = json.loads(Weather().render("json"))
    (sheet,) = data["sheets"]
    assert (data["title"], data["headline"]) == ("Weather", "take an umbrella")
    assert [column["key"] for column in sheet["columns"]] == ["town", "rain", "days", "good?"]
    first, second = sheet["rows"]
    assert (first["rain"]["low"], first["rain"]["unit"], first["days"]) == (2.2, "s", 1200)
    assert second == {"town": "Atacama", "rain": None, "days": 0, "good?": "yes"}
    assert (sheet["said"], sheet["notes"]) == (["Bergen is wet."], ["Each rain with its interval."])


def test_html_is_well_formed_and_says_the_same():
    page = ET.fromstring(f"<div>{Weather().render('html')}</div>")
    table = page.find("table")
    assert table.findtext("caption") == "rain"
    heads = [head.text for head in table.iterfind("thead/tr/th")]
    assert heads == ["town", "rain", "days in all", "good?"]
    rows = [["".join(field.itertext()) for field in row] for row in table.iterfind("tbody/tr")]
    assert rows == [["Bergen", "2.31 s [2.20, 2.45]", "1,200", "no"], ["Atacama", "-", "0", "yes"]]
    assert [word.get("class") for word in table.iter("strong")] == ["bad", "good"]
    assert [p.text for p in page.iterfind("p")][1:] == [
        "Bergen is wet.",
        "Each rain with its interval.",
    ]


def test_it_shows_itself(capsys):
    assert Weather()._repr_html_() + "\n" == Weather().render("html")
    Weather().print()
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    print(Weather())  # noqa: T201
    assert capsys.readouterr().out.splitlines() == printed


def test_an_unknown_form_names_the_known():
    with pytest.raises(ValueError, match=", ".join(FORMS)):
        Weather().render("pdf")
