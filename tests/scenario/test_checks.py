"""Settings that contradict each other: an order that can only time out."""

import pytest

from hasim.scenario.loader import from_data
from hasim.scenario.problems import ScenarioError

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
    extra = "fencing_device: {latency: 6s}\nfailover: {fencing: none}\n"
    assert len(loaded(GOOD + extra).cells) == 1


@pytest.mark.parametrize(
    ("bursts", "field", "message"),
    [
        (
            "{share: 30%, mean: 1s, within: 20%}",
            "network.bursts.share",
            "must be less than what a burst loses (within, 20%), got 30%",
        ),
        ("{share: 100%, mean: 1s}", "network.bursts.share", "(within, 100%), got 100%"),
        ("{share: 10%, mean: 1us}", "network.bursts.mean", "the most is 1e+07"),
        ("{share: 10%, mean: 0s}", "network.bursts.mean", "must be greater than 0s"),
    ],
)
def test_bursts_of_loss_that_cannot_be(problems_of, bursts, field, message) -> None:
    (problem,) = problems_of(GOOD + f"network: {{bursts: {bursts}}}\n")
    assert problem.field == field
    assert message in problem.message


def test_no_share_in_bursts_is_legal_whatever_else(loaded) -> None:
    assert len(loaded(GOOD + "network: {bursts: {share: 0%, mean: 1us}}\n").cells) == 1


def test_a_promotion_that_is_known_by_the_role_is_waited_for_until_that_is_asked() -> None:
    """It would be taken back before anybody can know of it, for ever (a world of the hunt)."""
    data = {"horizon": "1m", "masters": [{"id": "a"}, {"id": "b"}], "traffic": {}}
    failover = {"promotion": "by-role", "promote_timeout": "1075ms"}
    with pytest.raises(ScenarioError, match=r"failover\.promote_timeout: must be longer than 1s75"):
        from_data(data | {"failover": failover})
    from_data(data | {"failover": failover | {"role_interval": "100ms"}})
