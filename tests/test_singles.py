"""Stretches of probes taken apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from hasim.appended import write
from hasim.events import ProbeReply, ProbeStretch, SendProbe, StatusChanged, WakeUp
from hasim.journal import Journal, read
from hasim.model import Cause, Diagnosis, Status
from hasim.singles import singly
from hasim.times import Times
from hasim.truth import FaultStarted

OK, TIMEOUT = Cause.OK, Cause.TIMEOUT
MASTERS = [{"id": master, "region": "here"} for master in "abc"]
PARTS = {"masters": MASTERS, "partitions": [], "gateways": [], "rtt_ns": []}
CLUSTER = {"cluster": PARTS, "observers": {"o": {}}}


def stretch(master: str, probe: int, sent: list[int], took: list[int], cause: Cause = OK):
    under_way = sent[len(took)] if len(sent) > len(took) else None
    ended = [at + each for at, each in zip(sent, took, strict=False)]
    return ProbeStretch(master, probe, cause, Times(ended), Times(took), under_way)


def journal(*records: tuple[int, object]) -> Journal:
    made = Journal(CLUSTER)
    for t_ns, body in records:
        kind = type(body).__name__
        lane = {"SendProbe": "effect", "StatusChanged": "event", "FaultStarted": "truth"}
        made.add(t_ns, lane.get(kind, "input"), body, "" if kind == "FaultStarted" else "o")
    return made


def told(made: Journal) -> list[tuple[int, object]]:
    return [(record.t_ns, record.body) for record in singly(made).records]


def test_a_stretch_is_wake_ups_probes_and_answers() -> None:
    made = journal((30, stretch("a", 4, [10, 20, 29], [3, 4])))
    assert told(made) == [
        (10, WakeUp()), (10, SendProbe("a", 4)), (13, ProbeReply("a", 4, OK)),
        (20, WakeUp()), (20, SendProbe("a", 5)), (24, ProbeReply("a", 5, OK)),
        (29, WakeUp()), (29, SendProbe("a", 6)),
    ]  # fmt: skip
    assert {record.observer for record in singly(made).records} == {"o"}


def test_probes_that_nobody_answers_end_by_wake_ups() -> None:
    made = journal((40, stretch("a", 1, [10, 30], [5], TIMEOUT)))
    expected = [(10, WakeUp()), (10, SendProbe("a", 1)), (15, WakeUp())]
    assert told(made) == [*expected, (30, WakeUp()), (30, SendProbe("a", 2))]


def test_one_wake_up_is_for_all_masters_in_their_order() -> None:
    made = journal(
        (50, stretch("c", 1, [10], [5], TIMEOUT)),
        (51, stretch("b", 1, [15], [2])),
        (52, stretch("a", 7, [15], [2])),
    )
    assert told(made) == [
        (10, WakeUp()), (10, SendProbe("c", 1)),
        (15, WakeUp()), (15, SendProbe("a", 7)), (15, SendProbe("b", 1)),
        (17, ProbeReply("a", 7, OK)), (17, ProbeReply("b", 1, OK)),
    ]  # fmt: skip


def test_answers_at_one_instant_are_in_the_order_of_sending() -> None:
    made = journal(
        (8, WakeUp()), (8, SendProbe("c", 2)),
        (20, FaultStarted(1, "crash", ("a",), True, "")),
        (20, ProbeReply("c", 2, OK)),
        (20, WakeUp()),
        (30, stretch("a", 1, [7], [13])),
        (30, stretch("b", 1, [9], [11])),
    )  # fmt: skip
    assert told(made)[6:] == [
        (20, FaultStarted(1, "crash", ("a",), True, "")),
        (20, ProbeReply("a", 1, OK)),
        (20, ProbeReply("c", 2, OK)),
        (20, ProbeReply("b", 1, OK)),
        (20, WakeUp()),
    ]


def test_outputs_stay_with_their_input() -> None:
    event = StatusChanged("c", Status.HEALTHY, Status.SUSPECT, Diagnosis.NONE, "")
    made = journal((20, ProbeReply("c", 2, TIMEOUT)), (20, event), (30, stretch("a", 1, [19], [1])))
    assert told(made)[2:] == [
        (20, ProbeReply("c", 2, TIMEOUT)), (20, event), (20, ProbeReply("a", 1, OK)),
    ]  # fmt: skip


def test_a_journal_without_stretches_is_what_it_is() -> None:
    made = journal((8, WakeUp()), (8, SendProbe("c", 2)))
    assert singly(made) is made


def test_a_stretch_is_written_and_read(tmp_path: Path) -> None:
    made = journal((30, stretch("a", 4, [10, 20, 2**50], [3, 4])))
    write(made, tmp_path / "j.jsonl")
    assert read(tmp_path / "j.jsonl") == made
    assert '"ended_ns":[13,24],"took_ns":[3,4]' in (tmp_path / "j.jsonl").read_text()


def test_times_are_a_sequence_that_nobody_changes() -> None:
    times = Times([5, 7, 9])
    assert list(times) == [5, 7, 9]
    assert times[1:] == Times([7, 9])
    assert times[-1] == 9
    assert hash(times) == hash(Times(times))
    assert times != Times([5])
    assert times != [5, 7, 9]
    with pytest.raises(TypeError):
        times[0] = 1  # type: ignore[index]
