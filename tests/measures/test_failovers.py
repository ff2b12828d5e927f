from __future__ import annotations

import pytest

from hasim.measures import measure
from hasim.measures.catalogue import MEASURES, totals
from hasim.measures.failovers import Failover
from hasim.truth import WritesLost
from tests.measures.story import OBSERVER, Story, happy


def one(story: Story) -> Failover:
    (failover,) = measure(story.journal()).failovers
    return failover


def struck(horizon_s: float = 100.0) -> Story:
    story = Story(horizon_s)
    story.fault(1, "a", 10, 90)
    story.down(10, "p1")
    story.declare("a", 12)
    return story


def test_phases_and_losses_of_a_failover_that_goes_well() -> None:
    story = struck()
    happy(story, 1, "a", [12, 12.5, 14.5, 14.6, 15.6, 15.9, 16.5])
    story.truth(15.9, WritesLost("p1", 1, 7, 28_672, 150_000_000, OBSERVER))
    story.up(16.2, "p1", "b")
    failover = one(story)
    assert (failover.outcome, failover.candidates, failover.tried) == ("completed", "b", 1)
    assert failover.decided_at_s == 12.5
    assert failover.fenced_at_s == 14.5
    assert failover.transferred_at_s == 15.6
    assert failover.promoted_at_s == 15.9
    assert failover.redirected_at_s == 16.5
    assert failover.restored_at_s == 16.2
    assert failover.failover_s == pytest.approx(4.2)
    spent = [failover.deciding_s, failover.fencing_s, failover.selecting_s]
    spent += [failover.transferring_s, failover.promoting_s, failover.redirecting_s]
    assert spent == pytest.approx([0.5, 2, 0.1, 1, 0.3, 0.6])
    assert sum(spent) == pytest.approx(16.5 - 12)
    assert (failover.writes_lost, failover.lost_bytes, failover.lost_s) == (7, 28_672, 0.15)


def test_the_next_candidate_belongs_to_the_same_failover() -> None:
    story = struck()
    steps = [(12, "declared"), (12, "fencing"), (14, "selecting"), (14, "transferring")]
    story.failover(1, "a", [*steps, (15, "rolling-back"), (15.5, "selecting")], candidate="b")
    rest = [(15.5, "transferring"), (16, "promoting"), (16.5, "redirecting"), (17, "completed")]
    story.failover(1, "a", rest, candidate="c")
    story.up(16.8, "p1", "c")
    failover = one(story)
    assert (failover.candidates, failover.tried, failover.rollbacks) == ("b c", 2, 1)
    assert failover.failover_s == pytest.approx(4.8)
    assert failover.transferring_s == pytest.approx(1.5)
    assert failover.rolling_back_s == 0.5
    assert failover.transferred_at_s == 16


def test_waiting_for_a_candidate_until_the_owner_recovers() -> None:
    story = struck()
    steps = [(12, "declared"), (12, "fencing"), (14, "selecting"), (14, "waiting")]
    story.failover(1, "a", [*steps, (90.5, "cancelled")])
    story.up(90, "p1")
    failover = one(story)
    assert (failover.outcome, failover.candidates) == ("cancelled", "")
    assert failover.failover_s == 78
    assert failover.waiting_s == 76.5
    assert failover.promoted_at_s is None
    service = measure(story.journal()).service
    assert (service.undetected_s, service.fencing_s, service.no_capacity_s) == (2, 2, 76)


def test_unfinished_is_censored_at_the_end_of_the_run() -> None:
    story = struck(horizon_s=15)
    story.failover(1, "a", [(12, "declared"), (12, "fencing")])
    failover = one(story)
    assert (failover.outcome, failover.failover_s, failover.censored_s) == ("in progress", None, 3)
    assert failover.fencing_s == 3


def test_up_by_cure_but_still_to_be_fenced_is_unfinished() -> None:
    story = Story(15)
    story.fault(1, "a", 10, 14)
    story.down(10, "p1")
    story.declare("a", 12)
    story.up(14, "p1")
    story.failover(1, "a", [(12, "declared"), (12, "fencing")])
    assert (one(story).failover_s, one(story).censored_s) == (None, 3)


def test_a_master_that_owns_nothing_is_no_denominator() -> None:
    story = struck()
    happy(story, 1, "a", [12, 12, 13, 14, 15, 16, 17], partitions=())
    failover = one(story)
    assert (failover.partitions, failover.failover_s, failover.censored_s) == (0, None, None)


def test_a_retry_is_part_of_the_first_failover() -> None:
    story = struck()
    story.failover(1, "a", [(12, "declared"), (12, "fencing"), (20, "failed")])
    happy(story, 2, "a", [25, 25, 27, 27, 28, 29, 30])
    story.up(29.5, "p1", "b")
    first, second = measure(story.journal()).failovers
    assert (first.outcome, first.failover_s, first.retry) == ("failed", 17.5, False)
    assert (second.failover_s, second.censored_s, second.retry) == (None, None, True)
    assert second.incident == 1


def test_the_last_partition_counts() -> None:
    story = struck()
    story.owner["p2"] = "a"
    story.down(10, "p2")
    happy(story, 1, "a", [12, 12, 13, 13, 14, 15, 20], partitions=("p1", "p2"))
    story.up(15.5, "p1", "b")
    story.up(18, "p2", "b")
    assert one(story).failover_s == 6
    assert measure(story.journal()).incidents[0].outage_s == 8


def test_nothing_ever_down_takes_no_time() -> None:
    story = Story(fencing="none")
    story.declare("a", 12, until_s=30)
    story.failover(
        1,
        "a",
        [
            (12, "declared"),
            (12, "selecting"),
            (12, "transferring"),
            (13, "promoting"),
            (13, "redirecting"),
            (14, "completed"),
        ],
    )
    assert one(story).failover_s == 0
    assert one(story).mistaken


@pytest.mark.parametrize(
    ("cured_s", "needless"),
    # Restored at 16.2; detection needs 4 s to take a cured master back.
    [(12.1, True), (12.3, False), (90, False), (None, False)],
)
def test_a_failover_is_needless_if_its_master_would_have_been_back_before(
    cured_s: float | None, needless: bool
) -> None:
    story = Story()
    story.fault(1, "a", 10, cured_s)
    story.down(10, "p1")
    story.declare("a", 12)
    happy(story, 1, "a", [12, 12.5, 14.5, 14.6, 15.6, 15.9, 16.5])
    story.up(16.2, "p1", "b")
    assert one(story).needless == needless


def test_a_failover_of_a_healthy_master_is_needless_and_mistaken() -> None:
    story = Story(horizon_s=36.0)
    story.declare("a", 12, until_s=13)
    happy(story, 1, "a", [12, 12.5, 14.5, 14.6, 15.6, 15.9, 16.5])
    assert (one(story).needless, one(story).mistaken) == (True, True)
    run = measure(story.journal())
    # Once in 36 s: 876,600 times in a year of 365.25 days.
    for kind in ("needless", "mistaken"):
        assert MEASURES[f"failovers.{kind}"].unit == "per_year"
    assert totals.needless_failovers(run) / totals.years(run) == pytest.approx(876_600)
    assert totals.mistaken_failovers(run) / totals.years(run) == pytest.approx(876_600)


def test_what_was_called_off_or_moved_nothing_is_not_needless() -> None:
    story = Story()
    story.declare("a", 12, until_s=13)
    story.failover(1, "a", [(12, "declared"), (12.5, "waiting"), (13, "cancelled")])
    assert not one(story).needless
    story = Story()
    story.declare("a", 12, until_s=13)
    happy(story, 1, "a", [12, 12.5, 14.5, 14.6, 15.6, 15.9, 16.5], partitions=())
    run = measure(story.journal())
    assert (totals.needless_failovers(run), totals.mistaken_failovers(run)) == (0, 0)
