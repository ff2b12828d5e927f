"""What is said of two runs whose settings differ."""

from __future__ import annotations

from hasim.study.comparing.settings import differences


def test_what_changed_comes_before_what_one_has_alone_and_reads_as_it_is_written() -> None:
    before = {"detection": {"evidence": ["probe"], "timeout": None, "fall": 3, "old": 1}}
    after = {"detection": {"error_limit": 2, "evidence": ["probe", {"kind": "x"}], "fall": 3}}
    after["detection"]["timeout"] = "1s"
    assert list(differences(before, after)) == [
        (
            "detection.evidence",
            "detection.evidence is [probe, {kind: x}], was [probe]",
        ),
        ("detection.timeout", "detection.timeout is 1s, was null"),
        ("detection.error_limit", "detection.error_limit is 2, was not set"),
        ("detection.old", "detection.old is not set any more"),
    ]
