"""What may be built: weights of any size above 0; the name that was meant is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hasim.services.balancing import BalancingSettings
from hasim.services.detection import DetectionSettings
from hasim.services.possible import check
from hasim.services.routing.standing import Standing
from hasim.settings import SettingsError
from hasim.settings.validation import from_plain
from tests.services.bench import cluster


def test_a_weight_may_be_less_than_one() -> None:
    whole = cluster(2)
    light = replace(whole.masters[0], weight=0.5)
    check(replace(whole, masters=(light, *whole.masters[1:])), BalancingSettings())


def test_for_a_name_that_is_none_the_nearest_is_told() -> None:
    witness = {"kind": "witness", "unheard": "declare"}
    known = from_plain(DetectionSettings, {"confirm": witness})
    wrong = replace(known, confirm=replace(known.confirm, unheard="declared"))
    with pytest.raises(SettingsError, match="did you mean declare"):
        check(cluster(2), wrong)


def test_the_first_owners_have_the_first_epoch() -> None:
    assert {owned.epoch for owned in Standing(cluster(2)).owners.values()} == {1}
