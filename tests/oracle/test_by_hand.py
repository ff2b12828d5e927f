from __future__ import annotations

import dataclasses

import pytest

from hasim.events import (
    AlertChanged,
    Demote,
    FailoverChanged,
    MasterState,
    OwnerChanged,
    Promote,
    PromoteResult,
    PublishRouting,
    Restart,
    RoutingAck,
    StartMaintenance,
    StatusChanged,
    TakeSnapshot,
    TermBegun,
    TermEnded,
    TransferState,
    WakeUp,
)
from hasim.journal import Journal
from hasim.model import Cause, Diagnosis, Ownership, RoutingTable, Severity, Status
from hasim.oracle import INVARIANTS, Breach, check, difference
from hasim.truth import (
    Acknowledging,
    AttemptRollup,
    LatencySketch,
    MessageRecord,
    TrafficRollup,
    Writers,
    WritesHeld,
    WritesLost,
)
from hasim.units import SECOND
from tests.measures.story import OBSERVER, Story, happy

TOLD = (
    *("one-primary", "no-needless-power-off", "epochs-grow", "messages-conserved"),
    *("writes-conserved", "legal-steps", "time-forward"),
)
"""What can be told of a story: it has no orders, answers, probes and routing."""


def looked_at(journal: Journal) -> list[Breach]:
    return check(journal, [INVARIANTS.known[name] for name in TOLD])


def found(story: Story) -> list[tuple[str, float, str]]:
    return [(b.invariant, b.t_ns / 1e9, b.subject) for b in looked_at(story.journal())]


def sound(fencing: str = "confirmed") -> Story:
    story = Story(fencing=fencing)
    happy(story, 1, "a", [12, 12, 13, 13, 14, 15, 16])
    story.promoted(15, "p1", "b", 1, epoch=2)
    story.truth(15, WritesLost("p1", 1, 3, 300, 10, OBSERVER))
    story.truth(100, WritesHeld("p1", 43, 40))
    story.truth(100, TrafficRollup(0, "a", "ordinary", "ok", 2, 1, 3))
    story.truth(100, TrafficRollup(90 * 10**9, "a", "ordinary", "ok", 1, 1, 1, settled=False))
    story.truth(100, TrafficRollup(0, "a", "ordinary", "timeout", 1, 0, 1))
    story.truth(100, AttemptRollup("a", Cause.OK, 3))
    story.truth(100, AttemptRollup("a", Cause.TIMEOUT, 2))
    story.truth(100, LatencySketch("ordinary", 0.01, ((5, 5, 1), (6, 6, 2))))
    singles = [(0, "ok"), (1, "ok"), (2, "timeout"), (95 * 10**9, "ok")]
    for number, (arrived_ns, outcome) in enumerate(singles):
        story.truth(
            100,
            MessageRecord(
                number, arrived_ns, arrived_ns + 9, "west", "ordinary", "p1", "a", outcome, 1
            ),
        )
    return story


def test_a_sound_journal_has_no_violation() -> None:
    assert found(sound()) == []


def test_two_writers_under_confirmed_fencing() -> None:
    story = sound()
    story.truth(20, Writers("p2", ("a", "b")))
    story.truth(21, Writers("p2", ("b",)))
    assert found(story) == [("one-primary", 20, "p2")]
    story.header["observers"][OBSERVER]["one_primary"] = False
    assert found(story) == []


def powered_off(*told: StatusChanged | StartMaintenance) -> list[tuple[str, float, str]]:
    """b, which serves p2, is powered off at 40 s, after what the observer was told or said."""
    story = sound()
    story.status(1, "b", Status.HEALTHY)
    story.up(1, "p2", "b")
    for body in told:
        story.tell(40, "input" if isinstance(body, StartMaintenance) else "event", body)
    story.fenced("b", 7, 40, 50)
    return [one for one in found(story) if one[0] == "no-needless-power-off"]


def test_nobody_powers_off_a_healthy_owner_that_serves() -> None:
    assert powered_off() == [("no-needless-power-off", 40, "b")]


def test_who_was_declared_at_that_very_instant_may_be_powered_off() -> None:
    """By a device without latency; and so may one that an operator has ordered away."""
    failed = StatusChanged("b", Status.HEALTHY, Status.FAILED, Diagnosis.UNREACHABLE, "silent")
    assert powered_off(failed) == []
    assert powered_off(StartMaintenance("b")) == []


def test_an_epoch_that_does_not_grow() -> None:
    story = sound()
    story.event(30, OwnerChanged("p1", "c", 2, 2))
    assert found(story) == [("epochs-grow", 30, "p1")]


def kept(*told: tuple[float, object]) -> list[Breach]:
    """b is promoted for p1 at 50 s, and the writes of the last 10 s are lost; a owns p1."""
    story = Story()
    story.truth(0, Writers("p1", ("a",)))
    for t_s, body in told:
        story.truth(t_s, body)
    story.tell(50, "effect", Promote(5, ("p1",), "b", 9))
    story.truth(50, WritesLost("p1", 5, 3, 300, 10 * SECOND, OBSERVER))
    return check(story.journal(), [INVARIANTS.known["acknowledged-kept"]])


WAITS, WAITS_NO_MORE = (Acknowledging("p1", "a", to, held=False) for to in (("b",), ()))


def test_who_was_waited_for_loses_nothing() -> None:
    assert [breach.t_ns for breach in kept((1, WAITS))] == [50 * SECOND]
    assert len(kept((1, WAITS), (45, WAITS_NO_MORE))) == 1  # the oldest of the lost it had
    assert kept((1, WAITS), (39, WAITS_NO_MORE)) == []
    assert kept((41, WAITS)) == []
    assert kept() == []


def test_whoever_accepts_no_writes_any_more_waits_for_nobody() -> None:
    """It was powered off while it waited for b; c took over, waited for nobody, and died too."""
    off = (20, Writers("p1", ()))
    assert kept((1, WAITS), off, (21, Writers("p1", ("c",)))) == []
    assert len(kept((1, WAITS), off, (30, Writers("p1", ("a",))))) == 1  # it is back


def confirms(promotion: str, said: PromoteResult | MasterState, epoch: int = 9) -> bool:
    """Whether b may be taken for the owner of p1 when it says that, ordered under an epoch."""
    story = Story()
    story.header["observers"][OBSERVER]["settings"] = {"failover": {"promotion": promotion}}
    story.tell(50, "effect", Promote(5, ("p1",), "b", epoch))
    story.tell(51, "input", said)
    story.event(51, OwnerChanged("p1", "b", 9, 5))
    return not check(story.journal(), [INVARIANTS.known["owners-confirm"]])


def test_owners_confirm_as_the_setting_says() -> None:
    answer = PromoteResult(5, "b", Cause.OK, 9, 0)
    role = MasterState("b", 1, (Ownership("p1", "b", 9),))
    assert confirms("by-answer", answer)
    assert confirms("by-role", role)
    assert not confirms("by-answer", role)
    assert not confirms("by-role", answer)
    assert not confirms("by-answer", answer, epoch=8)
    assert not confirms("by-role", role, epoch=8)
    assert not confirms("by-answer", PromoteResult(5, "b", Cause.REFUSED, 9, 0))


def ends(evaluation: str, *told: tuple[float, Status | Severity]) -> list[tuple[float, str]]:
    """What is said of a master that fails and returns, and of its alert; each by a wake-up."""
    story = Story()
    story.header["observers"][OBSERVER]["settings"] = {
        "monitor": {"evaluation": evaluation, "hold": "5s"}
    }
    for t_s, what in told:
        story.tell(t_s, "input", WakeUp())
        if isinstance(what, Status):
            story.status(t_s, "a", what)
        else:
            story.event(t_s, AlertChanged(1, "master:a", what, "a lie"))
    breaches = check(story.journal(), [INVARIANTS.known["alerts-end"]])
    return [(breach.t_ns / SECOND, breach.text.partition(",")[0]) for breach in breaches]


FAILS, RETURNS, RAISED, RESOLVED = (
    *(Status.FAILED, Status.HEALTHY),
    *(Severity.CRITICAL, Severity.RESOLVED),
)


def test_alerts_come_and_go_with_an_evaluation_and_no_later() -> None:
    came = ((12, FAILS), (20, RAISED), (31, RETURNS))
    assert ends("10s", *came, (50, RESOLVED)) == []
    assert ends("0s", *came, (50, RESOLVED))[0] == (12, "its cause is there")
    assert ends("10s", *came) == [(100, "open 69000000000 ns after its cause has gone")]
    assert ends("10s", *came, (57, RESOLVED)) == [
        (57, "open 26000000000 ns after its cause has gone")
    ]
    assert ends("10s", (12, FAILS), (23, Status.SUSPECT)) == [(23, "its cause is there")]
    early = ends("10s", (12, FAILS), (20, RAISED), (30, RESOLVED))
    assert (30, "resolved") in early


def sent_to_b(*acknowledged: tuple[int, int]) -> bool:
    """Whether a message may go to b, by a table (1, 2), after one without b: (5, 3)."""
    story = Story()
    story.header["requests"] = {"keeps": False}
    for term, version, eligible in ((1, 2, ("b",)), (5, 3, ("a",))):
        story.tell(version, "input", WakeUp())
        table = RoutingTable(version, eligible, (), "round-robin", term=term)
        story.tell(version, "effect", PublishRouting("west", table))
    for term, version in acknowledged:
        story.tell(4, "input", RoutingAck("west", version, 1, term))
    message = MessageRecord(0, 5 * SECOND, 6 * SECOND, "west", "ordinary", "", "b", "ok", 1)
    story.truth(6, message)
    return not check(story.journal(), [INVARIANTS.known["eligible-alone"]])


def test_a_table_that_a_gateway_has_is_the_one_that_it_was_sent() -> None:
    assert sent_to_b((1, 2))
    assert not sent_to_b((1, 2), (5, 3))
    assert sent_to_b((1, 2), (5, 2))  # it has refused a table of (1, 3), and obeys term 5


def test_a_failover_goes_on_where_the_snapshot_was_taken() -> None:
    story = Story()
    story.failover(9, "a", [(30, "declared"), (31, "fencing"), (32, "selecting")])
    story.failover(9, "a", [(33, "transferring"), (34, "promoting")])
    snapshot = len(story.told)
    story.failover(9, "a", [(36, "redirecting"), (37, "completed")])
    story.tell(40, "input", Restart(from_snapshot=True))
    story.states[9] = "promoting"
    story.failover(9, "a", [(42, "redirecting"), (43, "completed")])
    legal = [INVARIANTS.known["legal-steps"]]
    (breach,) = check(story.journal(), legal)
    assert breach.t_ns == 42 * SECOND
    story.tell(35, "input", TakeSnapshot())
    story.told.insert(snapshot, story.told.pop())
    assert check(story.journal(), legal) == []


@pytest.mark.parametrize(
    ("extra", "subjects"),
    [
        (TrafficRollup(0, "a", "ordinary", "ok", 1, 1, 1), {"messages", "ordinary"}),
        (TrafficRollup(0, "a", "ordinary", "error", 1, 0, 1), {"ordinary"}),
        (AttemptRollup("a", Cause.OK, 1), {"messages"}),
        (LatencySketch("vip", 0.01, ((5, 5, 1),)), {"vip"}),
        (WritesHeld("p2", 10, 9), {"p2"}),
        (WritesLost("p1", 1, 1, 100, 10, OBSERVER), {"p1"}),
        (TrafficRollup(0, "a", "ordinary", "timeout", 0, 1, 0), {"ordinary"}),
        (MessageRecord(0, 0, 9, "west", "ordinary", "p1", "a", "ok", 1), {"ordinary", "message 0"}),
    ],
)
def test_what_is_not_conserved(extra: object, subjects: set[str]) -> None:
    story = sound()
    story.told.insert(0, story.told[-1]._replace(body=extra))
    breaches = found(story)
    assert {name for name, _, _ in breaches} <= {"messages-conserved", "writes-conserved"}
    assert {subject for _, _, subject in breaches} == subjects


def test_time_that_runs_back_and_past_the_end() -> None:
    journal = sound().journal()
    journal.records.append(journal.records[0]._replace(t_ns=99 * 10**9))
    assert [b.invariant for b in looked_at(journal)] == ["time-forward"]
    journal.records.append(journal.records[0]._replace(t_ns=101 * 10**9))
    assert [v.subject for v in looked_at(journal)] == [
        f"record {len(journal.records) - 1}",
        "journal",
    ]


def change(number: int, old: str, new: str, trigger: str, master: str = "a") -> FailoverChanged:
    return FailoverChanged(number, master, ("p1",), old, new, trigger, "", "")


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (change(1, "completed", "fencing", "fence"), "after its end"),
        (change(2, "", "fencing", "fence"), "does not begin as declared"),
        (change(2, "declared", "fencing", "fence"), "its state was ''"),
        (change(2, "", "declared", "hunch"), "not in the lifecycle"),
        (change(1, "completed", "completed", "redirected", "b"), "was of a, is of b"),
    ],
)
def test_illegal_steps(step: FailoverChanged, text: str) -> None:
    story = sound()
    story.event(40, step)
    (breach,) = looked_at(story.journal())
    assert breach.invariant == "legal-steps"
    assert text in breach.text


def test_a_shortcut_is_not_in_the_lifecycle() -> None:
    story = Story()
    story.event(1, change(1, "", "declared", "declare"))
    story.event(2, change(1, "declared", "promoting", "fence"))
    assert [v.t_ns for v in looked_at(story.journal())] == [2 * 10**9]


def test_a_failover_in_progress_at_the_end_is_fine() -> None:
    story = Story()
    story.failover(1, "a", [(99, "declared"), (99, "fencing")])
    assert found(story) == []


def test_the_same_journal_twice() -> None:
    one, other = sound().journal(), sound().journal()
    assert difference(one, other) is None
    other.records[5] = other.records[5]._replace(t_ns=1)
    assert isinstance(difference(one, other), Breach)
    shorter = Journal(one.header, one.records[:-1])
    assert "records" in (difference(one, shorter) or Breach("", 0, "", "")).text
    assert (
        "seed"
        in (difference(one, Journal({**one.header, "seed": 8})) or Breach("", 0, "", "")).text
    )


def healthy(story: Story, *masters: str) -> None:
    for master in masters:
        verdict = StatusChanged(master, Status.UNKNOWN, Status.HEALTHY, Diagnosis.NONE, "")
        story.event(1, verdict)


@pytest.mark.parametrize(("until_s", "broken"), [(39, []), (41, [("one-primary", "p1")])])
def test_two_writers_without_fencing_must_not_last_once_both_are_known_to_be_healthy(
    until_s: float, broken: list[tuple[str, str]]
) -> None:
    story = Story(fencing="none")
    healthy(story, "a", "b")
    story.truth(10, Writers("p1", ("a", "b")))
    story.truth(until_s, Writers("p1", ("b",)))
    assert [(v.invariant, v.subject) for v in looked_at(story.journal())] == broken


def test_two_writers_without_fencing_may_last_while_one_of_them_is_declared_failed() -> None:
    story = Story(fencing="none")
    healthy(story, "a", "b")
    story.declare("a", 9)
    story.truth(10, Writers("p1", ("a", "b")))
    assert looked_at(story.journal()) == []


@pytest.mark.parametrize(
    ("declared", "broken"), [(False, [("no-needless-power-off", "a")]), (True, [])]
)
def test_nobody_powers_off_an_owner_that_is_declared_healthy_and_serves(
    declared: bool, broken: list[tuple[str, str]]
) -> None:
    story = Story()
    healthy(story, "a")
    story.up(2, "p1", "a")
    if declared:
        story.declare("a", 9)
    story.fenced("a", 1, 20, None)
    assert [(v.invariant, v.subject) for v in looked_at(story.journal())] == broken


def test_another_process_does_not_fail_over_what_the_one_before_it_did() -> None:
    story = Story()
    for master in "abc":
        story.status(1, master, Status.HEALTHY)
    story.tell(20, "input", TakeSnapshot())
    story.failover(1, "c", [(30, "declared"), (30, "selecting")])
    restarted = len(story.told)
    story.failover(2, "a", [(50, "declared"), (50, "selecting"), (50, "transferring")])
    fit = [INVARIANTS.known["fit-candidates"]]
    assert check(story.journal(), fit) == []
    chosen = story.told[-1]
    story.told[-1] = chosen._replace(body=dataclasses.replace(chosen.body, candidate="c"))
    (breach,) = check(story.journal(), fit)
    assert "failed over itself" in breach.text
    story.tell(40, "input", Restart(from_snapshot=True))  # which puts nothing out
    story.told.insert(restarted, story.told.pop())
    assert check(story.journal(), fit) == []


def test_who_rests_moves_no_failover() -> None:
    story = Story()
    story.failover(1, "a", [(10, "declared"), (10, "selecting"), (10, "transferring")])
    going_on = [INVARIANTS.known["failovers-go-on"]]
    (breach,) = check(story.journal(), going_on)
    assert "transferring" in breach.text
    story.tell(11, "input", WakeUp())
    story.event(11, TermEnded(1))
    assert check(story.journal(), going_on) == []


@pytest.mark.parametrize(("horizon_s", "holds"), [(500, True), (700, False)])
def test_who_is_told_to_stop_again_and_again_is_waited_for(horizon_s: int, holds: bool) -> None:
    """As long as a failover may last, which is ten minutes."""
    story = Story(horizon_s)
    story.failover(1, "a", [(10, "declared"), (10, "fencing")])
    going_on = [INVARIANTS.known["failovers-go-on"]]
    (breach,) = check(story.journal(), going_on)
    assert "fencing" in breach.text
    for second in range(11, horizon_s):
        story.tell(second, "input", WakeUp())
        story.tell(second, "effect", Demote(1, ("p1",), "b", 3, second, 1))
    assert (check(story.journal(), going_on) == []) == holds


def test_what_was_planned_when_the_snapshot_was_taken_may_read_from_its_owner() -> None:
    story = Story()
    story.tell(10, "input", WakeUp())
    story.event(10, FailoverChanged(1, "a", ("p1",), "", "catching-up", "planned", "b", ""))
    story.tell(20, "input", TakeSnapshot())
    story.tell(30, "input", WakeUp())
    stopped = FailoverChanged(1, "a", ("p1",), "handing-over", "declared", "owner-failed", "", "")
    story.event(30, stopped)
    restart = len(story.told)
    story.tell(50, "input", WakeUp())
    story.tell(50, "effect", TransferState(1, ("p1",), "b", ("a", "c"), 2, 1))
    live = [INVARIANTS.known["live-sources"]]
    (breach,) = check(story.journal(), live)
    assert "its owner, which has failed" in breach.text
    story.tell(40, "input", Restart(from_snapshot=True))
    story.told.insert(restart, story.told.pop())
    assert check(story.journal(), live) == []


@pytest.mark.parametrize(("told_s", "broken"), [(15, []), (15.2, ["a"]), (None, ["a"])])
def test_who_is_passed_over_is_told_to_stop_at_that_moment(
    told_s: float | None, broken: list[str]
) -> None:
    story = Story()
    story.truth(15, Writers("p1", ("a", "b")))
    story.tell(15, "input", WakeUp())
    story.event(15, OwnerChanged("p1", "b", 2, 1))
    if told_s is not None:
        if told_s > 15:
            story.tell(told_s, "input", WakeUp())
        story.tell(told_s, "effect", Demote(1, ("p1",), "a", 2))
    story.truth(15.5, Writers("p1", ("b",)))
    breaches = check(story.journal(), [INVARIANTS.known["stale-owners-are-told"]])
    assert [breach.subject for breach in breaches] == broken


@pytest.mark.parametrize(("remembers", "broken"), [(True, ["failover 1"]), (False, [])])
def test_who_acts_anew_goes_on_with_what_it_knows(remembers: bool, broken: list[str]) -> None:
    """A transfer takes a minute at most; what the process has forgotten, nobody goes on with."""
    story = Story(horizon_s=200)
    story.failover(1, "a", [(10, "declared"), (10, "fencing"), (11, "selecting")])
    story.failover(1, "a", [(11, "transferring")])
    story.tell(20, "input", TakeSnapshot())
    story.tell(30, "input", Restart(from_snapshot=remembers))
    story.tell(31, "input", MasterState("b", 2, (), ""))
    story.event(31, TermBegun(2, (), "by hand"))
    breaches = check(story.journal(), [INVARIANTS.known["failovers-go-on"]])
    assert [breach.subject for breach in breaches] == broken


@pytest.mark.parametrize(("tried", "broken"), [("before", ["b"]), ("since", [])])
def test_whom_a_process_tried_since_its_snapshot_the_next_one_has_not(
    tried: str, broken: list[str]
) -> None:
    story = Story()
    for name in "abc":
        story.status(0, name, Status.HEALTHY)
    times = {"before": (10, 20), "since": (20, 10)}
    chosen_s, snapshot_s = times[tried]
    story.event(5, FailoverChanged(1, "a", ("p1",), "", "declared", "declare", "", ""))
    choice = FailoverChanged(1, "a", ("p1",), "selecting", "transferring", "selected", "b", "")
    for step in sorted([(chosen_s, "chosen"), (snapshot_s, "kept")]):
        story.tell(step[0], "input", TakeSnapshot() if step[1] == "kept" else WakeUp())
        if step[1] == "chosen":
            story.event(chosen_s, choice)
    story.tell(30, "input", Restart(from_snapshot=True))
    story.tell(31, "input", WakeUp())
    story.event(31, choice)
    breaches = check(story.journal(), [INVARIANTS.known["fit-candidates"]])
    assert [breach.subject for breach in breaches] == broken


def test_a_candidate_of_the_process_before_is_not_left() -> None:
    story = Story()
    story.failover(1, "a", [(10, "declared"), (10, "selecting"), (10, "transferring")])
    restart = len(story.told)
    story.tell(50, "input", WakeUp())
    story.status(50, "b", Status.FAILED)
    left = [INVARIANTS.known["failed-candidates-are-left"]]
    (breach,) = check(story.journal(), left)
    assert "declared failed" in breach.text
    story.tell(40, "input", Restart(from_snapshot=False))
    story.told.insert(restart, story.told.pop())
    assert check(story.journal(), left) == []


@pytest.mark.parametrize(("answered", "left"), [("", ["b"]), ("c", ["b"]), ("b", [])])
def test_a_candidate_that_failed_before_a_term_is_left_unless_it_answers(
    answered: str, left: list[str]
) -> None:
    story = Story()
    story.failover(1, "a", [(10, "declared"), (10, "selecting"), (10, "transferring")])
    if answered:
        story.tell(40, "input", MasterState(answered, 2, (), "x"))
    story.tell(50, "input", WakeUp())
    story.status(50, "b", Status.FAILED)
    story.event(50, TermBegun(2, (), "by hand"))
    breaches = check(story.journal(), [INVARIANTS.known["failed-candidates-are-left"]])
    assert [breach.subject for breach in breaches] == left


@pytest.mark.parametrize(
    ("status", "read"),
    [(Status.HEALTHY, []), (Status.RECOVERING, ["a"]), (Status.FAILED, ["a"])],
)
def test_an_owner_may_be_read_from_once_it_is_declared_healthy(
    status: Status, read: list[str]
) -> None:
    story = Story()
    story.tell(9, "input", WakeUp())
    story.status(9, "a", Status.FAILED)
    story.failover(1, "a", [(10, "declared"), (10, "selecting"), (10, "transferring")])
    story.tell(40, "input", WakeUp())
    story.status(40, "a", status)
    story.tell(50, "input", WakeUp())
    story.tell(50, "effect", TransferState(1, ("p1",), "b", ("a", "c"), 2, 1))
    breaches = check(story.journal(), [INVARIANTS.known["live-sources"]])
    assert [breach.subject for breach in breaches] == read


def test_a_failover_that_begins_with_the_process_takes_its_next_step_at_that_instant() -> None:
    story = Story()
    story.tell(20, "input", TakeSnapshot())
    story.tell(30, "input", Restart(from_snapshot=True))
    story.failover(5, "a", [(30, "declared"), (30, "fencing"), (31, "selecting")])
    assert check(story.journal(), [INVARIANTS.known["legal-steps"]]) == []
