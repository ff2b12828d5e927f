"""What has kept a client with the old master, counted one nanosecond after the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hasim.services.gateway.addresses import (
    NOWHERE,
    Address,
    Habits,
    by_connection,
    by_name,
    close,
    connect,
    connected_to,
    habits_of,
    learn,
    named,
)
from hasim.services.gateway.settings import ClientSettings
from hasim.settings.validation import from_plain

times = st.integers(0, 30)


@given(times, times, st.integers(0, 20), st.integers(0, 20))
def test_the_time_since_routing_changed_is_dealt_out(known, opened, since, more) -> None:
    """To the name as long as it stood, and after it to the connection as long as that was kept."""
    now = since + more
    address = Address(known=0, known_until_ns=known, open=0, open_until_ns=opened)
    ticks = range(since, now)
    of_name = sum(t < known for t in ticks)
    of_connection = sum(known <= t < opened for t in ticks)
    assert by_name(address, since, now) == of_name
    assert by_connection(address, since, now) == of_connection


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["ask", "open", "break"])), max_size=30)
)
def test_a_client_goes_where_it_has_been_told_and_where_it_is_connected(steps) -> None:
    """Against a list of what was told and opened, searched through."""
    habits = Habits(clients=2, ttl_ns=20, keepers=1, kept_ns=70, lifetime_ns=30, tests=0)
    for client, ttl in ((0, 70), (1, 20)):
        address, now, first_name, first_open = Address(), 0, True, True
        told: tuple[int, int] | None = None  # master, until
        opened: tuple[int, int] | None = None
        for number, (pause, what) in enumerate(steps):
            now += pause
            master = number % 3
            if what == "ask":
                learn(address, habits, now, client, master, 0.5)
                told, first_name = (master, now + (ttl // 2 if first_name else ttl)), False
            elif what == "open":
                connect(address, habits, now, master, 0.5)
                opened, first_open = (master, now + (15 if first_open else 30)), False
            else:
                close(address, master, now)
                if opened is not None and opened[0] == master and now < opened[1]:
                    opened = None
                    assert (address.open, address.open_until_ns) == (NOWHERE, now)
            assert named(address, now) == (told[0] if told and now < told[1] else NOWHERE)
            there = opened[0] if opened and now < opened[1] else NOWHERE
            assert connected_to(address, now) == there


def test_habits_are_numbers_and_none_where_there_is_no_such_habit() -> None:
    assert habits_of(None) == Habits(0, 0, 0, 0, 0, 0)
    kept = {"number": 4, "connections": {"lifetime": "9s", "validate": True}}
    assert habits_of(from_plain(ClientSettings, kept)) == Habits(4, 0, 0, 0, 9 * 10**9, 1)
    named_only = habits_of(from_plain(ClientSettings, {"number": 4, "dns": {"ttl": "5s"}}))
    assert (named_only.ttl_ns, named_only.lifetime_ns, named_only.tests) == (5 * 10**9, 0, 0)
