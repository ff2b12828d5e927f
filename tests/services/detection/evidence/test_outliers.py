"""Masters compared with each other at the end of an interval: counts of reports, by hand."""

from __future__ import annotations

import pytest

from hasim.events import GatewayHello, GatewayReport, MasterTraffic, StartMaintenance, StatusChanged
from hasim.model import Cause, Diagnosis, Status
from hasim.services.detection import DetectionSettings, FailoverDetectionService
from hasim.settings import from_plain
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import cluster

MASTERS = tuple(f"m{n}" for n in range(1, 6))


def service(**own: object) -> FailoverDetectionService:
    written = {
        "evidence": ["probe", "outliers"], "outlier_interval": "10s", "outlier_volume": 10,
        "outlier_hosts": 3, "most_outliers": "50%",
    }  # fmt: skip
    made = FailoverDetectionService(
        from_plain(DetectionSettings, written | own), cluster(5, ("a", "b"))
    )
    made.start_monitoring(0)
    for master in MASTERS:
        made.record_recovery(0, master, "at work")
    return made


def report(
    number: int, gateway: str = "a", life: int = 1, **rows: tuple[int, int, int]
) -> GatewayReport:
    """Answered, failed, and the latency in milliseconds, by master."""
    told = tuple(
        MasterTraffic(
            m, ok, bad, 0, 0, Cause.ERROR if bad else Cause.OK, ms * MILLISECOND, bad
        )
        for m, (ok, bad, ms) in rows.items()
    )  # fmt: skip
    return GatewayReport(gateway, number, told, life)


def good(times: int = 1, **other: tuple[int, int, int]) -> dict[str, tuple[int, int, int]]:
    return dict.fromkeys(MASTERS, (100 * times, 0, 20)) | other


def declared(said: list[object]) -> list[tuple[str, Status]]:
    return [(out.master, out.new) for out in said if isinstance(out, StatusChanged)]


def test_whose_answers_are_fewer_than_the_others_stands_out() -> None:
    """Rates 1, 1, 1, 1 and 0.5: the mean 0.9, the deviation 0.2, the least 0.52 with 1.9."""
    made = service()
    assert declared(made.step(SECOND, report(1, **good(m2=(50, 50, 20))))) == []
    said = made.step(11 * SECOND, report(2, **good(m2=(50, 50, 20))))
    assert declared(said) == [("m2", Status.FAILED)]
    (changed,) = [out for out in said if isinstance(out, StatusChanged)]
    assert "50.0% of its messages succeed, 52.0% is the least among 5" in changed.reason
    assert changed.diagnosis is Diagnosis.GRAY_FAILURE
    rows = made.generate_health_report(11 * SECOND)
    assert "50.0%" in str(rows["m2"]["outlier"])
    assert {rows[m]["outlier"] for m in MASTERS if m != "m2"} == {""}


@pytest.mark.parametrize(("slow_ms", "failed"), [(119, False), (121, True)])
def test_whose_latency_is_beyond_factor_and_margin_stands_out(slow_ms: int, failed: bool) -> None:
    """Three times 20 ms, and 100 ms more than that median."""
    made = service()
    made.step(SECOND, report(1, **good(m3=(100, 0, slow_ms))))
    said = made.step(11 * SECOND, report(2, **good(m3=(100, 0, slow_ms))))
    assert declared(said) == [("m3", Status.FAILED)] * failed


def test_counts_of_all_gateways_are_of_the_interval_alone() -> None:
    made = service()
    made.step(SECOND, report(1, **good(m2=(0, 100, 20))))
    made.step(11 * SECOND, report(2, **good(m2=(100, 100, 20))))  # counts are of all so far
    assert made.get_failed_masters() == ["m2"]
    made.record_recovery(12 * SECOND, "m2", "looked at")
    # From here on all is well at both, and what was before is of an earlier interval.
    made.step(13 * SECOND, report(1, "b", **good()))
    said = made.step(22 * SECOND, report(3, **good(2, m2=(200, 100, 20))))
    assert declared(said) == []
    assert made.generate_health_report(22 * SECOND)["m2"]["outlier"] == ""


def test_no_more_than_the_share_is_failed_and_too_few_are_not_compared() -> None:
    made = service(most_outliers="20%", stdev_factor=0)
    slow = {"m1": (100, 0, 900), "m2": (100, 0, 950)}
    made.step(SECOND, report(1, **good(**slow)))
    assert declared(made.step(11 * SECOND, report(2, **good(**slow)))) == [("m2", Status.FAILED)]
    made = service(outlier_volume=150)
    for number, at in enumerate((1, 11)):
        said = made.step(at * SECOND, report(number + 1, **good(m2=(0, 100, 20))))
        assert declared(said) == []


def test_a_gateway_that_has_restarted_counts_from_nothing() -> None:
    made = service()
    made.step(SECOND, report(5, **good(9)))
    assert made.step(2 * SECOND, GatewayHello("a", 2, 0)) == []
    said = made.step(11 * SECOND, report(1, life=2, **good(m4=(20, 80, 20))))
    assert declared(said) == [("m4", Status.FAILED)]


def test_who_cannot_be_failed_does_not_keep_others_from_it_and_a_report_says_why() -> None:
    """Two stand out by their latency; the slower one is in maintenance."""
    made = service(stdev_factor=0)
    made.step(0, report(1, **good()))
    made.step(1, StartMaintenance("m1"))
    said = made.step(10 * SECOND, report(2, **good(2, m1=(200, 0, 9000), m2=(200, 0, 8000))))
    assert declared(said) == [("m2", Status.FAILED)]
    assert "latency" in str(made.generate_health_report(10 * SECOND)["m2"]["outlier"])
