"""Redis Sentinel's election: one vote an epoch, a majority, ticks, and when it is tried again."""

from __future__ import annotations

import itertools
import random

import pytest

from hasim.model import Status
from hasim.services.leadership.settings import LeadershipSettings
from hasim.units import MILLISECOND, SECOND
from tests.services.leadership.bench import Parliament

FAILED, HEALTHY = Status.FAILED, Status.HEALTHY


def parliament(count: int = 3, seed: int = 1, **beside: object) -> Parliament:
    return Parliament(count, LeadershipSettings.of_preset("sentinel", **beside), seed)


def test_whoever_holds_it_to_be_down_first_is_elected_at_its_next_tick() -> None:
    waited, ordered = [], []
    for seed in range(300):
        made = parliament(seed=seed)
        assert made.judge("b", "m1", FAILED)
        made.run(SECOND)
        ((t_ns, elected),) = made.elected
        assert (elected.leader, elected.ballot) == ("b", 2)
        assert set(elected.votes) == {"a", "b", "c"}
        assert made.leaders == {"a", "b"}  # until masters and gateways refuse the older term
        waited.append(t_ns)
        ordered.append(made.released[0][0])
    # A tick lasts 1000/hz whole milliseconds with hz from 10 to 19: 71.3 ms in the mean; after the
    # election the replica is selected at the next one, and told at the one after that.
    periods = [1000 // hz * MILLISECOND for hz in range(10, 20)]
    assert set(waited) == set(periods)
    mean_ns = sum(periods) / len(periods)
    assert sum(waited) / len(waited) == pytest.approx(mean_ns, rel=0.03)
    assert sum(ordered) / len(ordered) == pytest.approx(3 * mean_ns, rel=0.03)


@pytest.mark.parametrize("count", [3, 4, 5, 7])
def test_an_epoch_has_one_leader_whatever_is_lost(count: int) -> None:
    for seed in range(40):
        chance = random.Random(seed)
        loss = chance.choice([0.0, 0.1, 0.3, 0.6])
        made = parliament(count, seed, failover_timeout="5s")
        made.lost = lambda sender, to, c=chance, p=loss: c.random() < p
        for _ in range(12):
            for name in made.names:
                if chance.random() < 0.4:
                    made.judge(name, "m1", chance.choice([FAILED, FAILED, HEALTHY]))
                if chance.random() < 0.2:
                    made.run(made.now + chance.randrange(3 * SECOND))
            made.run(made.now + chance.randrange(10 * SECOND))
        ballots = [elected.ballot for _, elected in made.elected]
        assert len(set(ballots)) == len(ballots)
        assert all(2 * len(elected.votes) > count for _, elected in made.elected)


def test_votes_are_split_if_all_begin_at_once() -> None:
    made = parliament(failover_timeout="10s")
    for name in made.names:
        made.judge(name, "m1", FAILED)
    made.run(19 * SECOND)
    assert made.elected == []
    made.run(25 * SECOND)
    assert [elected.ballot for _, elected in made.elected] == [3]


def test_a_minority_elects_nobody_and_tries_again_after_twice_the_failover_timeout() -> None:
    made = parliament(5, failover_timeout="30s", election_timeout="10s")
    made.lost = lambda sender, to: {sender, to} - {"a", "b"} != set()
    made.judge("a", "m1", FAILED)
    made.judge("b", "m1", FAILED)
    made.run(59 * SECOND)
    assert made.elected == []
    begun = made.seats["a"].ballot
    made.run(62 * SECOND)  # 60 s, and the desynchronisation of up to 1 s
    assert made.seats["a"].ballot > begun
    assert made.elected == []
    made.lost = lambda sender, to: False
    made.run(100 * SECOND)
    assert len(made.elected) == 1
    assert 62 * SECOND < made.elected[0][0] < 70 * SECOND


def asked(made: Parliament, until_ns: int) -> list[int]:
    """When an observer that hears nobody asks its peer b for its vote."""
    times: list[int] = []

    def lost(sender: str, to: str) -> bool:
        times.extend([made.now] * (to == "b"))
        return True

    made.lost = lost
    made.judge("a", "m1", FAILED)
    made.run(until_ns)
    return times


def test_who_is_silent_is_asked_again_at_the_tick_at_which_the_interval_is_over() -> None:
    """At a timer of 1 Hz that is each tick, if the interval is a second."""
    made = parliament(timer_hz=1, vote_interval="1s")
    assert asked(made, 3 * SECOND) == [0, SECOND, 2 * SECOND, 3 * SECOND]


def test_the_rate_of_the_timer_is_drawn_anew_at_each_tick() -> None:
    times = asked(parliament(vote_interval="1ms"), 5 * SECOND)
    periods = {after - before for before, after in itertools.pairwise(times)}
    assert periods == {1000 // hz * MILLISECOND for hz in range(10, 20)}


def test_whoever_has_voted_for_another_does_not_try_itself_in_time() -> None:
    made = parliament(failover_timeout="10s")
    made.judge("a", "m1", FAILED)
    made.run(SECOND)
    made.kill("a")  # the leader dies before it has moved anything
    made.judge("b", "m1", FAILED)
    made.judge("c", "m1", FAILED)
    made.run(20 * SECOND)
    assert len(made.elected) == 1
    made.run(25 * SECOND)
    second = made.elected[1]
    assert second[1].leader in "bc"
    assert 20 * SECOND < second[0] < 21.2 * SECOND


def test_what_was_moved_is_tried_by_nobody_else() -> None:
    made = parliament(failover_timeout="10s")
    for name in made.names:
        made.judge(name, "m1", FAILED)
        made.run(made.now + 5 * MILLISECOND)
    made.run(SECOND)
    ((_, elected),) = made.elected
    made.lost = lambda sender, to: True
    made.moved(elected.leader, "m1", "m2")
    made.run(3 * SECOND)
    made.lost = lambda sender, to: False  # the second hello arrives
    made.run(300 * SECOND)
    assert len(made.elected) == 1
    assert made.judge("c", "m2", FAILED)
    made.run(301 * SECOND)
    assert [event.leader for _, event in made.elected[1:]] == ["c"]


def test_who_led_before_rests_when_another_tells_what_it_has_moved() -> None:
    made = parliament()
    made.judge("b", "m1", FAILED)
    made.run(SECOND)
    assert made.leaders == {"a", "b"}
    made.moved("b", "m1", "m2")
    made.run(2 * SECOND)
    assert made.leaders == {"b"}


def test_a_standby_needs_no_election() -> None:
    made = parliament()
    assert not made.judge("a", "m2", FAILED)
    made.run(1000 * SECOND)
    assert made.elected == []


def test_a_master_that_returns_needs_no_election() -> None:
    made = parliament(failover_timeout="10s")
    made.judge("a", "m1", FAILED)
    assert not made.judge("a", "m1", HEALTHY)
    made.run(60 * SECOND)
    assert made.elected == made.released == []


def test_one_that_starts_again_leads_nothing_and_keeps_its_vote() -> None:
    made = parliament()
    made.judge("a", "m1", FAILED)
    made.run(2 * MILLISECOND)
    made.kill("b")
    made.revive("b")
    assert not made.seats["b"].leads
    made.judge("c", "m1", FAILED)  # c has voted for a in the epoch, too
    made.run(SECOND)
    assert [elected.leader for _, elected in made.elected] == ["a"]
