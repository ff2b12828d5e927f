"""The evidence that a journal holds: heartbeats and probes of one observer, and the truth."""

from __future__ import annotations

from typing import Any

from hasim.events import Heartbeat, ProbeReply, SendProbe
from hasim.journal import Journal
from hasim.measures.facts import facts_of
from hasim.model import Cause
from hasim.scenario.traces.heard import Evidence, Heard
from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.services.detection.settings import DetectionSettings
from hasim.settings import from_plain
from hasim.singles import singly
from hasim.units import SECOND


def evidence_of(journal: Journal, observer: str | None = None) -> Evidence:
    """What an observer heard of each master (None: the first), and when it was really down.

    Raises JournalError for an observer that the journal does not have.
    """
    observer = journal.observer(observer)
    settings = _detection(journal.header["observers"][observer])
    facts = facts_of(journal, observer)
    seen = singly(journal.seen_by(observer))
    heard: dict[str, list[Heard]] = {m["id"]: [] for m in journal.header["cluster"]["masters"]}
    for t_ns, beat in seen.of(Heartbeat):
        heard[beat.master].append(Heard(t_ns, beat.number, 0, Cause.OK, "heartbeat"))
    for master, each in _checks(seen, settings).items():
        heard[master] += each
    ends_ns = journal.horizon_ns
    downs = {
        master: [(episode.span.start_ns, episode.span.end_ns) for episode in episodes]
        for master, episodes in facts.episodes_of.items()
    }
    in_order = {master: sorted(each) for master, each in heard.items()}
    return Evidence(in_order, settings.period_ns or SECOND, 0, ends_ns, downs)


def _detection(about: dict[str, Any]) -> DetectionSettings:
    written = about.get("settings", {}).get("detection", {})
    return from_plain(DetectionSettings, written)


def _checks(seen: Journal, settings: DetectionSettings) -> dict[str, list[Heard]]:
    """How each probe ended; those without an answer when they timed out."""
    timeouts = [one.patience_ns for one in settings.evidence if isinstance(one, ProbeSettings)]
    sent = {(probe.master, probe.probe): t_ns for t_ns, probe in seen.of(SendProbe)}
    found: dict[str, list[Heard]] = {}
    for t_ns, reply in seen.of(ProbeReply):
        since_ns = sent.pop((reply.master, reply.probe), None)
        if since_ns is not None:
            took_ns = t_ns - since_ns
            if took_ns <= timeouts[0]:
                heard = Heard(t_ns, reply.probe, took_ns, reply.cause, "check")
            else:
                heard = Heard(
                    since_ns + timeouts[0], reply.probe, timeouts[0], Cause.TIMEOUT, "check"
                )
            found.setdefault(reply.master, []).append(heard)
    for (master, number), since_ns in sent.items():
        if since_ns + timeouts[0] < seen.horizon_ns:
            ended = Heard(since_ns + timeouts[0], number, timeouts[0], Cause.TIMEOUT, "check")
            found.setdefault(master, []).append(ended)
    return found
