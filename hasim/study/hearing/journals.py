"""The evidence that a journal holds: heartbeats and probes of one observer, and the truth."""

from __future__ import annotations

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
    settings = detection_of(journal, observer)
    facts = facts_of(journal, observer)
    heard = {master: list[Heard]() for master in journal.masters}
    heard |= heard_by(journal, observer, settings)
    ends_ns = journal.horizon_ns
    downs = {
        master: [(episode.span.start_ns, episode.span.end_ns) for episode in episodes]
        for master, episodes in facts.episodes_of.items()
    }
    return Evidence(heard, settings.period_ns or SECOND, 0, ends_ns, downs)


def detection_of(journal: Journal, observer: str) -> DetectionSettings:
    """How an observer of the journal detects, as its header has it, else by default."""
    written = journal.header["observers"][observer].get("settings", {}).get("detection", {})
    return from_plain(DetectionSettings, written)


def heard_by(
    journal: Journal, observer: str, settings: DetectionSettings
) -> dict[str, list[Heard]]:
    """What an observer heard of each master that it heard of, in order."""
    seen = singly(journal.seen_by(observer))
    heard = _checks(seen, settings)
    for t_ns, beat in seen.of(Heartbeat):
        beats = heard.setdefault(beat.master, [])
        beats.append(Heard(t_ns, beat.number, 0, Cause.OK, "heartbeat"))
    return {master: sorted(each) for master, each in heard.items()}


def _checks(seen: Journal, settings: DetectionSettings) -> dict[str, list[Heard]]:
    """How each probe ended; those without an answer when they timed out."""
    probes = [one for one in settings.evidence if isinstance(one, ProbeSettings)]
    timeout_ns = probes[0].patience_ns if probes else 0
    sent = {(probe.master, probe.probe): t_ns for t_ns, probe in seen.of(SendProbe)}
    found: dict[str, list[Heard]] = {}
    for t_ns, reply in seen.of(ProbeReply):
        since_ns = sent.pop((reply.master, reply.probe), None)
        if since_ns is not None:
            took_ns = t_ns - since_ns
            if took_ns <= timeout_ns:
                heard = Heard(t_ns, reply.probe, took_ns, reply.cause, "check")
            else:
                heard = Heard(
                    since_ns + timeout_ns, reply.probe, timeout_ns, Cause.TIMEOUT, "check"
                )
            found.setdefault(reply.master, []).append(heard)
    for (master, number), since_ns in sent.items():
        if since_ns + timeout_ns < seen.horizon_ns:
            ended = Heard(since_ns + timeout_ns, number, timeout_ns, Cause.TIMEOUT, "check")
            found.setdefault(master, []).append(ended)
    return found
