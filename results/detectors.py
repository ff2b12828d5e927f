"""How many inputs a second the detection service takes, with each detector and 1,000 masters.

Run as ``python results/detectors.py``; writes ``results/detectors.md``. On one core, in one
process. A heartbeat, an answer of a probe and a wake-up are one input each, the driver's clock
included. Seconds are of the processor, and differ from machine to machine, so each row is also
given as a ratio to a yardstick of plain Python that runs just before it: a dictionary updated so
many times a second.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hasim.events import (
    GossipHeard,
    GossipPacket,
    Heartbeat,
    ProbeReply,
    SendProbe,
    WakeUp,
)
from hasim.model import Cause, Cluster, Master, PacketKind
from hasim.services.detection.registry import DETECTORS
from hasim.services.detection.service import FailoverDetectionService
from hasim.services.detection.settings import DetectionSettings
from hasim.settings import from_plain
from hasim.units import MILLISECOND, SECOND

MASTERS = 1000
INPUTS = 100_000
GOAL = 200_000
OUT = Path(__file__).with_suffix(".md")
CLUSTER = Cluster(tuple(Master(f"m{number}", "here") for number in range(MASTERS)), (), (), ())
Count = tuple[int, float]
"""How many inputs, in how many seconds."""


def settings_of(detector: str, evidence: str) -> DetectionSettings:
    """A detector with its defaults, on heartbeats or probes each second."""
    rhythm = {"heartbeat": {"heartbeat_interval": "1s"}, "probe": {"interval": "1s"}}.get(
        evidence, {}
    )
    return from_plain(DetectionSettings, {"evidence": [evidence], "detector": detector, **rhythm})


def heartbeats(detector: str) -> Count:
    """Heartbeats of all masters with some jitter, and the wake-ups between them."""
    service = FailoverDetectionService(settings_of(detector, "heartbeat"), CLUSTER)
    service.start_monitoring(0)
    chance = random.Random(1)
    beats = sorted(
        (
            round_ * SECOND + number * MILLISECOND + chance.randrange(50 * MILLISECOND),
            number,
            round_,
        )
        for round_ in range(1, INPUTS // MASTERS + 1)
        for number in range(MASTERS)
    )
    inputs = [
        (t_ns, Heartbeat(f"m{number}", round_, t_ns - 20 * MILLISECOND))
        for t_ns, number, round_ in beats
    ]
    taken, wake = 0, WakeUp()
    began = time.process_time()
    for t_ns, beat in inputs:
        due = service.next_wakeup()
        while due is not None and due < t_ns:
            service.step(due, wake)
            taken += 1
            due = service.next_wakeup()
        service.step(t_ns, beat)
        taken += 1
    return taken, time.process_time() - began


def probes(detector: str) -> Count:
    """Probes of all masters, each answered after 10 ms, and the wake-ups that send them."""
    service = FailoverDetectionService(settings_of(detector, "probe"), CLUSTER)
    waiting: list[tuple[int, str, int]] = [
        (10 * MILLISECOND, sent.master, sent.probe)
        for sent in service.start_monitoring(0)
        if isinstance(sent, SendProbe)
    ]
    taken, place, wake = 0, 0, WakeUp()
    began = time.process_time()
    while taken < INPUTS:
        due = service.next_wakeup()
        if place < len(waiting) and (due is None or waiting[place][0] <= due):
            t_ns, master, number = waiting[place]
            place += 1
            service.step(t_ns, ProbeReply(master, number, Cause.OK))
        elif due is not None:
            for sent in service.step(due, wake):
                if isinstance(sent, SendProbe):
                    waiting.append((due + 10 * MILLISECOND, sent.master, sent.probe))
        taken += 1
    return taken, time.process_time() - began


def gossip(detector: str) -> Count:
    """Pings of all members, a thousand a second, and the wake-ups between them."""
    service = FailoverDetectionService(settings_of(detector, "gossip"), CLUSTER)
    service.start_monitoring(0)
    ping = GossipPacket(PacketKind.PING, 1, "")
    taken, wake = 0, WakeUp()
    began = time.process_time()
    for number in range(INPUTS // 4):
        t_ns = (number + 1) * MILLISECOND
        due = service.next_wakeup()
        while due is not None and due < t_ns:
            service.step(due, wake)
            taken += 1
            due = service.next_wakeup()
        service.step(t_ns, GossipHeard(f"m{number % MASTERS}", ping))
        taken += 1
    return taken, time.process_time() - began


def yardstick() -> float:
    """Updates of a dictionary a second: the speed of this interpreter here and now."""
    found: dict[int, int] = {}
    began = time.process_time()
    for number in range(1_000_000):
        found[number & 1023] = found.get(number & 1023, 0) + number
    return 1_000_000 / (time.process_time() - began)


def best(run: Callable[[str], Count], detector: str) -> tuple[float, float]:
    """Inputs a second, the better of two runs, and their ratio to the yardstick beside them."""
    found = []
    for _ in range(2):
        plain = yardstick()
        taken, seconds = run(detector)
        found.append((taken / seconds, taken / seconds / plain))
    return max(found)


def hears(detector: str, evidence: str) -> bool:
    """Whether a detector can do with this evidence."""
    settings = settings_of(detector, evidence)
    if any(True for _ in settings.problems()):
        return False
    if detector == "hearsay" or evidence == "gossip":
        return detector == "hearsay" and evidence == "gossip"
    counts = settings.detector.convicting_checks > 0
    return evidence == "probe" if counts else evidence == "heartbeat"


def main() -> None:
    """Measure every detector, and write the table."""
    lines = [
        "# Detector inputs a second",
        "",
        f"The detection service with {MASTERS:,} masters, on one core:",
        f"`python results/detectors.py`. The goal is {GOAL:,} inputs a second. The ratio is to a",
        "plain Python loop in the same run, which the machine's speed and load do not change.",
        "",
        "| detector | evidence | inputs a second | ratio | goal |",
        "|---|---|---:|---:|---|",
    ]
    for evidence, run in (
        *(("heartbeat", heartbeats), ("probe", probes)),
        ("gossip", gossip),
    ):
        for detector in DETECTORS.known:
            if not hears(detector, evidence):
                continue
            rate, ratio = best(run, detector)
            met = "met" if rate >= GOAL else "missed"
            lines.append(f"| `{detector}` | {evidence} | {rate:,.0f} | {ratio:.4f} | {met} |")
            sys.stdout.write(f"{lines[-1]}\n")
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
