"""Measured replications with known detection, failover and service times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hasim.measures import Measured, measure
from hasim.model import Cause
from hasim.sketch import sketch
from hasim.truth import AttemptRollup, LatencySketch, TrafficRollup
from tests.measures.story import Story, happy

Seconds = Sequence[float | None]


def run(
    replication: int,
    detections_s: Seconds = (),
    outage_s: float = 0.0,
    messages: tuple[int, int] = (0, 0),
    mistakes: int = 0,
    latencies_ms: Sequence[float] = (),
) -> Measured:
    """One replication of 1000 s on masters a, b, c.

    Incident k (a crash of a, from 100 k + 10 on, for 60 s) is declared after
    `detections_s[k]`, or never. `outage_s` is how long p1 is down in the first; if it was declared,
    a failover to b ends it. `messages` are (offered, answered in time).
    """
    story = Story(1000, replication=replication)
    for k, detection_s in enumerate(detections_s):
        start_s = 100.0 * k + 10
        story.fault(k, "a", start_s, start_s + 60)
        if detection_s is not None:
            story.declare("a", start_s + detection_s, until_s=start_s + 70)
        if outage_s and k == 0:
            _outage(story, start_s, detection_s, outage_s)
    for k in range(mistakes):
        story.declare("c", 100.0 * k + 20, until_s=100.0 * k + 28)
    offered, in_time = messages
    if offered:
        story.truth(1000, TrafficRollup(0, "a", "ordinary", "ok", in_time, in_time, in_time))
        rest = offered - in_time
        story.truth(1000, TrafficRollup(0, "a", "ordinary", "timeout", rest, 0, 2 * rest))
        story.truth(1000, AttemptRollup("a", Cause.OK, in_time))
    if latencies_ms:
        buckets = sketch((np.array(latencies_ms) * 1e6).astype(np.int64))
        story.truth(1000, LatencySketch("ordinary", 0.01, buckets))
    return measure(story.journal())


def _outage(story: Story, start_s: float, detection_s: float | None, outage_s: float) -> None:
    story.down(start_s, "p1")
    if detection_s is not None:
        declared_s, end_s = start_s + detection_s, start_s + outage_s
        happy(story, 1, "a", [declared_s] * 5 + [end_s, end_s])
        story.up(end_s, "p1", "b")
    else:
        story.up(start_s + outage_s, "p1")
    story.answered(start_s + outage_s + 0.5, "p1")
