"""Which attempt follows, when and where: layers of retries against nested loops."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.model import Cause
from hasim.services.gateway.presets import RETRIES
from hasim.services.gateway.retrying import (
    CLINGS,
    LEAVES,
    NONE,
    follows,
    layers_of,
    starts_at,
    stays,
)
from hasim.services.gateway.rules import NEVER
from hasim.services.gateway.settings import FAILURES, Failure, RetryLayer, RetrySettings
from hasim.services.watch import CODES
from hasim.units import SECOND

CAUSES = st.sampled_from(FAILURES)
ON = st.lists(CAUSES, unique=True).map(tuple)
LAYERS = st.tuples(st.integers(1, 4), ON, st.integers(1, 4), ON)


def code(failure: Failure) -> int:
    return CODES[Cause(failure)]


def nested(outer: RetrySettings, causes: list[Failure]) -> Iterator[int]:
    """An application that calls an SDK that sends: the numbers of the attempts that are sent."""
    inner, sent = outer.inner or RetryLayer(), iter(causes)
    for call in range(outer.attempts):
        for place in range(inner.attempts):
            yield call * inner.attempts + place
            cause = next(sent, None)
            if cause is None:
                return
            if cause not in inner.on:
                break
        if cause not in outer.on:
            return


@given(LAYERS, st.lists(CAUSES, max_size=20))
def test_layers_are_loops_within_loops(layers, causes) -> None:
    attempts, on, within, inner_on = layers
    inner = RetryLayer(attempts=within, on=inner_on)
    settings = RetrySettings(attempts=attempts, on=on, inner=inner)
    made, number = [0], 0
    for cause in causes:
        number = follows(*layers_of(settings), number, code(cause))
        if number == NONE:
            break
        made.append(number)
    assert made == list(nested(settings, causes))
    assert len(made) <= settings.total


@given(st.integers(1, 5), st.integers(1, 5))
def test_layers_multiply(attempts: int, within: int) -> None:
    """Four attempts with three of an SDK inside make twelve."""
    settings = RetrySettings(attempts=attempts, inner=RetryLayer(attempts=within))
    assert list(nested(settings, ["error"] * 30)) == list(range(settings.total))


@pytest.mark.parametrize(
    ("layer", "waits_s"),
    [
        ({"growth": 1.0, "jitter": 0.0}, [1, 1, 1, 1]),
        ({"jitter": 0.0}, [1, 2, 4, 8]),
        ({"jitter": 0.0, "most_backoff_ns": 3 * SECOND}, [1, 2, 3, 3]),
        ({"jitter": 0.5, "growth": 1.0}, [0.75] * 4),
        ({}, [0.5, 1, 2, 4]),
    ],
)
def test_waits_of_known_systems(layer, waits_s) -> None:
    """A fixed pause (HAProxy), doubled, up to a bound (AWS), equal and full jitter at 0.5."""
    layers = layers_of(RetrySettings(attempts=9, backoff_ns=SECOND, **layer))
    for number, wait_s in enumerate(waits_s, 1):
        assert starts_at(0, NEVER, *layers, number, 0.5) == wait_s * SECOND
        assert starts_at(5, 5 + int(wait_s * SECOND), *layers, number, 0.5) == NEVER


@given(st.integers(1, 10_000), st.floats(1, 10), st.floats(0, 1, exclude_max=True))
def test_a_wait_without_end_is_never(number: int, growth: float, uniform: float) -> None:
    layers = layers_of(RetrySettings(attempts=20_000, backoff_ns=SECOND, growth=growth))
    assert 0 <= starts_at(0, 10 * SECOND, *layers, number, uniform) <= NEVER


def test_each_layer_waits_by_its_own_rule() -> None:
    inner = RetryLayer(attempts=3, backoff_ns=SECOND // 10, jitter=0.0)
    layers = layers_of(RetrySettings(attempts=3, backoff_ns=SECOND, jitter=0.0, inner=inner))
    waits = [starts_at(0, NEVER, *layers, number, 0.5) / SECOND for number in range(1, 9)]
    assert waits == [0.1, 0.2, 1.0, 0.1, 0.2, 2.0, 0.1, 0.2]


@pytest.mark.parametrize(
    ("master", "same"),
    [("another", ""), ("same", "123"), ("same-then-another", "12"), ("pinned", "123")],
)
def test_which_retries_go_to_the_same_master(master, same: str) -> None:
    """Of three retries; with redispatch (HAProxy) the last one goes elsewhere."""
    outer = layers_of(RetrySettings(attempts=4, master=master))
    inner = layers_of(RetrySettings(inner=RetryLayer(attempts=4, master=master)))
    for layers in (outer, inner):
        assert "".join(str(n) for n in range(4) if stays(*layers, n)) == same


@pytest.mark.parametrize(
    ("preset", "waits_s", "stay"),
    [
        ("haproxy", [1, 1, 1], [CLINGS] * 3),
        ("haproxy-redispatch", [0, 0, 0], [LEAVES] * 3),
        ("nginx", [0, 0], [LEAVES] * 2),
    ],
)
def test_presets_retry_as_their_systems(preset: str, waits_s: list[int], stay: list[int]) -> None:
    made = RetrySettings.of_preset(preset)
    layers = layers_of(made)
    numbers = range(1, made.attempts)
    assert [starts_at(0, NEVER, *layers, n, 0.5) // SECOND for n in numbers] == waits_s
    assert [stays(*layers, n) for n in numbers] == stay
    assert follows(*layers, 0, CODES[Cause.REFUSED]) == 1
    assert follows(*layers, 0, CODES[Cause.ERROR]) == NONE
    assert follows(*layers, 0, CODES[Cause.TIMEOUT]) == (1 if preset == "nginx" else NONE)
    assert set(RETRIES.shipped) == {"haproxy", "haproxy-redispatch", "nginx"}
