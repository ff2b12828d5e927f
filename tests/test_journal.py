"""Journals on disk: what is written is read back; anything else is refused in one line."""

from pathlib import Path

import pytest

from hasim.events import ProbeReply, SendProbe
from hasim.journal import Journal, JournalError, Record, read, write
from hasim.model import Cause

HEADER = b'{"hasim_journal": 2, "horizon_ns": 5}\n'
NOT_A_LINE = "a:2: not a line of a hasim journal: "


@pytest.mark.parametrize("name", ["journal.jsonl", "journal.jsonl.gz"])
def test_a_journal_is_read_back_as_it_was_written(tmp_path, name) -> None:
    journal = Journal({"horizon_ns": 7})
    journal.add(0, "effect", SendProbe("a", 1))
    journal.add(5, "input", ProbeReply("a", 1, Cause.OK))
    write(journal, tmp_path / name)
    again = read(tmp_path / name)
    assert (again.header, again.records) == (journal.header, journal.records)
    assert again.records[0] == Record(0, "effect", SendProbe("a", 1))
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a", b"", "a: empty; expected a hasim journal"),
        ("a", b"name: x\n", "a:1: not a hasim journal: no JSON: Expecting value (column 1)"),
        ("a", b"{}\n", 'a:1: not a hasim journal: expected a header with "hasim_journal": 2'),
        ("a", b"\x89PNG\xff", "a: not a hasim journal: no text in UTF-8"),
        ("a.gz", b"plain text", "a.gz: not a hasim journal: Not a gzipped file (b'pl')"),
        ("a", HEADER + b"5\n", f"{NOT_A_LINE}expected a mapping"),
        (
            "a",
            HEADER + b'{"t": 1, "effect": "SendProbe", "body": {"master": "a"}}\n',
            f"{NOT_A_LINE}probe: field required",
        ),
        ("a", HEADER + b'{"effect": "SendProbe"}\n', f"{NOT_A_LINE}expected t and body"),
        ("a", HEADER + b'{"t": 1}\n', f"{NOT_A_LINE}expected one of input, effect, event, truth"),
        (
            "a",
            HEADER + b'{"t": 1, "input": "Nope", "body": {}}\n',
            f"{NOT_A_LINE}unknown record 'Nope'",
        ),
    ],
)
def test_what_is_no_journal_is_refused(tmp_path, monkeypatch, name, data, message) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(data)
    with pytest.raises(JournalError) as caught:
        read(Path(name))
    assert str(caught.value) == message


def test_a_folder_and_a_missing_file_are_no_journal(tmp_path) -> None:
    with pytest.raises(JournalError, match="not a hasim journal: Is a directory"):
        read(tmp_path)
    with pytest.raises(JournalError, match="not a hasim journal: No such file"):
        read(tmp_path / "none")


@pytest.mark.parametrize("damage", ["torn", "flipped"])
def test_a_damaged_archive_is_refused(tmp_path, damage) -> None:
    journal = Journal({"horizon_ns": 7})
    for number in range(2000):
        journal.add(number, "effect", SendProbe("a", number * number))
    path = tmp_path / "j.jsonl.gz"
    write(journal, path)
    data = bytearray(path.read_bytes())
    if damage == "torn":
        del data[len(data) // 2 :]
    else:  # a block type that deflate does not have
        data[10] |= 0b110
    path.write_bytes(bytes(data))
    with pytest.raises(JournalError):
        read(path)
