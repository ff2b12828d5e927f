"""Raft's election as etcd has it: safety, leases, PreVote, CheckQuorum, and how long it takes."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.stats import ks_2samp

from hasim.events import LeaderElected
from hasim.services.leadership.raft import Raft
from hasim.services.leadership.settings import LeadershipSettings
from hasim.units import MILLISECOND, SECOND
from tests.services.leadership.bench import Parliament


def parliament(count: int = 3, seed: int = 1, **beside: object) -> Parliament:
    return Parliament(count, LeadershipSettings.of_preset("etcd", **beside), seed)


def raft(made: Parliament, name: str) -> Raft:
    seat = made.seats[name]
    assert isinstance(seat, Raft)
    return seat


def cut(made: Parliament, *names: str) -> None:
    """These talk among themselves alone, and so do the others."""
    made.lost = lambda sender, to: (sender in names) != (to in names)


def test_the_first_leads_and_nobody_disturbs_it() -> None:
    made = parliament(5)
    made.run(60 * SECOND)
    assert made.leaders == {"a"}
    assert made.elected == []
    assert {seat.ballot for seat in made.seats.values()} == {1}


@pytest.mark.parametrize("pre_vote", [True, False])
@pytest.mark.parametrize("count", [3, 4, 5])
def test_a_ballot_has_one_leader_whatever_is_lost_and_whoever_dies(
    count: int, pre_vote: bool
) -> None:
    for seed in range(25):
        chance = random.Random(seed)
        loss = chance.choice([0.0, 0.1, 0.3])
        made = parliament(count, seed, pre_vote=pre_vote)
        made.lost = lambda sender, to, c=chance, p=loss: c.random() < p
        for _ in range(8):
            name = chance.choice(made.names)
            if name in made.dead:
                made.revive(name)
            elif chance.random() < 0.6:
                made.kill(name)
            made.run(made.now + chance.randrange(5 * SECOND))
        led = [(elected.ballot, elected.leader) for _, elected in made.elected]
        assert len({ballot for ballot, _ in led}) == len(led)
        for name in sorted(made.dead):
            made.revive(name)
        made.lost = lambda sender, to: False
        made.run(made.now + 20 * SECOND)
        assert len(made.leaders) == 1


def outages(count: int, runs: int, **beside: object) -> np.ndarray:
    """Seconds from the death of the leader, at any time, to the next election."""
    found = []
    for seed in range(runs):
        made = parliament(count, seed, **beside)
        made.run(2 * SECOND + random.Random(seed).randrange(SECOND))
        died_ns = made.now
        made.kill("a")
        while not made.elected:
            made.run(made.now + SECOND)
        found.append((made.elected[0][0] - died_ns) / SECOND)
    return np.array(found)


def ticked(runs: int, seed: int = 7) -> np.ndarray:
    """The same of three members, tick by tick: 100 ms, ten ticks and up to nine more, PreVote.

    Slow and plain: no messages, no delays. Of the two that are left, the first whose time is over
    asks the other, which disregards that until it has not heard of a leader for ten ticks itself.
    """
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(runs):
        patience = 10 + chance.integers(0, 10, 2)
        phase = chance.uniform(0, 0.1, 2)  # when each ticks first after the last heartbeat
        since, knows, t = [0, 0], [True, True], None
        ticks = sorted((phase[i] + 0.1 * k, i) for i in (0, 1) for k in range(200))
        for at, i in ticks:
            since[i] += 1
            if since[i] < patience[i]:
                continue
            since[i], knows[i] = 0, False
            other = 1 - i
            if not (knows[other] and since[other] < 10):
                t = at
                break
        assert t is not None
        found.append(t - chance.uniform(0, 0.1))  # the leader dies up to a heartbeat later
    return np.array(found)


def test_an_outage_is_as_long_as_in_a_model_that_ticks() -> None:
    made, model = outages(3, 200), ticked(20_000)
    answers_s = 0.004  # a heartbeat's way, a round of pre-votes, a round of votes: 1 ms each way
    assert ks_2samp(made - answers_s, model).pvalue > 0.01
    assert made.mean() == pytest.approx(model.mean() + answers_s, abs=0.07)
    assert 0.8 < made.min() < 1.0


def test_who_is_cut_off_stops_leading_and_the_others_elect() -> None:
    for seed in range(30):
        made = parliament(5, seed)
        made.run(10 * SECOND)
        cut(made, "a", "b")
        made.run(12 * SECOND)
        assert not made.seats["a"].leads  # CheckQuorum: at most two election timeouts
        made.run(16 * SECOND)
        assert len(made.leaders) == 1
        assert made.leaders <= {"c", "d", "e"}


def test_a_minority_elects_nobody() -> None:
    made = parliament(5)
    for name in "abc":
        made.kill(name)
    made.run(120 * SECOND)
    assert made.elected == []
    assert made.leaders == set()


def test_without_check_quorum_a_leader_that_is_cut_off_does_not_notice() -> None:
    made = parliament(5, check_quorum=False)
    made.run(10 * SECOND)
    cut(made, "a", "b")
    made.run(30 * SECOND)
    assert "a" in made.leaders
    assert len(made.leaders) == 2


@pytest.mark.parametrize(("pre_vote", "deposed"), [(True, False), (False, True)])
def test_one_that_was_cut_off_deposes_the_leader_only_without_pre_vote(
    pre_vote: bool, deposed: bool
) -> None:
    made = parliament(3, pre_vote=pre_vote)
    made.run(10 * SECOND)
    cut(made, "c")
    made.run(40 * SECOND)
    assert (made.seats["c"].ballot > 1) is deposed
    made.lost = lambda sender, to: False
    made.run(60 * SECOND)
    assert len(made.leaders) == 1
    assert bool(made.elected) is deposed


def test_votes_and_ballots_survive_a_restart() -> None:
    made = parliament(3)
    made.run(10 * SECOND)
    made.kill("a")
    made.run(15 * SECOND)
    ((_, elected),) = made.elected
    assert isinstance(elected, LeaderElected)
    voter = next(name for name in elected.votes if name != elected.leader)
    made.kill(voter)
    made.revive(voter)
    assert raft(made, voter).voted == elected.leader
    assert raft(made, voter).ballot == elected.ballot
    made.revive("a")
    made.run(15 * SECOND + 300 * MILLISECOND)
    assert made.leaders == {elected.leader}
