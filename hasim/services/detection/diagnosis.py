"""What kind of failure the evidence speaks for."""

from __future__ import annotations

from hasim.model import Cause, Diagnosis

_DOWN = (Cause.REFUSED, Cause.RESET)


def diagnose(probe: Cause | None, messages: Cause | None) -> Diagnosis:
    """A diagnosis from how the last probe and the standing run of failed messages ended.

    None stands for no evidence of that kind. A refused connection speaks for a
    dead process on a live host; probes that pass beside messages that fail are
    the differential observability that defines gray failure (Huang et al., HotOS 2017).
    """
    if probe in _DOWN or (probe is None and messages in _DOWN):
        return Diagnosis.PROCESS_DOWN
    if probe is Cause.TIMEOUT or (probe is None and messages is Cause.TIMEOUT):
        return Diagnosis.UNREACHABLE
    if probe is not None and probe is not Cause.OK:
        return Diagnosis.FAILING_PROBES
    return Diagnosis.GRAY_FAILURE if messages is not None else Diagnosis.NONE
