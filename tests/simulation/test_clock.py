"""The timer that can be set anew, and the events that it takes back."""

from __future__ import annotations

from hasim.simulation.clock import ARRIVAL, FAULT, KEY_BITS, Call, Clock, Timer


def test_a_timer_rings_once_at_the_time_it_was_last_set_to() -> None:
    env, rung = Clock(), list[int]()
    timer = Timer(env, lambda: rung.append(env.now))
    timer.set(50)
    timer.set(20)
    timer.set(None)  # changes nothing
    assert timer.at == 20
    env.run(until=100)
    assert rung == [20]
    assert timer.at is None


def test_a_timer_set_to_the_past_rings_now_and_may_be_set_by_what_it_calls() -> None:
    env, rung = Clock(), list[int]()

    def ring() -> None:
        rung.append(env.now)
        timer.set(env.now + 30)

    timer = Timer(env, ring)
    env.run(until=10)
    timer.set(5)
    env.run(until=100)
    assert rung == [10, 40, 70]


def test_what_was_cancelled_does_not_happen() -> None:
    env, happened = Clock(), list[str]()
    Call(env, 5, ARRIVAL, lambda _: happened.append("other")).cancel()
    Call(env, 8, ARRIVAL, lambda _: happened.append("last"))
    env.run(until=10)
    assert happened == ["last"]


def test_the_clock_knows_how_far_an_instant_has_come() -> None:
    env, seen = Clock(), list[tuple[int, int]]()

    def look(_: object) -> None:
        seen.append((env.now, env.reached >> KEY_BITS))

    def look_and_go_back(_: object) -> None:
        look(None)
        Call(env, 0, FAULT, look)  # ranks before what has happened already
        env.timeout(0).callbacks.append(look)

    Call(env, 5, FAULT, look)
    Call(env, 5, ARRIVAL, look_and_go_back)
    Call(env, 7, FAULT, look)
    env.run(until=10)
    assert seen == [(5, FAULT), (5, ARRIVAL), (5, ARRIVAL), (5, ARRIVAL), (7, FAULT)]
