"""Which algorithms go by their own gateway's messages: found by running them, and said in lists."""

from __future__ import annotations

import random

import pytest

from hasim.services.balancing.registry import SHIPPED, Algorithm
from hasim.study.reference import described
from hasim.units import MILLISECOND, SECOND
from tests.services.balancing.fleets import fleet, request

MASTERS = 5
SAID = "Each gateway goes by its own messages."
FRACTIONS = 8


class Watched:
    """Messages in flight: what this gateway alone knows; whoever reads them is found out."""

    def __init__(self, *counts: int) -> None:
        self.counts = counts
        self.read = False

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, index: int) -> int:
        self.read = True
        return self.counts[index]


def goes_by_its_own_messages(name: str, algorithm: Algorithm) -> bool:
    """Whether a pick, or what is told of a message that ended, depends on this gateway's own.

    It reads what is in flight, or another pick follows if the messages that ended took another
    time: all else is alike, the uniforms too.
    """
    in_flight = Watched(3, 0, 2, 5, 1)
    picks = []
    for slow in range(MASTERS):
        columns = {
            "base_weight": [1.0, 2.0, 1.0, 3.0, 1.0],
            "workers": [2] * MASTERS,
            "tier": [1, 1, 2, 2, 3],
            "region": [0, 0, 1, 1, 2],
            "rtt": [MILLISECOND, MILLISECOND, 3 * MILLISECOND, 3 * MILLISECOND, 9 * MILLISECOND],
        }
        of = fleet(name, MASTERS, in_flight=in_flight, **columns)
        chance, found = random.Random(5), []
        for step in range(1, 60):
            now = step * SECOND // 10
            draws = [chance.random() for _ in range(FRACTIONS)]
            about = {"hash": chance.getrandbits(60), "has_key": True, "vip": step % 3 == 0}
            found.append(algorithm.pick(of, request(*draws, now=now, **about)))
            if algorithm.ended is not None:
                for index in range(MASTERS):
                    took_ns = (900 if index == slow else 10) * MILLISECOND
                    algorithm.ended(of, index, now, took_ns, False)
        picks.append(found)
    return in_flight.read or any(found != picks[0] for found in picks)


@pytest.mark.parametrize("name", SHIPPED)
def test_who_goes_by_the_messages_of_its_own_gateway_says_so_where_it_is_listed(name: str) -> None:
    algorithm = SHIPPED[name]
    own = goes_by_its_own_messages(name, algorithm)
    assert algorithm.own_view == own
    (row,) = (row for row in described() if row.path == "balancing.algorithm")
    listed = row.about[row.choices.index(name)]
    assert (SAID in listed) == own


def test_there_are_both_kinds() -> None:
    """Else the test above could not fail."""
    kinds = {goes_by_its_own_messages(name, algorithm) for name, algorithm in SHIPPED.items()}
    assert kinds == {True, False}
