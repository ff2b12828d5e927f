"""Settings that contradict each other: an order that can only time out."""

import pytest

from .conftest import GOOD


@pytest.mark.parametrize(
    ("extra", "field", "limit"),
    [
        ("fencing_device: {latency: 6s}", "fencing_device.latency", "failover.fencing.timeout, 5s"),
        ("promotion: {duration: 3s}", "promotion.duration", "failover.promote_timeout, 3s"),
    ],
)
def test_a_step_cannot_take_longer_than_is_waited_for_it(problems_of, extra, field, limit) -> None:
    (problem,) = problems_of(GOOD + extra + "\n")
    assert (problem.line, problem.field) == (len(GOOD.splitlines()) + 1, field)
    assert problem.message == f"must be shorter than {limit}"


def test_without_fencing_the_device_may_be_slow(loaded) -> None:
    extra = "fencing_device: {latency: 6s}\nfailover: {fencing: {mode: none}}\n"
    assert len(loaded(GOOD + extra).cells) == 1
