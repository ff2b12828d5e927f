"""A snapshot of another version of hasim, or one that was changed, is refused whole."""

from __future__ import annotations

import functools
import json
import operator
from collections.abc import Iterator
from typing import Any

import pytest

from hasim.events import Promote, RecordFailure
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.control_plane import ControlPlane
from hasim.services.gateway.service import GatewayService
from hasim.units import SECOND
from tests.services.bench import Bench, cluster
from tests.services.members import Members

CLUSTER = cluster(3)


def _inside(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all keys of mappings within plain data."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data)
    for key, item in pairs:
        if isinstance(data, dict):
            yield (*path, key)
        if isinstance(item, dict | list):
            yield from _inside(item, (*path, key))


def refusal(plane: ControlPlane, data: dict[str, Any]) -> str | None:
    """Why a plane does not go on from a snapshot; None if it does."""
    try:
        plane.restore(data)
    except ValueError as error:
        return str(error)
    return None


def test_a_snapshot_of_another_version_is_refused_and_changes_nothing() -> None:
    """Whatever was not frozen then, or is not any more: one message, and no half of a state."""
    old = Bench(ControlPlane(CLUSTER))
    Members(CLUSTER).serve(old)
    old.run(SECOND)
    old.overrides[Promote] = lambda e: None
    old.feed(RecordFailure("m1"))
    old.run(old.now + SECOND // 2)
    whole, other = json.dumps(old.control_plane.freeze()), ControlPlane(CLUSTER)
    before = other.freeze()
    refused = []
    for path in _inside(json.loads(whole)):
        for name in (None, "of_another_version"):
            data = json.loads(whole)
            *above, last = path
            place = functools.reduce(operator.getitem, above, data)
            value = place.pop(last)
            if name is not None:
                place[name] = value
            told = refusal(other, data)
            if told is None:  # an entry of a mapping, such as what is known of one master
                other = ControlPlane(CLUSTER)
                continue
            assert told.startswith(("of another configuration", "the snapshot cannot be read"))
            assert other.freeze() == before
            refused.append(path)
    assert {("term",), ("last_ns",), ("configuration",)} <= set(refused)
    assert {"epoch", "state", "since_ns"} <= {path[-1] for path in refused}


def test_a_gateway_refuses_a_snapshot_of_another_version() -> None:
    made = GatewayService(BalancingSettings(), CLUSTER, CLUSTER.gateways[0])
    for key in made.freeze():
        data = {name: value for name, value in made.freeze().items() if name != key}
        with pytest.raises(ValueError, match="the snapshot cannot be read: another version"):
            GatewayService.restore(BalancingSettings(), CLUSTER, CLUSTER.gateways[0], data)
