"""`hasim.capacity` against Erlang's formula, and the border of overload against arithmetic."""

from __future__ import annotations

import math

import pytest
from scipy import optimize

import hasim
from hasim.scenario.loader import from_data
from hasim.study.advising.terms import AdviceError
from hasim.study.capacity.downs import downs_of
from hasim.study.capacity.loads import loads_of
from hasim.study.capacity.outliving import shown, sign_test
from hasim.study.capacity.search import border
from hasim.study.capacity.terms import capacity_terms
from hasim.study.capacity.worlds import cause_of
from hasim.units import HOUR, MINUTE, SECOND
from tests.simulation.clients.test_theory import erlang_c

MEAN_S = 0.1


def pool(count: int, **more):
    """Masters of one worker each behind one queue: M/M/c."""
    return {
        "name": "pool",
        "horizon": "6m",
        "seed": 3,
        "masters": [
            {"id": "m1", "workers": 1, "service": {"law": "exponential", "mean": "100ms"}},
            *({"id": f"m{n}", "like": "m1"} for n in range(2, count + 1)),
        ],
        "network": {"rtt": "0s", "local_rtt": "0s"},
        "traffic": {
            "arrivals": {"law": "poisson", "rate": "12/s"},
            "owned": "0%",
            "timeout": "1h",
            "deadline": "1h",
        },
        "balancing": {
            "algorithm": "least-loaded",
            "limits": {"max_concurrency": 1, "max_queue": 1_000_000},
        },
        "detection": {"evidence": ["probe"], "interval": "1s"},
        **more,
    }


def erlang_capacity(servers: int, mean_s: float) -> float:
    """The arrivals a second at which the mean time in M/M/c is so long."""

    def time_s(rate: float) -> float:
        load = rate * MEAN_S / servers
        return MEAN_S + erlang_c(servers, load) * MEAN_S / (servers * (1 - load))

    most = servers / MEAN_S
    return float(optimize.brentq(lambda r: time_s(r) - mean_s, 1e-6 * most, (1 - 1e-9) * most))


def holds_erlang(within: str, masters: int, downs: list[int], **more) -> None:
    found = hasim.capacity(
        pool(masters, **more),
        limits=["latency.mean < 150ms"],
        down=downs,
        cause=None,
        within=within,
        progress=None,
        jobs=1,
    )
    for row, down in zip(found.found.carried, downs, strict=True):
        expected = erlang_capacity(masters - down, 0.150)
        assert row.border.below is not None
        assert row.border.above is not None
        assert row.border.below <= expected <= row.border.above
        assert row.border.above < 1.25 * row.border.below
        assert len(row.down.masters) == down


def test_the_capacity_of_a_pool_with_one_down_is_that_of_erlang() -> None:
    holds_erlang("20%", 3, [1])


@pytest.mark.slow
def test_the_capacity_of_pools_is_that_of_erlang() -> None:
    holds_erlang("5%", 5, [0, 1, 2], horizon="10m")


# -- overload that outlives its cause -------------------------------------------------------------


def storm(budget: str, per_s: int, *, reserve: int = 10, **more):
    """The retry storm on a server that can do so many messages a second."""
    service = {"law": "constant", "mean": f"{1e9 / per_s:.0f}ns"}
    overrides = {
        "vary": {},
        "masters.0.service": service,
        "traffic.retry.budget": budget,
        "traffic.retry.reserve": reserve,
        "traffic.arrivals.rate": f"{per_s / 2}/s",
    }
    found = hasim.capacity(
        "retry-storm",
        down=[0],
        limits=["success >= 50%"],
        horizon="2m",
        replications=3,
        progress=None,
        jobs=1,
        overrides=overrides,
        **more,
    )
    assert found.found.outlived is not None
    return found.found.outlived


def test_a_retry_storm_outlives_its_cause_above_half_of_what_the_server_can_do() -> None:
    found = storm("100%", 20, within="15%")
    assert found.found
    assert found.after.below <= 10.6
    assert found.after.above >= 9.9
    assert found.after.above < 1.2 * found.after.below
    assert found.alone.below > found.after.above
    stayed, alone = found.down[found.after.above]
    assert stayed >= 15
    assert alone is not None
    assert alone <= 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("budget", "reserve", "expected"),
    [("10%", 10, 300 / 1.1), ("100%", 10, 300 / (1 + 10 / 11)), ("100%", 100, 150.0)],
)
def test_the_border_of_the_retry_storm(budget: str, reserve: int, expected: float) -> None:
    """rate x (1 + retries for each message) = 300/s.

    In the storm each message times out after a second and then wants one retry. The budget is a
    level from 0 to `reserve`: a message adds `budget` to it (what is above `reserve` is lost), a
    retry takes 1 of it, and is cut where less than 1 is left.

    With 10 % the level is near 0, nothing is lost, and retries are a tenth of the messages: a
    border of 272.7/s. With 100 % it goes up and down by 1 equally often, as messages come and as
    those of a second before time out, which are two independent Poisson processes for as long as
    the level remembers (of 10: 1 / (2 rate (1 - cos(pi / 11))) = 0.08 s). Such a walk is at each
    of its levels 0 to 10 equally long, finds 0 with 1 retry in 11, and 10/11 of a retry remain for
    each message: 157.1/s, not 150. What waits after the hang (2,500) has to be done within the
    hour, which takes 0.4/s off. A level of 100 remembers for 7 s. How many messages a second has,
    which is all that moves it, varies by 12: next to nothing is lost or cut, and 150/s is left.

    A border is looked for to 2 %, which is 3/s at 150/s.
    """
    found = storm(budget, 300, reserve=reserve)
    assert found.found
    assert found.after.below >= expected - 3
    assert found.after.above <= expected + 3


@pytest.mark.slow
def test_without_retries_no_overload_outlives_its_cause() -> None:
    assert not storm("0%", 300).found


def test_what_a_count_of_replications_shows() -> None:
    """The sign test at 2.5 %: P(15 or more of 20) = 2.07 %, P(14 or more) = 5.77 %."""
    assert sign_test(15, 20) == pytest.approx(21700 / 2**20)
    assert sign_test(0, 20) == 1.0
    assert [shown(count, 20) for count in (20, 15, 14, 6, 5, 0)] == [
        True, True, None, None, False, False,
    ]  # fmt: skip


# -- the search -----------------------------------------------------------------------------------


@pytest.mark.parametrize("truth", [0.01313, 0.9, 1.011, 7.7, 3000.0])
@pytest.mark.parametrize("unsure", [0.0, 0.05])
def test_the_border_is_found_from_far_away(truth: float, unsure: float) -> None:
    asked: list[float] = []

    def above(load: float) -> bool | None:
        asked.append(load)
        return None if unsure and abs(math.log(load / truth)) <= unsure else load > truth

    found = border(above, 1.0, within=0.02, most=40)
    assert found.below is not None
    assert found.above is not None
    assert found.below <= truth <= found.above
    assert found.above <= found.below * math.exp(2 * unsure) * 1.021
    assert bool(found.undecided) == (unsure > 0)
    assert len(asked) == len(set(asked)) <= 40


def test_a_border_that_is_not_there() -> None:
    assert border(lambda load: True, 1.0, within=0.02, most=20).below is None
    assert border(lambda load: False, 1.0, within=0.02, most=20).above is None
    nothing = border(lambda load: None, 1.0, within=0.02, most=50)
    assert (nothing.below, nothing.above) == (None, None)
    odd = border(lambda load: 1 <= load < 2, 1.0, within=0.02, most=20)
    assert odd.above == 1.0
    assert not odd.crossed


# -- what is asked for ----------------------------------------------------------------------------

PLACED = pool(
    5,
    masters=[
        {"id": "a1", "region": "eu", "zone": "a", "workers": 2},
        {"id": "a2", "like": "a1"},
        {"id": "b1", "like": "a1", "zone": "b", "workers": 8},
        {"id": "b2", "like": "a1", "zone": "b"},
        {"id": "c1", "like": "a1", "zone": "c"},
    ],
)


def test_which_masters_are_down() -> None:
    world = from_data(PLACED).scenario.world()
    assert [(one.label, one.masters) for one in downs_of(world)] == [
        ("none", ()),
        ("one", ("b1",)),
        ("two", ("b1", "a1")),
        ("zone:eu/b", ("b1", "b2")),
    ]
    asked = downs_of(world, ["zone:c", "a1+c1", "4", "zone"])
    assert [one.masters for one in asked] == [
        ("c1",), ("a1", "c1"), ("b1", "a1", "a2", "b2"), ("b1", "b2"),
    ]  # fmt: skip
    for text, message in (
        ("5", "no master would be left"),
        ("6", "there are 5 masters"),
        ("zone:d", "no master is there"),
        ("a11", "did you mean a1"),
        ("a3", "possible: a1, a2, b1, b2, c1"),
        ("rack", "no master has a rack"),
    ):
        with pytest.raises(AdviceError, match=message):
            downs_of(world, [text])


def test_what_shall_hold() -> None:
    expected = from_data({**PLACED, "expect": {"response.p99": "< 1s", "uptime": ">= 99%"}})
    terms = capacity_terms((), expected.scenario.expect, 10 * MINUTE)
    assert [str(limit) for limit in terms.limits] == ["response.p99 < 1s"]
    assert [str(one) for one in capacity_terms((), (), HOUR).limits] == ["success >= 99.9%"]
    with pytest.raises(AdviceError, match="is no measure of load"):
        capacity_terms(["outage.p99 < 1s"], (), HOUR)
    with pytest.raises(AdviceError, match="--within"):
        capacity_terms([], (), HOUR, within=0.9)


def test_loads_of_every_law() -> None:
    for arrivals, today, setting in (
        ({"law": "constant", "rate": "10/s"}, 10, {"rate": "15/s"}),
        ({"law": "curve", "rates": ["5/s", "15/s"]}, 10, {"rates": ["7.5/s", "22.5/s"]}),
    ):
        traffic = {**PLACED["traffic"], "arrivals": arrivals}
        loads = loads_of(from_data({**PLACED, "traffic": traffic}).scenario.world())
        assert loads.today == today
        assert setting.items() <= loads.settings(15)["traffic.arrivals"].items()
        assert loads.named(1234.56) == "1,235/s"
    world = hasim.api.prepare("quickstart").scenario.world()
    loads = loads_of(world)
    assert (
        loads.settings(2)["traffic.arrivals"]["time_scale"] == 2 * world.traffic.arrivals.time_scale
    )
    assert loads.named(1.5) == "1.5 x"


def test_the_cause_is_the_scenarios_own_or_befalls_everybody() -> None:
    own = cause_of(hasim.api.prepare("retry-storm"), HOUR, None, 10 * SECOND)
    assert own.text == "hang of server for 10s"
    asked = cause_of(hasim.api.prepare("retry-storm"), HOUR, "crash", 20 * SECOND)
    assert asked.text == "crash of all masters for 20s"
    usual = cause_of(from_data(PLACED), HOUR, None, 10 * SECOND)
    assert usual.text == "hang of all masters for 10s"
    cold = [{**one, "cold_start": {"factor": 3, "for": "1m"}} for one in PLACED["masters"]]
    crash = cause_of(from_data({**PLACED, "masters": cold}), HOUR, None, 10 * SECOND)
    assert crash.text == "crash of all masters for 10s"
