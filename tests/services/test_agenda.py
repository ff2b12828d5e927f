"""The agenda against a plain dictionary that is searched through each time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hasim.services.agenda import NEVER, Agenda

KEYS = ("a", "b", "c", "d")
STEPS = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(KEYS), st.integers(0, 9) | st.just(NEVER)),
    st.tuples(st.just("take"), st.just(""), st.integers(0, 9)),
)


@given(st.lists(STEPS, max_size=200))
def test_an_agenda_is_what_a_search_through_all_times_would_find(steps) -> None:
    agenda, times = Agenda(KEYS), dict.fromkeys(KEYS, NEVER)
    for kind, key, time_ns in steps:
        if kind == "set":
            agenda.set(key, time_ns)
            times[key] = time_ns
        else:
            due = [key for key in KEYS if times[key] <= time_ns]
            assert agenda.take_due(time_ns) == due
            times |= dict.fromkeys(due, NEVER)
        assert agenda.earliest() == min(times.values())


def test_what_counts_no_more_does_not_pile_up() -> None:
    agenda = Agenda(KEYS)
    for time_ns in range(10_000, 0, -1):
        agenda.set("a", 10**9 + time_ns)
    assert len(agenda._heap) < 100
    assert agenda.earliest() == 10**9 + 1


def test_keys_are_ranked_as_they_are_given() -> None:
    agenda = Agenda(("x", "a"))
    agenda.set("a", 1)
    agenda.set("x", 2)
    assert agenda.take_due(2) == ["x", "a"]
    assert (agenda.rank("x"), agenda.rank("a")) == (0, 1)
    assert agenda.earliest() == NEVER
