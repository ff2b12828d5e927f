"""The table of verdicts: what is in it, and what is nowhere."""

from __future__ import annotations

import itertools

from hasim.model import Status
from hasim.services.detection.verdicts import VERDICTS, Finding, verdict_after

BY_EVIDENCE = (Finding.DOUBTED, Finding.CONVICTED, Finding.PASSED, Finding.ACQUITTED)

BY_WORD = {
    Finding.CALLED_FAILED: Status.FAILED,
    Finding.CALLED_HEALTHY: Status.HEALTHY,
    Finding.TAKEN_OUT: Status.MAINTENANCE,
}


def test_every_verdict_has_a_row_and_every_move_changes_something() -> None:
    assert set(VERDICTS) == set(Status)
    for status, row in VERDICTS.items():
        same = [finding for finding, new in row.items() if new is status]
        assert same == [finding for finding, new in BY_WORD.items() if new is status]


def test_what_is_not_in_a_row_changes_nothing() -> None:
    for status, finding in itertools.product(Status, Finding):
        assert verdict_after(status, finding) is VERDICTS[status].get(finding, status)


def test_evidence_alone_never_ends_a_maintenance_nor_begins_one() -> None:
    for finding in BY_EVIDENCE:
        assert verdict_after(Status.MAINTENANCE, finding) is Status.MAINTENANCE
        for status in Status:
            if status is not Status.MAINTENANCE:
                assert verdict_after(status, finding) is not Status.MAINTENANCE


def test_a_failed_master_becomes_healthy_only_by_acquittal_or_by_word() -> None:
    """Whatever else is found, it is failed or recovering."""
    reach = {Status.FAILED}
    for _ in Status:
        others = (Finding.DOUBTED, Finding.CONVICTED, Finding.PASSED, Finding.CALLED_FAILED)
        reach |= {verdict_after(status, finding) for status in reach for finding in others}
    assert reach == {Status.FAILED, Status.RECOVERING}
