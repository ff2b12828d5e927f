"""Checks go on: every member is probed in its rhythm."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.events import SendProbe, StatusChanged
from hasim.model import Status
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.services.detection.evidence.probe_settings import ProbeSettings


def longest_ns(probes: ProbeSettings) -> int:
    """The longest time from one probe to the next (nanoseconds)."""
    wait_ns = max(probes.interval_ns, probes.down_ns, probes.fast_ns)
    spread = wait_ns * (probes.spread_checks + probes.interval_jitter_percent)
    longest = wait_ns + round(spread) + probes.interval_jitter_ns + probes.patience_ns
    return longest + probes.initial_delay_ns + 1


def _find(case: Case) -> Iterator[Found]:
    probes = case.settings.detection.probes
    if probes is None or probes.when != "always":
        return
    most = longest_ns(probes)
    last = {name: 0 for name, master in case.masters.items() if not master.absent}
    for exchange, out in case.outputs:
        if isinstance(out, StatusChanged):
            if out.new is Status.MAINTENANCE:
                last.pop(out.master, None)
            else:
                last.setdefault(out.master, exchange.t_ns)
        elif isinstance(out, SendProbe):
            yield from _gap(
                case, out.master, last.get(out.master, exchange.t_ns), exchange.t_ns, most
            )
            last[out.master] = exchange.t_ns
    for name, since_ns in last.items():
        yield from _gap(case, name, since_ns, case.horizon_ns, most)


def _gap(case: Case, name: str, since_ns: int, now: int, most: int) -> Iterator[Found]:
    if now - since_ns > most and not case.is_disturbed(since_ns, now):
        yield Found(since_ns, name, f"not probed for {now - since_ns} ns, {most} ns at most")


CHECKS_GO_ON = Invariant(
    "checks-go-on",
    "Each master that is part of the cluster is probed at least once in its interval.",
    "A timer is lost: a master may fail, or recover, and nobody looks.",
    _find,
    "observer",
)
