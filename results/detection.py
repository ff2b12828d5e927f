"""Fault kinds and detectors as a matrix: who sees what, how soon, and what nobody can see.

Run as ``python results/detection.py``; writes ``results/detection.md``. Each cell is a world of
three masters under load, in which the fault strikes one of them for 60 s, in a few replications.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hasim.measures import measure
from hasim.scenario.loader import from_data
from hasim.study.execution.replication import simulate_cell

OUT = Path(__file__).with_suffix(".md")
REPLICATIONS = 2
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "crash": ({"kind": "crash"}, "the process is gone, its host refuses connections"),
    "power-off": ({"kind": "power-off"}, "silence"),
    "hang": ({"kind": "hang"}, "the process accepts, and answers nothing"),
    "slow": ({"kind": "slow", "speed": "10%"}, "everything takes ten times as long"),
    "errors": ({"kind": "error-rate", "rate": "100%"}, "all answers are errors, checks pass"),
    "partition": ({"kind": "partition"}, "cut off from everybody"),
    "clients cut off": (
        {"kind": "partition", "scope": "clients"},
        "cut off from its clients alone",
    ),
    "monitor cut off": (
        {"kind": "partition", "scope": "monitor"},
        "cut off from the control plane alone, serves well: to declare it is a mistake",
    ),
    "lies": (
        {"kind": "error-rate", "rate": "30%"},
        "three answers in ten are errors, checks pass",
    ),
    "loss": (
        {"kind": "packet-loss", "loss": "20%"},
        "one packet in five is lost: no failure of the master, to declare it is a mistake",
    ),
}
"""What strikes: as scenarios write it, and in words."""
DETECTIONS: dict[str, dict[str, Any]] = {
    "threshold, probes": {"evidence": ["probe"], "detector": "threshold"},
    "threshold, messages": {"evidence": ["messages"], "detector": "threshold"},
    "threshold, both": {"evidence": ["probe", "messages"], "detector": "threshold"},
    "both, by share": {
        **{"evidence": ["probe", "messages"], "detector": "threshold", "count_by": "share"},
        **{"error_share": "25%", "error_volume": 20, "on_error": "mark-down"},
    },
    "down-after, probes": {
        **{"evidence": ["probe"], "detector": "down-after", "down_after": "5s"},
    },
    "timeout": {"evidence": ["heartbeat"], "detector": "timeout", "down_after": "3s"},
    "lease": {
        **{"evidence": ["heartbeat"], "detector": "lease", "grace": "4s"},
        **{"look_interval": "500ms"},
    },
    "nfd-s": {"evidence": ["heartbeat"], "detector": "nfd-s"},
    "nfd-e": {"evidence": ["heartbeat"], "detector": "nfd-e"},
    "2w-fd": {"evidence": ["heartbeat"], "detector": "2w-fd"},
    "bertier": {"evidence": ["heartbeat"], "detector": "bertier"},
    "phi-accrual": {"evidence": ["heartbeat"], "detector": "phi-accrual"},
    "phi-exponential": {"evidence": ["heartbeat"], "detector": "phi-exponential"},
    "phi-normal": {"evidence": ["heartbeat"], "detector": "phi-normal"},
    "ed": {"evidence": ["heartbeat"], "detector": "ed"},
    "vrrp": {"evidence": ["heartbeat"], "detector": "vrrp"},
    "down-after, pings": {"evidence": ["ping"], "detector": "down-after", "down_after": "5s"},
    "hearsay, gossip": {"evidence": ["gossip"], "detector": "hearsay"},
    "outliers": {"evidence": ["outliers"], "detector": "threshold"},
}
BLIND = (
    (
        "Probes that are shallow (the default)",
        "answers that are errors, slowness, and whatever lies between clients and master: the "
        "endpoint answers, and the observer's way is not the clients'",
    ),
    (
        "Messages",
        "a master that gets none (a standby, a drained one), and a cut between the master and the "
        "control plane alone, which is no failure",
    ),
    (
        "Heartbeats",
        "everything but silence: a master that sends them by its own clock may serve nobody; and "
        "whether a refused connection or a dead host is behind the silence",
    ),
    (
        "Gossip",
        "a master that serves nobody while its agent answers: it watches hosts and their links, "
        "not the service",
    ),
    (
        "Outliers",
        "what befalls all masters alike, and a master that gets no messages",
    ),
    (
        "Failures in a row",
        "a share of failures: the next answered message refutes the run; a window or a share sees "
        "them",
    ),
    (
        "All of them alone",
        "whether it is the master or the way to it: who is cut off from a healthy master declares "
        "it, unless others confirm it",
    ),
)


@dataclass
class Cell:
    """What came of one fault with one way to detect, over the replications."""

    detections_s: list[float]
    missed: int
    mistakes: int

    def text(self) -> str:
        """The mean detection time and how many were detected, or that none was."""
        found, parts = len(self.detections_s), []
        if found:
            share = "" if not self.missed else f" ({found} of {found + self.missed})"
            parts.append(f"{statistics.fmean(self.detections_s):.1f} s{share}")
        elif self.missed:
            parts.append("never")
        if self.mistakes:
            parts.append(f"{self.mistakes} mistake{'s' * (self.mistakes != 1)}")
        return ", ".join(parts) or "quiet"


def scenario(fault: dict[str, Any], detection: dict[str, Any]) -> dict[str, Any]:
    """One world: a fault of 60 s after a minute, at a master that gets a third of the traffic."""
    rhythm: dict[str, Any] = {}
    evidence = {*detection["evidence"]}
    if "heartbeat" in evidence:
        rhythm["heartbeat_interval"] = "1s"
    elif evidence & {"probe", "messages", "outliers"}:
        rhythm |= {"interval": "2s", "timeout": "500ms"}
    return {
        "name": "matrix",
        "horizon": "3m",
        "seed": 11,
        "masters": [{"id": f"m{number}", "workers": 4} for number in (1, 2, 3)],
        "network": {"rtt": "20ms", "jitter": {"law": "lognormal", "cv": 0.2}, "loss": "0.1%"},
        "traffic": {"arrivals": {"law": "poisson", "rate": "30/s"}, "owned": "0%", "timeout": "1s"},
        "faults": [
            {**fault, "target": "m1", "at": {"law": "uniform", "low": "60s", "high": "62s"}}
            | {"for": "60s"}
        ],
        "detection": {**detection, **rhythm},
        "failover": {"fencing": "none"},
    }


def cell_of(fault: dict[str, Any], detection: dict[str, Any]) -> Cell:
    """Run the replications of one cell of the matrix."""
    loaded = from_data(scenario(fault, detection))
    cell = Cell([], 0, 0)
    for replication in range(REPLICATIONS):
        measured = measure(simulate_cell(loaded, 0, replication))
        for incident in measured.incidents:
            if incident.detection_s is not None:
                cell.detections_s.append(incident.detection_s)
            else:
                cell.missed += 1
        cell.mistakes += len(measured.mistakes)
    return cell


def table() -> Iterator[str]:
    """The matrix as Markdown, a row for each way to detect."""
    names = list(FAULTS)
    yield f"| | {' | '.join(names)} |"
    yield f"|---{'|---' * len(names)}|"
    for name, detection in DETECTIONS.items():
        cells = [cell_of(fault, detection).text() for fault, _ in FAULTS.values()]
        yield f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Run every cell, and write the matrix."""
    lines = [
        "# Fault kinds and detectors",
        "",
        f"`python results/detection.py`: {REPLICATIONS} replications of each cell, three masters,",
        "10 messages a second at each; probes each 2 s (time-out 500 ms), heartbeats each second,",
        "20 ms round trip with jitter, 0.1 % loss. The mean time until the fault was declared (and",
        "how many, if not all were), *never* if none was, and mistakes: declarations of a master",
        "that was well. *Quiet* is right where nothing was wrong with the master.",
        "",
    ]
    for line in table():
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        lines.append(line)
    lines += ["", "The faults:", ""]
    lines += [f"- *{name}*: {words}." for name, (_, words) in FAULTS.items()]
    lines += ["", "## What they cannot see", ""]
    lines += [f"- **{who}**: {what}." for who, what in BLIND]
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
