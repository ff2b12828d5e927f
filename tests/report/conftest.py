from __future__ import annotations

import pytest

from hasim import events as e
from hasim import truth as t
from hasim.journal import Journal
from hasim.model import Cause, Diagnosis, Ownership, RoutingTable, Severity, Status
from hasim.units import SECOND
from tests.findings.examples import CELLS, SUMMARIES

OBSERVER = "observer"


def ns(time_s: float) -> int:
    return round(time_s * SECOND)


def _report(gateway, sequence, answered, failed, cause=Cause.TIMEOUT):
    row = e.MasterTraffic("a", answered, failed, 1, failed, cause, 20_000_000, failed)
    return e.GatewayReport(gateway, sequence, (row,))


def _step(old, new, trigger, candidate, reason):
    return e.FailoverChanged(1, "a", ("p1",), old, new, trigger, candidate, reason)


def _table(version, owner):
    return RoutingTable(version, ("b", "c"), (Ownership("p1", owner, version),), "geo")


def _status(master, old, new, diagnosis, reason):
    return e.StatusChanged(master, old, new, diagnosis, reason)


def _copy(source_bytes, received_bytes):
    return e.Copy("p1", "a", 90, source_bytes, 1, received_bytes, 1)


def _before():
    return [
        (0, "truth", t.Writers("p1", ("a",))),
        (0, "truth", t.PartitionServed("p1", True, "a", "")),
        (5, "effect", e.SendProbe("a", 1)),
        (5.01, "input", e.ProbeReply("a", 1, Cause.OK)),
        (9, "input", _report("west", 1, 100, 2)),
    ]


def _seen():
    return [
        (10, "truth", t.FaultStarted(1, "hang", ("a",), True, "")),
        (10, "truth", t.PartitionServed("p1", False, "a", "hang")),
        (10.2, "effect", e.SendProbe("b", 7)),
        (10.25, "input", e.ProbeReply("b", 7, Cause.OK)),
        (10.5, "effect", e.SendProbe("a", 2)),
        (11.5, "input", _report("west", 2, 101, 3)),
        (11.7, "input", _report("east", 1, 40, 2)),
        (11.8, "input", _report("west", 3, 101, 7)),
        (11.0, "effect", e.SendProbe("a", 3)),
        (
            11.9,
            "event",
            _status(
                "a", Status.HEALTHY, Status.SUSPECT, Diagnosis.UNREACHABLE, "1 of 2 checks failed"
            ),
        ),
        (11.9, "event", e.AlertChanged(1, "master:a", Severity.WARNING, "a is suspected")),
        (12, "effect", e.SendProbe("a", 4)),
        (
            12.5,
            "event",
            _status(
                "a", Status.SUSPECT, Status.FAILED, Diagnosis.UNREACHABLE, "2 of 2 checks failed"
            ),
        ),
        (12.5, "event", e.AlertChanged(1, "master:a", Severity.CRITICAL, "a failed")),
    ]


def _done():
    return [
        (12.5, "event", _step("", "declared", "declare", "", "a failed")),
        (12.5, "event", _step("declared", "fencing", "fence", "", "power off a")),
        (12.5, "effect", e.Fence(1, "a")),
        (14, "truth", t.MasterFenced("a", 1, OBSERVER)),
        (14, "truth", t.PartitionServed("p1", False, "a", "power-off")),
        (14.5, "input", e.FenceResult(1, "a", True)),
        (14.5, "event", _step("fencing", "selecting", "fenced", "", "a is off")),
        (14.5, "event", _step("selecting", "transferring", "selected", "b", "lowest priority")),
        (14.5, "effect", e.TransferState(1, ("p1",), "b", ("c",))),
        (14.8, "input", e.TransferResult(1, "b", Cause.OK, (_copy(100, 50),))),
        (14.8, "event", _step("transferring", "rolling-back", "torn", "b", "p1: 50 of 100 bytes")),
        (14.8, "effect", e.DiscardTransfer(1, ("p1",), "b")),
        (15, "event", _step("rolling-back", "selecting", "rolled-back", "", "")),
        (15, "event", _step("selecting", "transferring", "selected", "c", "next")),
        (15, "effect", e.TransferState(1, ("p1",), "c", ("b",))),
        (15.4, "input", e.TransferResult(1, "c", Cause.OK, (_copy(100, 100),))),
        (15.4, "event", _step("transferring", "promoting", "transferred", "c", "whole")),
        (15.4, "effect", e.Promote(1, ("p1",), "c", 2)),
        (15.5, "truth", t.WritesLost("p1", 1, 3, 12288, 250_000_000, OBSERVER)),
        (15.6, "input", e.PromoteResult(1, "c", Cause.OK, 2)),
        (15.6, "event", e.OwnerChanged("p1", "c", 2, 1)),
        (15.6, "event", _step("promoting", "redirecting", "promoted", "c", "confirmed")),
        (15.6, "effect", e.PublishRouting("west", _table(2, "c"))),
        (15.6, "effect", e.PublishRouting("east", _table(2, "c"))),
        (15.65, "truth", t.PartitionServed("p1", True, "c", "")),
        (15.7, "input", e.RoutingAck("west", 2)),
        (15.7, "event", e.RoutingConverged(2)),
        (15.7, "event", _step("redirecting", "completed", "redirected", "c", "")),
        (15.9, "truth", t.PartitionAnswered("p1")),
        (17, "input", _report("west", 4, 101, 9)),
        (20, "truth", t.FaultCured(1)),
        (74, "truth", t.MasterRestarted("a")),
    ]


@pytest.fixture
def journal() -> Journal:
    """A hang at 10 s: a torn transfer to b, then c takes over at 15.65 s; cured at 20 s."""
    about = {"site": "west", "settings": {}, "late_window_ns": ns(5.5), "recovery_ns": ns(20)}
    about["one_primary"] = True
    made = Journal(
        {
            "horizon_ns": ns(100),
            "cluster": {
                "masters": [
                    {"id": m, "region": "west", "priority": n, "workers": 1}
                    for n, m in enumerate("abc", 1)
                ],
                "partitions": [{"id": "p1", "owner": "a"}, {"id": "p2", "owner": "b"}],
                "gateways": ["west", "east"],
                "rtt_ns": [[1, 1, 1], [1, 1, 1]],
            },
            "observers": {OBSERVER: about},
        }
    )
    for time_s, lane, body in sorted([*_before(), *_seen(), *_done()], key=lambda row: row[0]):
        made.add(ns(time_s), lane, body, "" if lane == "truth" else OBSERVER)
    return made


@pytest.fixture
def cells():
    return CELLS


@pytest.fixture
def summaries():
    return SUMMARIES
