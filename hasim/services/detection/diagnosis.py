"""What kind of failure the evidence speaks for."""

from __future__ import annotations

from hasim.model import Cause, Diagnosis

_DOWN = (Cause.REFUSED, Cause.RESET)
_SILENT = (Cause.TIMEOUT, Cause.CONNECT_TIMEOUT)


def diagnose(check: Cause | None, messages: Cause | None) -> Diagnosis:
    """A diagnosis from how the last check and the standing run of failed messages ended.

    A check is a probe or a heartbeat; one that did not come timed out. None stands for no
    evidence of that kind. A refused connection speaks for a dead process on a live host;
    checks that pass beside messages that fail are the differential observability that
    defines gray failure (Huang et al., HotOS 2017).
    """
    if check in _DOWN or (check is None and messages in _DOWN):
        return Diagnosis.PROCESS_DOWN
    if check is Cause.TIMEOUT or (check is None and messages in _SILENT):
        return Diagnosis.UNREACHABLE
    if check is not None and check is not Cause.OK:
        return Diagnosis.FAILING_PROBES
    return Diagnosis.GRAY_FAILURE if messages is not None else Diagnosis.NONE
