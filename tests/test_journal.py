"""Journals on disk: what is written is read back; anything else is refused in one line."""

import os
from pathlib import Path

import pytest

from hasim.appended import BATCH, appended_to, write
from hasim.events import ProbeReply, SendProbe
from hasim.journal import Journal, JournalError, Record, read
from hasim.model import Cause
from hasim.scenario.loader import from_data
from hasim.simulation.control import driver
from hasim.study.execution.replication import simulate_cell

HEADER = b'{"hasim_journal": 6, "horizon_ns": 5}\n'
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
        ("a", b"name: x\n", "a:1: not a hasim journal: not JSON: Expecting value (column 1)"),
        ("a", b"{}\n", 'a:1: not a hasim journal: expected a header with "hasim_journal": 6'),
        ("a", b"\x89PNG\xff", "a:1: not a hasim journal: not a text file in UTF-8"),
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
    with pytest.raises(JournalError, match="not a hasim journal: it is a folder"):
        read(tmp_path)
    with pytest.raises(JournalError, match="not a hasim journal: No such file"):
        read(tmp_path / "none")


def test_a_damaged_archive_is_refused(tmp_path) -> None:
    write(long_journal(), tmp_path / "j.jsonl.gz")
    data = bytearray((tmp_path / "j.jsonl.gz").read_bytes())
    data[10] |= 0b110  # a block type that deflate does not have
    (tmp_path / "j.jsonl.gz").write_bytes(bytes(data))
    with pytest.raises(JournalError):
        read(tmp_path / "j.jsonl.gz")


# -- a journal that was cut ---------------------------------------------------------------


def long_journal() -> Journal:
    journal = Journal({"horizon_ns": 2000})
    for number in range(2000):
        journal.add(number, "effect", SendProbe("a", number * number))
    return journal


@pytest.mark.parametrize("name", ["j.jsonl", "j.jsonl.gz"])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.98])
def test_a_journal_is_read_up_to_where_it_was_cut_and_says_so(tmp_path, name, share) -> None:
    path, journal = tmp_path / name, long_journal()
    write(journal, path)
    assert read(path).cut == ""
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    found = read(path)
    assert 0 < len(found.records) < 2000
    assert found.records == journal.records[: len(found.records)]
    assert found.cut.startswith(f"{path}: ")
    assert f": {len(found.records):,} records were read, up to " in found.cut
    assert found.cut.endswith(" of 2e-06 s")


def test_every_cut_of_a_small_journal(tmp_path) -> None:
    path, journal = tmp_path / "j.jsonl", Journal({"horizon_ns": 5})
    for number in range(3):
        journal.add(number, "effect", SendProbe("a", number))
    write(journal, path)
    whole = path.read_bytes()
    for size in range(whole.index(b"\n") + 1, len(whole)):
        path.write_bytes(whole[:size])
        found = read(path)
        # A record that lacks nothing but the end of its line still counts.
        lines = whole[: size + 1].count(b"\n") - 1
        assert found.records == journal.records[:lines]
        assert bool(found.cut) == (lines < 4)  # the last one says that it is the last


def test_a_header_that_is_cut_is_no_journal(tmp_path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(HEADER[:-4])
    with pytest.raises(JournalError, match=r"j\.jsonl:1: not a hasim journal: not JSON"):
        read(path)


# -- a journal that grows -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["j.jsonl", "j.jsonl.gz"])
def test_a_journal_that_grows_can_be_read_meanwhile(tmp_path, name) -> None:
    whole, growing = long_journal(), Journal({"horizon_ns": 2000})
    with appended_to(tmp_path / name, growing):
        for number, record in enumerate(whole.records, start=1):
            growing.add(*record)
            if number in (1, BATCH - 1, BATCH, 3 * BATCH + 7):
                found = read(tmp_path / name)
                assert found.records == whole.records[: number // BATCH * BATCH]
                assert found.cut
    found = read(tmp_path / name)
    assert (found.records, found.cut) == (whole.records, "")
    write(whole, tmp_path / f"at-once-{name}")
    assert (tmp_path / name).read_bytes() == (tmp_path / f"at-once-{name}").read_bytes()


def test_a_run_that_breaks_off_leaves_the_journal_up_to_there(tmp_path, monkeypatch) -> None:
    """With a message or a probe each 100 ms there are some thousand records."""
    scenario = {
        "horizon": "200s",
        "masters": [{"id": "a"}, {"id": "b"}],
        "detection": {"interval": "100ms", "fast_interval": "100ms", "timeout": "50ms"},
        "probes": "single",
    }
    loaded, file = from_data(scenario), tmp_path / "j.jsonl.gz"
    whole = simulate_cell(loaded, 0, 0, keep=file)
    assert read(file).records == whole.records
    take, calls = driver.take, 0

    def broken(*args):
        nonlocal calls
        calls += 1
        if calls == 2000:
            raise MemoryError
        return take(*args)

    monkeypatch.setattr(driver, "take", broken)
    with pytest.raises(MemoryError):
        simulate_cell(loaded, 0, 0, keep=file)
    found = read(file)
    assert len(found.records) > 2000
    assert found.records == whole.records[: len(found.records)]
    assert " of 200 s" in found.cut


def test_what_was_changed_left_out_or_added_is_not_believed(tmp_path) -> None:
    path = tmp_path / "j.jsonl"
    write(long_journal(), path)
    lines = path.read_bytes().splitlines(keepends=True)
    changed = lines[7].replace(b'"a"', b'"b"')
    for lying in (
        [*lines[:7], changed, *lines[8:]],
        [*lines[:7], *lines[8:]],
        [lines[0].replace(b"2000", b"3000"), *lines[1:]],
    ):
        path.write_bytes(b"".join(lying))
        with pytest.raises(JournalError, match=r"end: it was changed after it had been written"):
            read(path)
    path.write_bytes(b"".join([*lines, lines[-1]]))
    with pytest.raises(JournalError, match=r":2003: not a line of .*: it goes on after its end"):
        read(path)


# -- a journal that lies ---------------------------------------------------------------------

GOOD = b'{"t": 1, "effect": "SendProbe", "body": {"master": "a", "probe": 2}}\n'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (GOOD.replace(b'"t": 1', b'"t": -1'), "t: expected nanoseconds from 0 on"),
        (GOOD.replace(b'"t": 1', b'"t": "1"'), "t: expected nanoseconds from 0 on"),
        (GOOD.replace(b'"t": 1', b'"t": true'), "t: expected nanoseconds from 0 on"),
        (GOOD.replace(b'"t": 1', b'"t": 9223372036854775808'), "t: expected nanoseconds from 0 on"),
        (GOOD.replace(b'"t": 1', b'"t": NaN'), "NaN is no number"),
        (GOOD.replace(b"2}", b'"2"}'), "probe: input should be a valid integer"),
        (GOOD.replace(b"2}", b"2.5}"), "probe: input should be a valid integer"),
        (GOOD.replace(b'"a"', b"7"), "master: input should be a valid string"),
        (GOOD.replace(b'"SendProbe"', b"[1]"), "unknown record [1]"),
        (GOOD.replace(b'"body"', b'"observer": 3, "body"'), "observer: expected a name"),
        (b"[" * 100_000 + b"\n", "it is nested too deeply"),
    ],
)
def test_a_record_that_cannot_be_is_told_with_its_line(tmp_path, line, said) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(HEADER + GOOD + line)
    with pytest.raises(JournalError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:3: not a line of a hasim journal: {said}")


def test_time_does_not_run_back(tmp_path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(HEADER + GOOD.replace(b'"t": 1', b'"t": 2') + GOOD)
    with pytest.raises(JournalError, match=r":3: not a line of a hasim journal: t: time runs back"):
        read(path)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ('"horizon_ns": -1', "horizon_ns: must be at least 0, got -1"),
        ('"horizon_ns": "5"', "horizon_ns: expected a whole number such as 3, got '5'"),
        ('"observers": ["a"]', "observers: expected an object"),
        ('"observers": {"a": {"settings": 3}}', "observers.a.settings: expected an object"),
        ('"cluster": []', "cluster: expected an object"),
        ('"traffic": {"timeout_ns": 0.5}', "traffic.timeout_ns: expected a whole number"),
        ('"seed": 1, "seed": 2', "seed: is given twice"),
        ('"cell": ' + "[" * 100_000, "is nested too deeply"),
    ],
)
def test_a_header_that_cannot_be_is_told_by_its_field(tmp_path, field, said) -> None:
    path = tmp_path / "j.jsonl"
    path.write_text('{"hasim_journal": 6, ' + field + "}\n")
    with pytest.raises(JournalError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:1: not a hasim journal: {said}")


def test_pipes_devices_and_lines_without_an_end(tmp_path, monkeypatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(JournalError, match="it is no regular file"):
            read(path)
    monkeypatch.setattr("hasim.stored.LONGEST_LINE", 1000)
    path = tmp_path / "j.jsonl"
    path.write_bytes(HEADER + b'{"t": 1' + b" " * 2000)
    with pytest.raises(JournalError, match="has more than 1000 bytes"):
        read(path)
