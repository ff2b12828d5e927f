"""What kind of failure the evidence speaks for."""

from __future__ import annotations

import pytest

from hasim.model import Cause, Diagnosis
from hasim.services.detection.diagnosis import diagnose


@pytest.mark.parametrize(
    ("check", "messages", "diagnosis"),
    [
        (Cause.REFUSED, None, Diagnosis.PROCESS_DOWN),
        (Cause.TIMEOUT, Cause.TIMEOUT, Diagnosis.UNREACHABLE),
        (Cause.OK, Cause.TIMEOUT, Diagnosis.GRAY_FAILURE),
        (Cause.ERROR, None, Diagnosis.FAILING_PROBES),
        (None, Cause.RESET, Diagnosis.PROCESS_DOWN),
        (Cause.OK, None, Diagnosis.NONE),
    ],
)
def test_diagnosis(check, messages, diagnosis: Diagnosis) -> None:
    assert diagnose(check, messages) is diagnosis
