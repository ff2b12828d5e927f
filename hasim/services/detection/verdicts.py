"""The verdicts on a master, as one table.

Read a row as: with this verdict, this finding leads to that one. A finding that is
not in the row changes nothing. Who says which finding it is: the detector and the
confirmation (`doubted`, `convicted`), the count of what speaks for the master
(`passed`, `acquitted`), an operator or another service (the others).
"""

from __future__ import annotations

from enum import StrEnum

from hasim.model import Status


class Finding(StrEnum):
    """What moves a verdict."""

    DOUBTED = "doubted"  # there is evidence against the master, and not enough to convict
    CONVICTED = "convicted"
    PASSED = "passed"  # a check passed, and more are needed
    ACQUITTED = "acquitted"
    CALLED_FAILED = "called failed"  # on somebody's word
    CALLED_HEALTHY = "called healthy"
    TAKEN_OUT = "taken out"  # maintenance begins, or it leaves the cluster
    BACK = "back"


_ALWAYS = {
    Finding.CALLED_FAILED: Status.FAILED,
    Finding.CALLED_HEALTHY: Status.HEALTHY,
    Finding.TAKEN_OUT: Status.MAINTENANCE,
}
VERDICTS: dict[Status, dict[Finding, Status]] = {
    Status.UNKNOWN: {
        Finding.DOUBTED: Status.SUSPECT,
        Finding.CONVICTED: Status.FAILED,
        Finding.ACQUITTED: Status.HEALTHY,
        **_ALWAYS,
    },
    Status.HEALTHY: {
        Finding.DOUBTED: Status.SUSPECT,
        Finding.CONVICTED: Status.FAILED,
        **_ALWAYS,
    },
    Status.SUSPECT: {
        Finding.CONVICTED: Status.FAILED,
        Finding.ACQUITTED: Status.HEALTHY,
        **_ALWAYS,
    },
    Status.FAILED: {
        Finding.PASSED: Status.RECOVERING,
        Finding.ACQUITTED: Status.HEALTHY,
        **_ALWAYS,
    },
    Status.RECOVERING: {
        Finding.DOUBTED: Status.FAILED,
        Finding.CONVICTED: Status.FAILED,
        Finding.ACQUITTED: Status.HEALTHY,
        **_ALWAYS,
    },
    # What is known of a master in maintenance speaks neither for it nor against it.
    Status.MAINTENANCE: {Finding.BACK: Status.UNKNOWN, **_ALWAYS},
}
SETTLED = (Status.HEALTHY, Status.FAILED)
"""No change of the verdict is pending."""


def verdict_after(status: Status, finding: Finding) -> Status:
    """The verdict after a finding; the same if it changes nothing."""
    return VERDICTS[status].get(finding, status)
