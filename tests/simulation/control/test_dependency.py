"""Checks that all ask one database: it is slow, and all are out."""

from __future__ import annotations

from typing import Any

import pytest

from hasim.events import StatusChanged
from hasim.journal import Journal
from hasim.model import Status
from hasim.scenario.loader import from_data
from hasim.scenario.problems import ScenarioError
from hasim.simulation.run import simulate
from hasim.units import SECOND


def journal_of(fault: dict[str, Any], *, asks: bool, plane: str = "compiled") -> Journal:
    checks = {"evidence": ["probe"], "interval": "2s", "timeout": "1s", "fall": 2, "rise": 2}
    study = from_data(
        {
            "horizon": "90s",
            "data_plane": plane,
            "traffic": {"arrivals": {"law": "poisson", "rate": "5/s"}, "owned": "0%"},
            "tiers": [
                {
                    "name": "api",
                    "masters": [
                        {"id": "a1", "health": "deep", "health_work": "1ms", "health_asks": asks},
                        *({"id": name, "like": "a1"} for name in ("a2", "a3")),
                    ],
                    "detection": checks,
                    "failover": {"fencing": "none"},
                },
                {
                    "name": "db",
                    "masters": [
                        {"id": "d1", "health_work": "5ms"},
                        {"id": "d2", "like": "d1", "standby": True},
                    ],
                    "requests": {"owned": "100%"},
                    "detection": checks | {"evidence": ["heartbeat"], "detector": "lease"},
                    "failover": {"fencing": "none"},
                },
            ],
            "faults": [{"target": "d1", "at": "30s", "for": "30s", **fault}],
        }
    )
    (cell,) = study.cells
    return simulate(cell.world, study.recorded_of(cell), seed=1, replication=0)


def out_and_back(journal: Journal) -> tuple[dict[str, float], dict[str, float]]:
    """When API servers were failed first, and healthy last (seconds)."""
    out: dict[str, float] = {}
    back: dict[str, float] = {}
    for t_ns, event in journal.of(StatusChanged):
        if event.master.startswith("a") and event.new is Status.FAILED:
            out.setdefault(event.master, t_ns / SECOND)
        elif event.master.startswith("a") and event.new is Status.HEALTHY:
            back[event.master] = t_ns / SECOND
    return out, back


@pytest.mark.parametrize("fault", [{"kind": "slow", "speed": "0.1%"}, {"kind": "hang"}])
def test_a_slow_database_takes_out_all_whose_checks_ask_it(fault: dict[str, Any]) -> None:
    out, back = out_and_back(journal_of(fault, asks=True))
    assert set(out) == {"a1", "a2", "a3"}
    assert all(30 < t < 37 for t in out.values())
    assert all(t > 60 for t in back.values())


def test_those_whose_checks_do_not_ask_it_stay() -> None:
    assert out_and_back(journal_of({"kind": "hang"}, asks=False))[0] == {}


def test_a_database_that_refuses_fails_the_checks_at_once() -> None:
    """Two failed checks, half a second apart."""
    out, _ = out_and_back(journal_of({"kind": "crash"}, asks=True))
    assert set(out) == {"a1", "a2", "a3"}
    assert all(30 < t < 33 for t in out.values())


def test_both_data_planes_agree() -> None:
    one, other = (
        journal_of({"kind": "hang"}, asks=True, plane=plane) for plane in ("reference", "compiled")
    )
    assert one.records == other.records


def test_who_asks_must_have_somebody_to_ask() -> None:
    with pytest.raises(ScenarioError, match="there is no tier behind to ask"):
        from_data({"horizon": "1m", "masters": [{"id": "a", "health_asks": True}]})
    shallow = {"id": "a1", "health_asks": True}
    tiers = [{"name": "api", "masters": [shallow]}, {"name": "db", "masters": [{"id": "d1"}]}]
    with pytest.raises(ScenarioError, match="is of checks that are deep or write"):
        from_data({"horizon": "1m", "tiers": tiers})
