"""Links that are built when they are first used, and faults that strike them before and after."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.simulation.network import LinkFault, Network
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import JitterLaw, NetworkSettings
from hasim.simulation.settings.places import place_named

SITES = {
    end: place_named(region) for end, region in {"a": "x", "b": "x", "c": "y", "d": "y"}.items()
}
PAIRS = [(one, other) for one in SITES for other in SITES if one != other]


def network() -> Network:
    settings = NetworkSettings(jitter=JitterLaw(cv=0.3), loss=0.01)
    return Network(settings, Recorded(), SITES, seed=3, replication=1)


def all_built() -> Network:
    made = network()
    for pair in PAIRS:
        _ = made.links[pair]
    return made


def condition(made: Network, pair: tuple[str, str]) -> tuple[object, ...]:
    link = made.links[pair]
    return link.base_ns, link.drops, link.extra_ns, link.passes, [link.draw(0) for _ in range(3)]


FAULTS = st.builds(
    LinkFault,
    st.sampled_from(list(SITES)),
    st.none() | st.frozensets(st.sampled_from(list(SITES))),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(0, 5),
    st.sampled_from([0.0, 0.1, 0.3, 1.0]),
)


@given(st.lists(FAULTS, max_size=6), st.lists(st.integers(0, 5), max_size=8), st.data())
@settings(max_examples=60, deadline=None)
def test_a_link_meets_the_faults_alike_whenever_it_is_built(
    faults: list[LinkFault], toggles: list[int], data: st.DataObject
) -> None:
    lazy, eager = network(), all_built()
    active: list[LinkFault] = []
    for number in toggles:
        if number < len(faults):
            fault = faults[number]
            change = "end" if fault in active else "begin"
            (active.remove if fault in active else active.append)(fault)
            getattr(lazy, change)(fault)
            getattr(eager, change)(fault)
        pair = data.draw(st.sampled_from(PAIRS))
        assert condition(lazy, pair) == condition(eager, pair)
        assert lazy.connected(*pair) == (eager.links[pair].up and eager.links[pair[::-1]].up)
    for pair in PAIRS:
        assert condition(lazy, pair) == condition(eager, pair)


def test_only_links_that_are_used_are_built() -> None:
    made = network()
    made.begin(LinkFault("a", drops=True))
    assert not made.connected("a", "b")
    assert not made.links["b", "a"].up
    assert made.links["b", "c"].up
    assert set(made.links) == {("a", "b"), ("b", "a"), ("b", "c")}


def test_faults_on_both_ends_strike_twice() -> None:
    made, faults = network(), (LinkFault("a", loss=0.5), LinkFault("b", loss=0.5))
    made.begin(*faults)
    assert made.links["a", "b"].passes == 0.99 * 0.25
    assert made.links["a", "c"].passes == 0.99 * 0.5
    made.end(*faults)
    assert made.links["a", "b"].passes == 0.99


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 90)), max_size=12),
    st.sampled_from([None, JitterLaw(cv=0.3)]),
    st.sampled_from([0.0, 0.2]),
    st.sampled_from(
        [LinkFault("c"), LinkFault("a", loss=0.3, extra_ns=7), LinkFault("b", drops=True)]
    ),
)
@settings(max_examples=60, deadline=None)
def test_a_look_ahead_sees_what_will_be_drawn_and_takes_nothing(
    steps: list[tuple[bool, int]], jitter: JitterLaw | None, loss: float, fault: LinkFault
) -> None:
    setting = NetworkSettings(jitter=jitter, loss=loss)
    one, other = (Network(setting, Recorded(), SITES, seed=3, replication=1) for _ in range(2))
    for made in (one, other):
        made.begin(fault)
    link, twin = one.links["a", "b"], other.links["a", "b"]
    for skipped, count in steps:
        ahead = link.look_ahead(count).tolist()
        assert link.look_ahead(count).tolist() == ahead
        if skipped:
            link.skip(count)
        else:
            assert [link.draw(0) for _ in range(count)] == ahead
        assert [twin.draw(0) for _ in range(count)] == ahead


def test_who_looked_ahead_is_told_before_anybody_else_draws() -> None:
    link = network().links["a", "b"]
    ahead = link.look_ahead(4).tolist()

    def gives_way() -> None:
        link.foreseen_by = None
        link.skip(3)

    link.foreseen_by = gives_way
    assert link.draw(0) == ahead[3]
