"""`hasim data` as a command: its text, its JSON, its exit codes."""

import json
from pathlib import Path

import pytest

import hasim
from hasim.scenario.tables.errors import TraceError

from .test_cli import cli

RPM = "time,requests\n2024-05-01T10:00Z,120\n2024-05-01T10:01Z,180\n2024-05-01T10:02Z,90\n"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rpm.csv").write_text(RPM)


def test_it_says_what_a_file_is_and_what_to_paste() -> None:
    result = cli("data", "rpm.csv")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "rpm.csv: 3 rows, 2 columns, separated by commas; header in line 1, rows in the\n"
        "  lines 2 to 4; UTF-8\n"
        "\n"
        "  1 time      times (yyyy-mm-dd), 2024-05-01 10:00:00 to 2024-05-01 10:02:00 UTC\n"
        "              (2m), in order, 1m apart, no gaps\n"
        "  2 requests  whole numbers, 90 to 180\n"
        "\n"
        "As counts of messages in bins of time: 390 messages in 3m, 2.17 a second, in\n"
        "bins of 1m (with each row an arrival, it would be 3).\n"
        "\n"
        "    traffic:\n"
        "      arrivals: {trace: rpm.csv, column: time, count: requests}\n"
    )


def test_json_and_python_say_the_same() -> None:
    found = hasim.data("rpm.csv")
    plain = json.loads(cli("data", "rpm.csv", "--format", "json").stdout)
    assert [use["settings"] for use in plain["uses"]] == [use.settings for use in found.uses]
    assert plain["facts"]["rows"] == found.facts.rows == 3
    assert [column["name"] for column in plain["facts"]["columns"]] == ["time", "requests"]


def test_a_file_that_would_be_refused_exits_2() -> None:
    rows = "".join(f"2024-05-0{d}T10:05Z,2024-05-0{d}T10:00Z\n" for d in (1, 2, 3))
    Path("swapped.csv").write_text(f"start,end\n{rows}")
    result = cli("data", "swapped.csv")
    assert result.exit_code == 2
    assert "As outages it would be refused:\n  line 2: end: ends before it starts" in result.stdout


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rpm.csb", None, "no such file: rpm.csb; did you mean rpm.csv?"),
        ("u16.csv", RPM.encode("utf-16"), "u16.csv: is text in UTF-16, expected UTF-8: convert"),
        ("table.md", b"|a|b|\n|---|---|\n|1|2|\n", "table.md: is a Markdown table"),
        ("ragged.csv", b"a,b\n1,2\n3,4,5\n", "ragged.csv:3: has 3 values, the header has 2"),
        ("mine.yaml", b"{name: x}\0", "(If it is a scenario: hasim validate mine.yaml)"),
        ("empty.csv", b"", "empty.csv is empty; expected a table"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_bad_input(name, content, said) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    result = cli("data", name)
    assert result.exit_code == 2
    assert said in result.stderr
    with pytest.raises(TraceError):
        hasim.data(name)


def test_a_layout_by_set() -> None:
    Path("rtt.csv").write_text("a;b;rtt_us\nx;y;1,250\ny;z;2,500\n")
    result = cli("data", "rtt.csv", "--set", "decimal=comma")
    assert result.exit_code == 0
    assert "3 rtt_us  numbers, 1.25 to 2.5" in result.stdout
    assert "    decimal: comma\n" in result.stdout
    assert cli("data", "rtt.csv").exit_code == 2
    wrong = cli("data", "rpm.csv", "--set", "delimter=comma")
    assert wrong.exit_code == 2
    assert "delimter: unknown key; did you mean delimiter?" in wrong.stderr
    wrong = cli("data", "rpm.csv", "--set", "header=9")
    assert "--set header: line 9 of rpm.csv is none" in wrong.stderr
