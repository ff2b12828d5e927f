"""What a prober gives up by itself: a connection that is not made in time, then an answer."""

from __future__ import annotations

from collections.abc import Callable

from hasim.events import ProbeReply, SendProbe
from hasim.model import Cause
from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.simulation.clock import INPUT, Call, Clock


class Deadlines:
    """Tells the observer that a probe timed out: not connected in time, or not answered then.

    Without a connect timeout there is nothing to do: the service has its one timeout. Where there
    is one, probes that time out are taken one by one.
    """

    def __init__(
        self, env: Clock, settings: ProbeSettings | None, receive: Callable[[Call], None]
    ) -> None:
        self._env = env
        self._connect_ns = None if settings is None else settings.connect_timeout_ns
        self._answer_ns = 0 if settings is None else settings.answer_ns
        self._receive = receive
        # By master: its latest probe, when it times out, and the event of that.
        self._ends: dict[str, tuple[int, int, Call]] = {}

    def outlook(self, cause: Cause) -> Cause | None:
        """How probes end that end like this: when they time out is not known beforehand."""
        timed = cause is Cause.TIMEOUT and self._connect_ns is not None
        return None if timed else cause

    def sent(self, probe: SendProbe, sent_ns: int) -> None:
        """A probe was put on its way: it has to be connected in time."""
        if self._connect_ns is not None:
            self._end(probe, sent_ns + self._connect_ns)

    def connected(self, probe: SendProbe) -> None:
        """A host has accepted it: it has to be answered in time."""
        if self._is_open(probe):
            self._end(probe, self._env.now + self._answer_ns)

    def foreseen(self, probe: SendProbe, sent_ns: int, there_ns: int, took_ns: int) -> None:
        """It is accepted, and its answer is here, so long after it was sent."""
        if self._connect_ns is None or there_ns > self._connect_ns:
            return
        if took_ns - there_ns < self._answer_ns:
            self._forget(probe)
        else:
            self._end(probe, sent_ns + there_ns + self._answer_ns)

    def answered(self, probe: SendProbe, delay_ns: int) -> None:
        """Its answer is on its way, and will be here after this time."""
        if self._is_open(probe) and self._ends[probe.master][1] > self._env.now + delay_ns:
            self._forget(probe)

    def _is_open(self, probe: SendProbe) -> bool:
        return probe.master in self._ends and self._ends[probe.master][0] == probe.probe

    def _end(self, probe: SendProbe, at_ns: int) -> None:
        self._forget(probe)
        if at_ns >= self._env.now:
            reply = ProbeReply(probe.master, probe.probe, Cause.TIMEOUT)
            call = Call(self._env, at_ns - self._env.now, INPUT, self._receive, reply)
            self._ends[probe.master] = probe.probe, at_ns, call

    def _forget(self, probe: SendProbe) -> None:
        if probe.master in self._ends:
            self._ends.pop(probe.master)[2].cancel()
