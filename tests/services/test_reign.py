"""What a control plane's part in elections is told, and what it is made of."""

from __future__ import annotations

import dataclasses

import pytest

from hasim.events import GatewayReport, ObserverTold, WakeUp
from hasim.model import Cause, Status, Word
from hasim.services.accession import AccessionSettings
from hasim.services.control_plane import ControlPlane
from hasim.services.failover import FailoverSettings, NoFencingSettings
from hasim.services.leadership.settings import LeadershipSettings
from hasim.services.reign import Reign
from hasim.settings import from_plain
from hasim.units import SECOND
from tests.services.bench import Bench, cluster
from tests.services.leadership.bench import Parliament

OF = dataclasses.replace(cluster(3), observers=("a", "b", "c"))


@pytest.mark.parametrize(
    "written",
    [
        {"leader": "fixed"},
        {"leader": "raft", "heartbeat": "700ms"},
        {"leader": "by-failover", "votes": 3, "failover_timeout": "77s"},
    ],
    ids=lambda written: written["leader"],
)
def test_its_part_in_elections_has_the_settings_that_were_given(written) -> None:
    leadership = from_plain(LeadershipSettings, written)
    made = Reign(AccessionSettings(), leadership, OF, "b", 5)
    assert made.leader.settings == leadership.leader
    assert made.leader.settings != type(leadership.leader)() or written == {"leader": "fixed"}
    again = Reign(AccessionSettings(), leadership, OF, "b", 5)
    again.thaw(made.freeze())
    assert again.leader.settings == leadership.leader


def test_while_nothing_is_asked_only_the_words_of_others_concern_it() -> None:
    made = Reign(AccessionSettings(), LeadershipSettings(), OF, "a", 5)
    word = ObserverTold("b", Word.HEARD, 1, "m1", ok=True)
    items = (word, WakeUp(), GatewayReport("local", 1, ()))
    assert [made.concerns(item) for item in items] == [True, False, False]
    made.follow(0, 1, anew=True)  # now anything may be an answer
    assert [made.concerns(item) for item in items] == [True, True, True]


def test_what_was_moved_is_told_to_each_until_that_one_has_heard_of_it() -> None:
    """Sentinel's hello: two masters, and one observer that hears nothing for a while."""
    settings = from_plain(LeadershipSettings, {"leader": "by-failover", "hello_interval": "2s"})
    made = Parliament(3, settings)
    told: list[tuple[int, str]] = []

    def lost(sender: str, to: str) -> bool:
        if sender == "a":
            told.append((made.now, to))
        return to == "c" and made.now < 7 * SECOND

    made.lost = lost
    made.moved("a", "m1", "m2")
    made.run(60 * SECOND)
    to_b = [now for now, to in told if to == "b"]
    to_c = [now for now, to in told if to == "c"]
    assert len(to_b) == 2  # one word for each master, both heard at once
    assert len(to_c) == 2 * len(set(to_c))
    assert len(set(to_c)) == 5  # every two seconds until it hears, and no more
    assert made.seats["a"].news in ({}, {"b": {}, "c": {}})
    assert Status.FAILED not in made.seats["a"].down.values()


def test_who_owns_something_by_now_is_told_to_whoever_elects() -> None:
    """A standby that has taken over is failed over itself; who has lost all is a standby then."""
    alone = dataclasses.replace(cluster(2), observers=("a",))
    standby = dataclasses.replace(alone, partitions=alone.partitions[:1])
    leadership = from_plain(LeadershipSettings, {"leader": "by-failover", "votes": 1})
    failover = FailoverSettings(fencing=NoFencingSettings())
    made = Bench(ControlPlane(standby, failover=failover, leadership=leadership, observer="a"))
    made.run(SECOND)
    made.down["m1"] = Cause.REFUSED
    made.run(60 * SECOND)
    assert made.control_plane.failover.owner_of("p1") == "m2"
    made.down.clear()
    made.run(120 * SECOND)
    made.down["m2"] = Cause.REFUSED
    made.run(900 * SECOND)
    assert made.control_plane.failover.owner_of("p1") == "m1"
