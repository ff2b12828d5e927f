"""Time without a control plane that acts: by hand, and in worlds with a known answer."""

from __future__ import annotations

import pytest

from hasim.events import TermBegun
from hasim.journal import Journal, Record
from hasim.measures import measure
from hasim.measures.leaderless import Leaderless, leaderless_of
from hasim.simulation.settings import ObserverSettings
from hasim.simulation.settings.faults import ObserverCrash, ObserverHang
from hasim.truth import FaultCured, FaultStarted
from hasim.units import SECOND
from tests.simulation.worlds import after, lasting, run, world

HEADER = {"horizon_ns": 100 * SECOND, "observers": {"a": {}, "b": {}}}


def fault(t_s: int, number: int, kind: str, whom: str) -> Record:
    body = FaultStarted(number, f"observer-{kind}", (), False, "", (whom,))
    return Record(t_s * SECOND, "truth", body, "")


def cured(t_s: int, number: int) -> Record:
    return Record(t_s * SECOND, "truth", FaultCured(number), "")


def acts(t_s: int, whom: str) -> Record:
    return Record(t_s * SECOND, "event", TermBegun(2, (), ""), whom)


@pytest.mark.parametrize(
    ("records", "times", "total_s"),
    [
        ([], 0, 0),
        ([fault(10, 1, "crash", "b"), cured(20, 1)], 0, 0),  # it was not the leader
        ([fault(10, 1, "crash", "a"), acts(13, "b"), cured(20, 1)], 1, 3),
        ([fault(10, 1, "crash", "a"), cured(20, 1), acts(22, "a")], 1, 12),
        ([fault(10, 1, "hang", "a"), cured(20, 1)], 1, 10),
        ([fault(10, 1, "slow", "a"), cured(20, 1)], 0, 0),
        (
            [fault(10, 1, "hang", "a"), acts(12, "b"), fault(30, 2, "crash", "b"), acts(37, "a")],
            2,
            9,
        ),
        ([fault(90, 1, "partition", "a")], 1, 10),  # to the end of the run
    ],
)
def test_by_hand(records: list[Record], times: int, total_s: int) -> None:
    assert leaderless_of(Journal(HEADER, records)) == Leaderless(times, total_s * SECOND)


def test_a_lone_control_plane_that_hangs_acts_again_when_it_is_cured() -> None:
    hang = ObserverHang(kind="observer-hang", target="observer", at=after(20), for_=lasting(7))
    measured = measure(run(world(60, faults=(hang,))))
    assert (measured.leaders_lost, measured.leaderless_s) == (1, 7.0)


def test_one_that_is_killed_is_missed_until_its_next_term() -> None:
    dies = ObserverCrash(kind="observer-crash", at=after(20), for_=lasting(7))
    journal = run(world(60, faults=(dies,), observer=ObserverSettings(remembers="nothing")))
    (begun_ns,) = [t for t, _ in journal.of(TermBegun)]
    measured = measure(journal)
    assert measured.leaders_lost == 1
    assert measured.leaderless_s == pytest.approx(begun_ns / SECOND - 20)
    assert measured.leaderless_s > 7.0
