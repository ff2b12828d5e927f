"""Why a master was declared failed then and not earlier, or why never: from what was heard."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from hasim.events import GatewayReport, StatusChanged
from hasim.journal import Journal
from hasim.model import Cause, Status
from hasim.report import format
from hasim.scenario.traces.heard import Heard
from hasim.services.detection.evidence.messages import MessageSettings
from hasim.services.detection.settings import DetectionSettings
from hasim.study.hearing.journals import detection_of, heard_by
from hasim.units import seconds


def why(
    journal: Journal, master: str, start_ns: int, ended_ns: int, observer: str
) -> Iterator[str]:
    """Sentences about one incident at a master: from its start to its cure, or the end of the run.

    By what one observer heard and declared. Nothing of a journal that does not say how its
    observer detects.
    """
    if "detection" not in journal.header["observers"][observer].get("settings", {}):
        return
    settings = detection_of(journal, observer)
    heard = heard_by(journal, observer, settings).get(master, [])
    changes = [
        (t_ns, event)
        for t_ns, event in journal.seen_by(observer).of(StatusChanged)
        if event.master == master
    ]
    before = [event.new for t_ns, event in changes if t_ns < start_ns]
    if before and before[-1] in (Status.FAILED, Status.RECOVERING, Status.MAINTENANCE):
        yield f"Nothing was declared, for it was called {before[-1]} already."
        return
    declared = next(
        ((t, e) for t, e in changes if start_ns <= t <= ended_ns and e.new is Status.FAILED), None
    )
    if declared is not None:
        yield from _then(heard, changes, start_ns, *declared)
    else:
        yield from _never(journal, master, heard, settings, start_ns, ended_ns)


def _then(
    heard: Sequence[Heard],
    changes: Sequence[tuple[int, StatusChanged]],
    start_ns: int,
    at_ns: int,
    event: StatusChanged,
) -> Iterator[str]:
    """Why it was declared at that time."""
    yield f"Why then: {event.reason}."
    last = next((h for h in reversed(heard) if h.t_ns < at_ns and h.cause is Cause.OK), None)
    said = []
    if last is not None:
        place = "before" if last.t_ns < start_ns else "after"
        apart = format.seconds(abs(seconds(last.t_ns - start_ns)))
        verb = "was heard" if last.kind == "heartbeat" else "passed"
        said.append(f"the last {last.kind} {verb} {apart} {place} the start of the fault")
    signs = [h for h in heard if start_ns <= h.t_ns <= at_ns and h.cause is not Cause.OK]
    suspected = [t for t, e in changes if start_ns <= t <= at_ns and e.new is Status.SUSPECT]
    first_ns = min([h.t_ns for h in signs] + suspected, default=None)
    if first_ns is not None:
        apart = format.seconds(seconds(first_ns - start_ns))
        rest = format.seconds(seconds(at_ns - first_ns))
        more = f"; to convict took {rest} more" if first_ns < at_ns else ""
        said.append(f"the first sign against it came {apart} after its start{more}")
    elif last is not None:
        said.append("silence was allowed until then")
    if said:
        yield f"Why not earlier: {', '.join(said)}."


def _never(
    journal: Journal,
    master: str,
    heard: Sequence[Heard],
    settings: DetectionSettings,
    start_ns: int,
    ended_ns: int,
) -> Iterator[str]:
    """Why it was not declared while it lasted."""
    during = [h for h in heard if start_ns <= h.t_ns <= ended_ns]
    checks = [h for h in during if h.kind == "check"]
    if checks:
        yield _of_checks(checks, settings)
    beats = [h.t_ns for h in during if h.kind == "heartbeat"]
    if beats:
        longest = max((b - a for a, b in itertools.pairwise([start_ns, *beats])), default=0)
        yield (
            f"Why never: {len(beats)} heartbeats were heard while it lasted, never more than "
            f"{format.seconds(seconds(longest))} apart: silence is all that their absence tells."
        )
    if not during:
        long = format.seconds(seconds(ended_ns - start_ns))
        yield f"Why never: in the {long} that it lasted nothing was due to be heard of it."
    yield from _of_messages(journal, master, settings, start_ns, ended_ns)


def _of_checks(checks: Sequence[Heard], settings: DetectionSettings) -> str:
    failed = [h for h in checks if h.cause is not Cause.OK]
    if not failed:
        return (
            f"Why never: all {len(checks)} checks passed while it lasted: what is wrong is "
            "nothing that they look at."
        )
    runs = (len(list(run)) for bad, run in itertools.groupby(checks, _is_bad) if bad)
    needed = settings.detector.convicting_checks
    rule = f"{needed} convict" if needed else "failed checks convict nobody by this detector"
    return (
        f"Why never: {len(failed)} of {len(checks)} checks failed while it lasted, at the most "
        f"{max(runs)} in a row; {rule}."
    )


def _is_bad(heard: Heard) -> bool:
    return heard.cause is not Cause.OK


def _of_messages(
    journal: Journal, master: str, settings: DetectionSettings, start_ns: int, ended_ns: int
) -> Iterator[str]:
    """What messages had to say, whether or not they are evidence."""
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    longest, over = 0, set[str]()
    for t_ns, report in journal.of(GatewayReport):
        for row in report.masters:
            if row.master != master or report.gateway in over:
                continue
            if t_ns < start_ns:
                before[report.gateway] = row.against
                continue
            after[report.gateway] = row.against
            longest = max(longest, row.streak)
            if t_ns >= ended_ns:  # which tells of what was just before
                over.add(report.gateway)
    failed = sum(count - before.get(gateway, 0) for gateway, count in after.items())
    if not failed:
        return
    own = [one for one in settings.evidence if isinstance(one, MessageSettings)]
    what = f"{failed} messages failed there, the longest run of a gateway was {longest}"
    if not own:
        yield f"{what}; but messages are no evidence here (detection.evidence)."
    elif own[0].on_error == "fast-interval":
        yield f"{what}; they only shorten the interval (on_error)."
    else:
        needed = own[0].error_limit * max(1, settings.detector.convicting_checks)
        yield f"{what}; it takes {needed} to convict (error_limit, {own[0].count_by})."
