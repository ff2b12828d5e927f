"""Quality of service of a detector, from its verdicts and from when masters were down.

Chen, Toueg, Aguilera: On the quality of service of failure detectors, IEEE Transactions on
Computers 51(5), 2002. A declaration (failed) is their S-transition, healthy again the T-transition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hasim.model import Status
from hasim.study.hearing.listening import Changes
from hasim.units import HOUR, seconds

Spans = Sequence[tuple[int, int]]


@dataclass
class Quality:
    """What a detector did on some evidence; times in seconds, shares of one.

    `detection_s` are the detection times T_D, `censored_s` how long the outages lasted that were
    not declared; those that began while the master was declared anyway are `already`. A mistake is
    a declaration of a master that was up: `mistakes_s` are their durations T_M (`cut_s` if an
    outage or the end came first), `recurrence_s` the times T_MR between them. `late`:
    declarations so soon after an outage that they rest on it. `recovery_s`: from the end of an
    outage until the master is healthy again.
    """

    suspicions: int = 0
    declarations: int = 0
    detection_s: list[float] = field(default_factory=list)
    censored_s: list[float] = field(default_factory=list)
    already: int = 0
    late: int = 0
    mistakes_s: list[float] = field(default_factory=list)
    cut_s: list[float] = field(default_factory=list)
    recurrence_s: list[float] = field(default_factory=list)
    recovery_s: list[float] = field(default_factory=list)
    failed_s: list[float] = field(default_factory=list)
    """How long each declaration stood, whether or not anything was down."""
    up_ns: int = 0
    mistaken_ns: int = 0

    @property
    def mistakes(self) -> int:
        """How many there were."""
        return len(self.mistakes_s) + len(self.cut_s)

    @property
    def mistake_rate(self) -> float | None:
        """Mistakes per hour in which a master was up (lambda_M)."""
        return self.mistakes * HOUR / self.up_ns if self.up_ns else None

    @property
    def accuracy(self) -> float | None:
        """The query accuracy probability P_A: a master that is up is not declared failed."""
        return 1 - self.mistaken_ns / self.up_ns if self.up_ns else None


def quality_of(
    verdicts: Mapping[str, Changes],
    outages: Mapping[str, Spans] | None,
    begins_ns: int,
    ends_ns: int,
    late_window_ns: int = 0,
) -> Quality:
    """What was right and wrong in the verdicts on some masters.

    Without `outages` (None) nothing is known of what was right: only suspicions,
    declarations and how long they stood are counted.
    """
    found = Quality()
    for master, changes in verdicts.items():
        found.suspicions += sum(event.new is Status.SUSPECT for _, event in changes)
        spans = _failed_spans(changes, ends_ns)
        found.declarations += len(spans)
        found.failed_s += [seconds(end - start) for start, end in spans]
        if outages is not None:
            downs = outages.get(master, ())
            _detections(found, spans, downs)
            _mistakes(found, spans, downs, begins_ns, ends_ns, late_window_ns)
    return found


def _failed_spans(changes: Changes, ends_ns: int) -> list[tuple[int, int]]:
    """From each declaration until the master was declared healthy, or the end."""
    spans, since = [], None
    for t_ns, event in changes:
        if event.new is Status.FAILED and since is None:
            since = t_ns
        elif event.new is Status.HEALTHY and since is not None:
            spans.append((since, t_ns))
            since = None
    return spans if since is None else [*spans, (since, ends_ns)]


def _detections(found: Quality, spans: Spans, downs: Spans) -> None:
    """When each outage was declared, and how soon after its end the master was healthy."""
    for start, end in downs:
        standing = next((span for span in spans if span[0] < start < span[1]), None)
        if standing is not None:
            found.already += 1
            continue
        declared = next((span for span in spans if start <= span[0] < end), None)
        if declared is None:
            found.censored_s.append(seconds(end - start))
            continue
        found.detection_s.append(seconds(declared[0] - start))
        last = next((span for span in spans if span[0] < end <= span[1]), None)
        if last is not None:
            found.recovery_s.append(seconds(last[1] - end))


def _mistakes(
    found: Quality, spans: Spans, downs: Spans, begins_ns: int, ends_ns: int, late_window_ns: int
) -> None:
    """Declarations of a master that was up, and for how long they stood."""
    found.up_ns += ends_ns - begins_ns - sum(end - start for start, end in downs)
    previous = None
    for start, end in spans:
        if any(down <= start < up for down, up in downs):
            continue
        if any(up <= start <= up + late_window_ns for _, up in downs):
            found.late += 1
            continue
        cut = min((down for down, _ in downs if down > start), default=ends_ns)
        if end < cut:
            found.mistakes_s.append(seconds(end - start))
        else:
            found.cut_s.append(seconds(cut - start))
        found.mistaken_ns += min(end, cut) - start
        if previous is not None:
            found.recurrence_s.append(seconds(start - previous))
        previous = start
