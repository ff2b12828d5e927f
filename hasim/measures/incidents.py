"""Incidents: what befell a master, when that was detected, and when service was back."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.measures.declarations import Declaration
from hasim.measures.facts import Episode, Facts
from hasim.measures.serving import TIER, Down
from hasim.measures.spans import length_ns
from hasim.model import Status
from hasim.units import seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident; columns ending in ``_at_s`` are seconds since the start of the run.

    `number` counts the incidents of the run from 1, by start, then master.
    `kind` and `fault` name the earliest fault that was still active at the
    declaration (of `faults` that overlap). `outcome` is ``detected``, ``late``
    (declared within one interval plus timeout after the cure), ``censored``
    (never declared before the cure or the end of the run), ``already declared``
    or ``maintenance`` (the last two are excluded from detection measures).
    Either `detection_s` or `censored_s` (the time it stayed undetected) has a
    value, or neither if it is excluded. `partitions` counts those that went
    down with it (1 if a tier without state did); without any there is no outage.
    `restored_at_s` is when the last of them was up for good, `outage_s` the time until
    then in which any of them was down: good time in between (a master that is cured, and
    powered off later) is not counted. `first_ok_s` runs from its start until the last of
    them had a message answered for the first time. Both are censored at the end of the run.
    A tier without state has no `first_ok_s`. `recovery_s` runs from when the master is well again
    (cured, and back from the power-off of a failover) until it is declared healthy;
    `degraded_s` from the fault until it is well and nobody holds it for failed: redundancy is
    restored. Censored likewise; both have no value where operators keep the master, `recovery_s`
    where it was not declared failed.
    """

    number: int
    master: str
    kind: str
    fault: int
    faults: int
    started_at_s: float
    cured_at_s: float | None
    outcome: str
    suspected_at_s: float | None
    declared_at_s: float | None
    detection_s: float | None
    censored_s: float | None
    partitions: int
    restored_at_s: float | None
    outage_s: float | None
    outage_censored_s: float | None
    first_ok_s: float | None
    first_ok_censored_s: float | None
    recovery_s: float | None = None
    recovery_censored_s: float | None = None
    degraded_s: float | None = None
    degraded_censored_s: float | None = None


def incidents_of(facts: Facts) -> list[Incident]:
    """Every incident of the run, by start, then master."""
    downs = downs_of_episodes(facts)
    return [_incident(facts, episode, downs[episode.number]) for episode in facts.episodes]


def _incident(facts: Facts, episode: Episode, downs: list[Down]) -> Incident:
    start_ns, end_ns = episode.span.start_ns, episode.span.end_ns
    declaration, outcome = _detection(facts, episode)
    detected = outcome == "detected"
    declared_ns = None if declaration is None else declaration.t_ns
    excluded = outcome in ("already declared", "maintenance")
    cause = episode.cause_at(start_ns if declared_ns is None else declared_ns)
    restored_ns = _restored(downs)
    owned = [down for down in downs if down.partition != TIER]
    answered_ns = _answered(facts, owned)
    down_ns = length_ns(down.span for down in downs)
    left_s = seconds(facts.horizon_ns - start_ns)
    return Incident(
        number=episode.number,
        master=episode.master,
        kind=cause.kind,
        fault=cause.fault,
        faults=len(episode.faults),
        started_at_s=seconds(start_ns),
        cured_at_s=seconds(end_ns) if episode.cured else None,
        outcome=outcome,
        suspected_at_s=_since(_suspected(facts, episode), 0),
        declared_at_s=_since(declared_ns, 0),
        detection_s=_since(declared_ns, start_ns) if detected else None,
        censored_s=None if detected or excluded else seconds(episode.span.length_ns),
        partitions=len({down.partition for down in downs}),
        restored_at_s=_since(restored_ns, 0),
        outage_s=None if restored_ns is None else seconds(down_ns),
        outage_censored_s=seconds(down_ns) if downs and restored_ns is None else None,
        first_ok_s=_since(answered_ns, start_ns),
        first_ok_censored_s=left_s if owned and answered_ns is None else None,
        **_recovery(facts, episode),
    )


def _recovery(facts: Facts, episode: Episode) -> dict[str, float | None]:
    """How long it took until the master counted as healthy again: since it was, and in all.

    A next fault, or the end of the run, cuts both short.
    """
    one, start_ns = facts.verdicts[episode.master], episode.span.start_ns
    well_ns = _well(facts, episode)
    later = (other.span.start_ns for other in facts.episodes_of[episode.master])
    cut_ns = min((t for t in later if t > start_ns), default=facts.horizon_ns)
    if well_ns is None or well_ns >= cut_ns:
        return {"degraded_censored_s": seconds(cut_ns - start_ns)}
    if one.status.at(well_ns) is Status.MAINTENANCE:
        return {}
    standing = [
        d
        for d in one.declarations
        if (d.ended_ns is None or d.ended_ns > well_ns)
        and (d.t_ns <= well_ns or facts.episode_of(d) is episode)
    ]
    if not standing:
        return {"degraded_s": seconds(well_ns - start_ns)}
    healthy_ns = standing[-1].ended_ns
    if healthy_ns is None or healthy_ns > cut_ns:
        return {
            "recovery_censored_s": seconds(cut_ns - well_ns),
            "degraded_censored_s": seconds(cut_ns - start_ns),
        }
    return {
        "recovery_s": seconds(healthy_ns - well_ns),
        "degraded_s": seconds(healthy_ns - start_ns),
    }


def _well(facts: Facts, episode: Episode) -> int | None:
    """When the master was cured, and back from a power-off; None if not within the run."""
    if not episode.cured:
        return None
    well_ns = episode.span.end_ns
    for fenced in facts.fenced_of[episode.master]:
        if fenced.span.holds(well_ns):
            return fenced.span.end_ns if fenced.restarted else None
    return well_ns


def _since(t_ns: int | None, origin_ns: int) -> float | None:
    return None if t_ns is None else seconds(t_ns - origin_ns)


def _detection(facts: Facts, episode: Episode) -> tuple[Declaration | None, str]:
    """The declaration that ended the search for it, if any, and how the search ended."""
    one = facts.verdicts[episode.master]
    start_ns, end_ns = episode.span.start_ns, episode.span.end_ns
    if one.declared.just_before(start_ns):
        return None, "already declared"
    if one.status.just_before(start_ns) is Status.MAINTENANCE:
        return None, "maintenance"
    for declaration in one.declarations:
        if episode.span.holds(declaration.t_ns):
            return declaration, "detected"
        # What it says may be about a later incident that began in the window.
        if declaration.t_ns >= end_ns and facts.episode_of(declaration) is episode:
            return declaration, "late"
    return None, "censored"


def _suspected(facts: Facts, episode: Episode) -> int | None:
    """When the master was first suspected, or was so already."""
    status = facts.verdicts[episode.master].status
    if status.just_before(episode.span.start_ns) is Status.SUSPECT:
        return episode.span.start_ns
    changes = zip(status.times_ns, status.values, strict=True)
    return next((t for t, v in changes if v is Status.SUSPECT and episode.span.holds(t)), None)


def downs_of_episodes(facts: Facts) -> dict[int, list[Down]]:
    """For each episode (by number), the times down that it brought about.

    Those of partitions that its master owned, and that began while it lasted or
    before the failovers that answered it were over (a master that is cured just
    before it is fenced takes its partitions down a second time). A tier without
    state goes down with the last of its masters that was struck.
    """
    reach = {episode.number: episode.span.end_ns for episode in facts.episodes}
    for course in facts.courses:
        answered = facts.episode_of_course(course)
        if answered is not None:
            ended_ns = facts.horizon_ns if course.ended_ns is None else course.ended_ns
            reach[answered.number] = max(reach[answered.number], ended_ns)
    found: dict[int, list[Down]] = {episode.number: [] for episode in facts.episodes}
    for down in facts.downs():
        since_ns = down.span.start_ns
        concerned = facts.episodes if down.partition == TIER else facts.episodes_of[down.owner]
        own = [e for e in concerned if e.span.start_ns <= since_ns < reach[e.number]]
        if own:
            found[own[-1].number].append(down)
    return found


def _restored(downs: list[Down]) -> int | None:
    if not downs or not all(down.restored for down in downs):
        return None
    return max(down.span.end_ns for down in downs)


def _answered(facts: Facts, downs: list[Down]) -> int | None:
    """When the last partition had a message answered after its first fall."""
    first_fall = {down.partition: down.span.start_ns for down in reversed(downs)}
    times = [facts.servings[p].answered_after(fall_ns) for p, fall_ns in first_fall.items()]
    known = [t for t in times if t is not None]
    return max(known) if known and len(known) == len(times) else None
