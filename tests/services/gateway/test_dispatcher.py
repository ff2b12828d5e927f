"""The life of an attempt by hand-made inputs: what is sent, when, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hasim.events import SendReport
from hasim.model import Cause, RoutingTable
from hasim.services.balancing import BalancingSettings
from hasim.services.gateway.dispatcher import Dispatcher
from hasim.services.gateway.effects import (
    HEDGE,
    LINE,
    RETRY,
    TIMEOUT,
    Cancel,
    ProbeLoad,
    Send,
    Settle,
    Wakeup,
)
from hasim.services.gateway.guards import BreakerSettings, LimitSettings
from hasim.services.gateway.pace import REFRESH
from hasim.services.gateway.rules import HEDGED
from hasim.services.gateway.service import GatewayService
from hasim.services.gateway.settings import (
    DispatcherSettings,
    HedgeSettings,
    HoldSettings,
    RetrySettings,
)
from hasim.services.gateway.wakeups import Serial
from hasim.services.watch import Watch
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import cluster

TIMEOUT_NS = 2 * SECOND


class Half:
    """All uniforms are one half, or what the list says of the waits."""

    def __init__(self, *backoffs: float) -> None:
        self._backoffs = list(backoffs)

    def picks(self, attempt: int) -> Callable[[], float]:
        return lambda: 0.5

    def backoff(self, attempt: int) -> float:
        return self._backoffs.pop(0) if self._backoffs else 0.5

    def client(self, number: int) -> float:
        return 0.5


def dispatcher(
    masters: int = 3,
    *,
    algorithm: str = "round-robin",
    retry: RetrySettings | None = None,
    hedge: HedgeSettings | None = None,
    deadline_ns: int = 60 * SECOND,
    chance: Any = None,
    number: int = 0,
    serial: Serial | None = None,
    hold: HoldSettings | None = None,
    connect_timeout_ns: int = 0,
    **balancing: Any,
) -> Dispatcher:
    gateway = GatewayService(
        BalancingSettings(algorithm=algorithm, **balancing),
        cluster(masters),
        "local",
        watch=Watch(1),
    )
    settings = DispatcherSettings(
        timeout_ns=TIMEOUT_NS,
        deadline_ns=deadline_ns,
        hold=hold or HoldSettings(),
        connect_timeout_ns=connect_timeout_ns,
        retry=retry or RetrySettings(),
        hedge=hedge or HedgeSettings(),
    )
    return Dispatcher(gateway, settings, chance or Half(), number=number, serial=serial)


def generous(attempts: int, **more: Any) -> RetrySettings:
    """Retries that no budget stops."""
    return RetrySettings(attempts=attempts, backoff_ns=SECOND, budget=1.0, reserve=100.0, **more)


def without_reports(effects: list[Any]) -> list[Any]:
    return [effect for effect in effects if not isinstance(effect, SendReport)]


def wake(of: Dispatcher) -> tuple[Wakeup, list[Any]]:
    """The next wake-up, at its time, and what comes of it."""
    wakeup = of.next_wakeup()
    assert wakeup is not None
    return wakeup, without_reports(of.woken(wakeup.time_ns, wakeup))


# -- one attempt -------------------------------------------------------------------------


def test_a_message_is_sent_and_settled_by_its_answer() -> None:
    one = dispatcher()
    assert one.arrived(5, 0) == [Send(0, 0, "m1", 5 + TIMEOUT_NS)]
    assert [m.number for m in one.under_way()] == [0]
    assert one.next_wakeup() == (5 + TIMEOUT_NS, TIMEOUT, 0, 0)
    assert one.answered(9, 0, Cause.OK) == [Settle(0, Cause.OK, "m1", 1)]
    assert one.next_wakeup() is None
    assert one.under_way() == []
    load = one.gateway.reports.loads[0]
    assert (load.in_flight, load.answered, load.latency_ns) == (0, 1, 4)
    assert one.causes == {("m1", Cause.OK): 1}


def test_an_owned_message_goes_to_its_owner_or_nowhere() -> None:
    one = dispatcher()
    assert one.arrived(0, 0, "p2") == [Send(0, 0, "m2", TIMEOUT_NS)]
    owners = tuple(one.gateway.standing.owners.values())
    one.gateway.apply_routing(1, RoutingTable(2, ("m1", "m3"), owners, "round-robin"))
    assert one.arrived(1, 1, "p2") == [Settle(1, Cause.UNROUTABLE, "", 1)]
    one.gateway.apply_routing(2, RoutingTable(3, ("m1", "m3"), (), "round-robin"))
    with pytest.raises(KeyError):  # the table has no owner of it
        one.arrived(2, 2, "p2")
    one.gateway.apply_routing(2, one.gateway.standing.table(3, "round-robin"))
    assert [m.number for m in one.under_way()] == [0]


@pytest.mark.parametrize(("late_ns", "outcome"), [(-1, Cause.OK), (0, Cause.TIMEOUT)])
def test_an_answer_at_the_very_end_of_the_timeout_is_too_late(late_ns: int, outcome: Cause) -> None:
    one = dispatcher()
    one.arrived(0, 0)
    effects = one.answered(TIMEOUT_NS + late_ns, 0, Cause.OK)
    if outcome is Cause.TIMEOUT:
        assert effects == []
        effects = wake(one)[1]
    assert effects == [Settle(0, outcome, "m1", 1)]
    assert one.answered(3 * SECOND, 0, Cause.OK) == []  # nobody waits for it


def test_a_failure_is_reported_at_once_and_settles_without_retries() -> None:
    one = dispatcher()
    one.arrived(0, 0)
    report, end = one.answered(1, 0, Cause.REFUSED)
    assert isinstance(report, SendReport)
    assert end == Settle(0, Cause.REFUSED, "m1", 1)


def test_with_nobody_eligible_it_is_unroutable_at_once() -> None:
    one = dispatcher()
    one.gateway.apply_routing(0, RoutingTable(2, (), (), "round-robin"))
    assert one.arrived(0, 7) == [Settle(7, Cause.UNROUTABLE, "", 1)]
    assert one.under_way() == []


def test_masters_are_asked_for_their_load_on_behalf_of_an_attempt() -> None:
    asked, sent = dispatcher(algorithm="prequal").arrived(0, 3)
    assert isinstance(asked, ProbeLoad)
    assert asked.attempt == 3
    assert set(asked.masters) <= {"m1", "m2", "m3"} != set()
    assert isinstance(sent, Send)


@pytest.mark.parametrize("bad", [{"message": 0}, {"message": 1, "partition": "p9"}])
def test_what_cannot_be_is_refused_and_changes_nothing(bad: dict[str, Any]) -> None:
    one = dispatcher()
    one.arrived(0, 0)
    before = json.dumps([one.freeze(), one.gateway.freeze()])
    with pytest.raises((ValueError, KeyError)):
        one.arrived(1, **bad)
    assert json.dumps([one.freeze(), one.gateway.freeze()]) == before


# -- retries -------------------------------------------------------------------------------


def test_a_retry_waits_between_nothing_and_the_doubled_bound() -> None:
    """Uniforms 0.5, 0.25 and 0.5 of 1, 2 and 4 s."""
    one = dispatcher(retry=generous(4), chance=Half(0.5, 0.25, 0.5))
    one.arrived(0, 2)
    now = 10
    for number, wait_ns in ((8, SECOND // 2), (9, SECOND // 2), (10, 2 * SECOND)):
        assert without_reports(one.answered(now, number, Cause.ERROR)) == []
        now += wait_ns
        assert one.next_wakeup() == (now, RETRY, number + 1, number + 1)
        _, (send,) = wake(one)
        assert (send.attempt, send.message) == (number + 1, 2)
    (end,) = without_reports(one.answered(now + 1, 11, Cause.ERROR))
    assert (end.message, end.cause, end.tries) == (2, Cause.ERROR, 4)


def test_a_retry_goes_to_a_master_that_has_not_failed_the_message() -> None:
    """Although its session stays with the first one; a message ends at the last one tried."""
    one = dispatcher(algorithm="sticky", retry=generous(3))
    (first,) = one.arrived(0, 0, key=7)
    masters = [first.master]
    for number in (0, 1):
        one.answered(SECOND * number, number, Cause.ERROR)
        masters.append(wake(one)[1][0].master)
    assert sorted(masters) == ["m1", "m2", "m3"]
    ended = without_reports(one.answered(3 * SECOND, 2, Cause.ERROR))
    assert ended == [Settle(0, Cause.ERROR, masters[2], 3)]


@pytest.mark.parametrize(("over_ns", "tries"), [(0, 1), (1, 2)])
def test_no_retry_begins_at_the_deadline(over_ns: int, tries: int) -> None:
    one = dispatcher(retry=generous(2), deadline_ns=SECOND // 2 + 10 + over_ns)
    one.arrived(0, 0)
    effects = without_reports(one.answered(10, 0, Cause.ERROR))
    assert (effects == []) == (tries == 2)
    if effects:
        assert effects == [Settle(0, Cause.ERROR, "m1", 1)]


def test_a_budget_stops_retries_and_messages_fill_it() -> None:
    """Two tokens are there, and each message brings half of one."""
    retry = RetrySettings(attempts=2, backoff_ns=0, budget=0.5, reserve=2.0)
    one, retried = dispatcher(retry=retry), []
    for message in range(8):
        one.arrived(0, message)
        effects = without_reports(one.answered(1, 2 * message, Cause.ERROR))
        if not effects:
            retried.append(message)
            wake(one)
            one.answered(2, 2 * message + 1, Cause.OK)
    assert retried == [0, 1, 2, 4, 6]


def test_so_many_retries_are_active_at_most_their_wait_included() -> None:
    one = dispatcher(retry=generous(2, most_active=1))
    for message in (0, 1):
        one.arrived(0, message)
    assert without_reports(one.answered(1, 0, Cause.ERROR)) == []
    assert without_reports(one.answered(1, 2, Cause.ERROR)) == [Settle(1, Cause.ERROR, "m2", 1)]
    wake(one)
    one.answered(SECOND, 1, Cause.OK)
    one.arrived(SECOND, 2)
    assert without_reports(one.answered(SECOND + 1, 4, Cause.ERROR)) == []


# -- second attempts ---------------------------------------------------------------------


SLOW = HedgeSettings(after_ns=50 * MILLISECOND, budget=1.0, reserve=10.0)


def hedged(**more: Any) -> tuple[Dispatcher, Send]:
    """A message whose first attempt is slow: with the second one beside it."""
    one = dispatcher(hedge=SLOW, **more)
    (first,) = one.arrived(0, 0)
    assert one.next_wakeup() == (50 * MILLISECOND, HEDGE, 0, 0)
    _, (second,) = wake(one)
    assert second == Send(HEDGED, 0, second.master, 50 * MILLISECOND + TIMEOUT_NS)
    assert first.master != second.master
    return one, second


def test_whichever_is_answered_first_counts_and_the_other_one_is_cancelled() -> None:
    one, second = hedged()
    assert one.answered(60 * MILLISECOND, HEDGED, Cause.OK) == [
        Cancel(0, "m1"),
        Settle(0, Cause.OK, second.master, 2),
    ]
    assert [load.in_flight for load in one.gateway.reports.loads] == [0, 0, 0]
    assert one.causes == {(second.master, Cause.OK): 1, ("m1", Cause.CANCELLED): 1}
    assert one.answered(70 * MILLISECOND, 0, Cause.OK) == []
    one, second = hedged()
    cancelled, end = one.answered(60 * MILLISECOND, 0, Cause.OK)
    assert cancelled == Cancel(HEDGED, second.master)
    assert end == Settle(0, Cause.OK, "m1", 2)


def test_a_failure_of_one_of_them_leaves_the_other() -> None:
    one, second = hedged(retry=generous(2))
    assert without_reports(one.answered(60 * MILLISECOND, 0, Cause.ERROR)) == []
    assert [kind for _, kind, *_ in [one.next_wakeup()]] == [TIMEOUT]
    assert without_reports(one.answered(61 * MILLISECOND, HEDGED, Cause.ERROR)) == []
    wakeup, (third,) = wake(one)
    assert (wakeup.kind, third.attempt) == (RETRY, 1)
    assert third.master not in ("m1", second.master)


def test_there_is_no_second_attempt_of_what_was_answered_or_is_owned_or_without_budget() -> None:
    one = dispatcher(hedge=SLOW)
    one.arrived(0, 0)
    one.answered(1, 0, Cause.OK)
    one.arrived(2, 1, "p1")
    assert one.next_wakeup() == (2 + TIMEOUT_NS, TIMEOUT, 1, 1)
    poor = dispatcher(hedge=HedgeSettings(after_ns=SECOND, budget=0.5, reserve=1.0))
    assert [len(poor.arrived(0, message)) for message in range(3)] == [1, 1, 1]
    assert [len(wake(poor)[1]) for _ in range(3)] == [1, 0, 0]
    alone = dispatcher(1, hedge=SLOW)
    alone.arrived(0, 0)
    assert wake(alone)[1] == []  # there is no other master


def test_the_wait_is_a_quantile_of_the_latest_latencies_once_it_is_known() -> None:
    one = dispatcher(hedge=HedgeSettings(quantile=0.9, budget=1.0))
    for message in range(REFRESH):
        one.arrived(0, message)
        assert one.next_wakeup().kind == TIMEOUT
        one.answered(1000 + message, message, Cause.OK)
    one.arrived(0, REFRESH)
    wakeup = one.next_wakeup()
    assert wakeup.kind == HEDGE
    assert 1089 < wakeup.time_ns < 1089 * 17 / 16 + 1


# -- waiting for room ------------------------------------------------------------------------


ONE_EACH = LimitSettings(max_concurrency=1, max_queue=2)


def crowded(**more: Any) -> Dispatcher:
    """A single master with all that it may get, two messages that wait, and one too many."""
    one = dispatcher(1, limits=ONE_EACH, **more)
    assert one.arrived(0, 0) == [Send(0, 0, "m1", TIMEOUT_NS)]
    assert one.arrived(1, 1) == one.arrived(2, 2) == []
    assert one.arrived(3, 3) == [Settle(3, Cause.OVERFLOW, "", 1)]
    return one


def test_the_time_of_a_connection_is_not_that_of_being_held() -> None:
    """Held from 0 on for 10 s at most, sent at 9: its 1.5 s for a connection are over at 10.5."""
    one = dispatcher(1, hold=HoldSettings(most=1), connect_timeout_ns=3 * SECOND // 2)
    one.gateway.apply_routing(0, RoutingTable(2, (), (), "round-robin"))
    assert one.arrived(0, 0) == []
    one.gateway.apply_routing(9 * SECOND, RoutingTable(3, ("m1",), (), "round-robin"))
    found = [(9 * SECOND, effect) for effect in one.rerouted(9 * SECOND)]
    while (wakeup := one.next_wakeup()) is not None:
        woken = without_reports(one.woken(wakeup.time_ns))
        found += [(wakeup.time_ns, effect) for effect in woken]
    settled = [(t, effect.cause) for t, effect in found if isinstance(effect, Settle)]
    assert settled == [(21 * SECOND // 2, Cause.CONNECT_TIMEOUT)]


def test_who_waits_is_sent_in_turn_with_a_timeout_anew() -> None:
    one = crowded()
    assert one.answered(SECOND, 0, Cause.OK) == [Settle(0, Cause.OK, "m1", 1)]
    assert one.next_wakeup() == (SECOND, LINE, 0, -1)
    _, effects = wake(one)
    assert effects == [Send(1, 1, "m1", SECOND + TIMEOUT_NS)]
    # It looks whether there is room for another one, and finds none.
    assert wake(one)[1] == []
    wakeup, effects = wake(one)
    assert (wakeup.time_ns, wakeup.attempt) == (2 + TIMEOUT_NS, 2)
    assert effects == [Settle(2, Cause.OVERFLOW, "", 1)]
    assert wake(one)[1] == [Settle(1, Cause.TIMEOUT, "m1", 1)]


def test_an_owned_message_passes_a_stateless_one_that_found_no_room() -> None:
    """The breaker of m1 is open, which says nothing about what m1 owns; m2 is busy."""
    one = dispatcher(2, limits=ONE_EACH, breaker=BreakerSettings(failures=1, base_ns=60 * SECOND))
    one.arrived(0, 0, "p1")
    one.answered(1, 0, Cause.ERROR)
    for message, partition in ((1, "p1"), (2, "p2"), (3, None), (4, "p1")):
        one.arrived(2, message, partition)
    one.answered(3, 1, Cause.ERROR)
    assert wake(one)[1] == [Send(4, 4, "m1", 3 + TIMEOUT_NS)]
    assert wake(one)[1] == []
    one.answered(4, 2, Cause.OK)
    assert wake(one)[1] == [Send(3, 3, "m2", 4 + TIMEOUT_NS)]


def test_room_that_a_routing_table_or_a_breaker_makes_is_found() -> None:
    one = dispatcher(2, limits=ONE_EACH, breaker=BreakerSettings(failures=1, base_ns=SECOND))
    one.gateway.apply_routing(0, RoutingTable(2, ("m1",), (), "round-robin"))
    one.arrived(0, 0)
    one.arrived(0, 1)
    one.gateway.apply_routing(5, RoutingTable(3, ("m1", "m2"), (), "round-robin"))
    assert one.rerouted(5) == []
    assert wake(one)[1] == [Send(1, 1, "m2", 5 + TIMEOUT_NS)]
    one.answered(10, 1, Cause.REFUSED)  # opens the breaker of m2
    one.arrived(20, 2)
    one.arrived(21, 3)
    wakeup, effects = wake(one)
    assert wakeup == (10 + SECOND, LINE, 0, -1)
    assert effects == [Send(2, 2, "m2", 10 + SECOND + TIMEOUT_NS)]
    assert wake(one)[1] == []  # the other one that waits: once for both was enough
    assert one.next_wakeup().kind == TIMEOUT


def test_stateless_messages_behind_one_that_found_no_room_are_not_looked_at() -> None:
    one = dispatcher(1, limits=LimitSettings(max_requests=2, max_queue=9))
    for message in range(8):
        one.arrived(message, message)
    one.answered(10, 0, Cause.OK)
    asked, select = [], one.gateway.select_master

    def spy(now: int, *args: Any, **more: Any) -> str | None:
        asked.append(now)
        return select(now, *args, **more)

    one.gateway.select_master = spy  # type: ignore[method-assign]
    assert [len(wake(one)[1]) for _ in range(2)] == [1, 0]
    assert asked == [10, 10]


# -- wake-ups ------------------------------------------------------------------------------


def test_of_one_instant_timeouts_come_first_then_the_line_then_hedges_then_retries() -> None:
    """At 2 s a client gives up, so that there is room; one is slow, one tries again."""
    half = TIMEOUT_NS // 2
    one = dispatcher(
        4,
        algorithm="least-loaded",
        limits=LimitSettings(max_concurrency=1, max_queue=1),
        retry=generous(2),
        hedge=HedgeSettings(after_ns=half, budget=1.0),
        chance=Half(1.0),
    )
    one.arrived(0, 0, "p1")
    for message in (1, 2):
        one.arrived(half, message)
    one.answered(half, 2, Cause.ERROR)
    while (wakeup := one.next_wakeup()).time_ns < TIMEOUT_NS:
        one.woken(wakeup.time_ns, wakeup)
    kinds = []
    while (wakeup := one.next_wakeup()).time_ns == TIMEOUT_NS:
        kinds.append(wakeup.kind)
        one.woken(TIMEOUT_NS, wakeup)
    assert kinds == sorted(kinds)
    assert {TIMEOUT, HEDGE, RETRY} <= set(kinds)


def test_early_and_late_wake_ups_do_no_harm() -> None:
    one = dispatcher(hedge=SLOW)
    one.arrived(0, 0)
    before = one.freeze()
    assert one.woken(50 * MILLISECOND - 1) == []
    assert one.freeze() == before
    wakeup = one.next_wakeup()
    earlier = wakeup._replace(kind=TIMEOUT)
    assert one.woken(SECOND, earlier) == []  # its turn at that instant has not come
    assert one.freeze() == before
    assert len(one.woken(SECOND)) == 1


def test_attempts_of_several_gateways_time_out_in_the_order_of_sending() -> None:
    serial = Serial()
    here, there = (dispatcher(number=number, serial=serial) for number in (0, 1))
    for message in range(6):
        (here, there)[message % 2 ^ message // 4].arrived(0, message)
    found = []
    while soon := min(filter(None, (here.next_wakeup(), there.next_wakeup())), default=None):
        of = here if here.next_wakeup() == soon else there
        found += [end.message for end in without_reports(of.woken(TIMEOUT_NS, soon))]
    assert found == list(range(6))


def test_a_frozen_dispatcher_goes_on_as_if_nothing_had_been() -> None:
    """With one of each kind under way: slow, hedged, waiting, to be tried again."""
    settings: dict[str, Any] = {
        "retry": generous(3),
        "hedge": HedgeSettings(after_ns=SECOND, quantile=0.5, budget=1.0),
        "limits": LimitSettings(max_concurrency=2, max_queue=3),
    }
    one = dispatcher(**settings)
    for message in range(8):
        one.arrived(message, message)
    one.answered(10, 0, Cause.ERROR)
    one.answered(11, 3, Cause.OK)
    while one.next_wakeup().time_ns < 20:
        one.woken(20)
    data = json.loads(json.dumps([one.freeze(), one.gateway.freeze()]))
    balancing = BalancingSettings(limits=settings["limits"])
    gateway = GatewayService.restore(balancing, cluster(3), "local", data[1], watch=Watch(1))
    other = Dispatcher.restore(gateway, one.settings, data[0], Half())
    while (wakeup := one.next_wakeup()) is not None:
        assert other.next_wakeup() == wakeup
        assert other.woken(wakeup.time_ns, wakeup) == one.woken(wakeup.time_ns, wakeup)
    assert other.next_wakeup() is None
    assert other.causes == one.causes
    assert [other.freeze(), gateway.freeze()] == [one.freeze(), one.gateway.freeze()]


def test_a_retry_goes_to_the_master_that_failed_if_there_is_no_other() -> None:
    made = dispatcher(1, retry=generous(3))
    sent = [effect.master for effect in made.arrived(0, 0) if isinstance(effect, Send)]
    for attempt in (0, 1):
        failed_ns = (attempt + 1) * 10 * SECOND
        made.answered(failed_ns - 9 * SECOND, attempt, Cause.ERROR)
        sent += [effect.master for effect in made.woken(failed_ns) if isinstance(effect, Send)]
    assert sent == ["m1", "m1", "m1"]
