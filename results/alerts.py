"""Which fault kinds page somebody, and after what time.

`python results/alerts.py` writes results/alerts.md: each kind of fault that strikes masters, by
itself, under three sets of alert rules.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hasim.api import prepare
from hasim.measures import measure
from hasim.measures.paging import FaultRow
from hasim.report.format import seconds
from hasim.simulation.run import simulate

WORLD: Mapping[str, Any] = {
    "name": "alerts",
    "horizon": "30m",
    "replications": 1,
    "seed": 1,
    "masters": [
        {"id": "a", "region": "here"},
        {"id": "b", "region": "here", "priority": 2},
        {"id": "c", "region": "here", "priority": 3},
    ],
    "traffic": {"arrivals": {"rate": "5/s"}},
    "data_plane": "reference",
    "detection": {"evidence": ["probe"], "interval": "5s", "fall": 3},
}
FAULTS: Mapping[str, Mapping[str, Any]] = {
    "crash, 3 min": {"kind": "crash", "for": "3m"},
    "crash, 10 s": {"kind": "crash", "for": "10s"},
    "power-off, 3 min": {"kind": "power-off", "for": "3m"},
    "hang, 3 min": {"kind": "hang", "for": "3m"},
    "slow to a tenth, 3 min": {"kind": "slow", "speed": "10%", "for": "3m"},
    "half of the answers are errors, 3 min": {"kind": "error-rate", "rate": "50%", "for": "3m"},
    "a third of the packets lost, 3 min": {"kind": "packet-loss", "loss": "33%", "for": "3m"},
    "200 ms of latency, 3 min": {"kind": "latency-spike", "extra": "200ms", "for": "3m"},
    "cut off, 3 min": {"kind": "partition", "for": "3m"},
    "region outage, 3 min": {"kind": "region-outage", "target": "region:here", "for": "3m"},
}
BURNS = (
    {"burn_rate": 14.4, "long": "1h", "short": "5m"},
    {"burn_rate": 6, "long": "6h", "short": "30m"},
    {"burn_rate": 3, "long": "1d", "short": "2h", "severity": "warning"},
    {"burn_rate": 1, "long": "3d", "short": "6h", "severity": "warning"},
)
RULES: Mapping[str, Mapping[str, Any]] = {
    "as they come": {},
    "`failed`, for 1 min": {"alerts": [{"when": "failed", "for": "1m", "keep_firing_for": "5m"}]},
    "burn rates": {"objective": "99.9%", "alerts": list(BURNS)},
}


def faults_of(fault: Mapping[str, Any], monitor: Mapping[str, Any]) -> tuple[list[FaultRow], int]:
    """What one world says of its faults, and pages that had none."""
    struck = {"target": "a", "at": "5m", **fault}
    loaded = prepare({**WORLD, "monitor": dict(monitor), "faults": [struck]})
    cell = loaded.cells[0]
    run = measure(simulate(cell.world, loaded.recorded_of(cell), seed=1, replication=0))
    return list(run.faults), run.needless_pages


def told(fault: Mapping[str, Any], monitor: Mapping[str, Any]) -> str:
    """After what time somebody is paged, and how often."""
    rows, needless = faults_of(fault, monitor)
    pages = sum(row.pages for row in rows)
    first = [row.paged_at_s for row in rows if row.paged_at_s is not None]
    text = "nobody" if not first else f"after {seconds(min(first) - rows[0].started_at_s)}"
    if pages > 1:
        text += f", {pages} pages"
    return text + (f", {needless} without a fault" if needless else "")


TEXT = """# Which fault kinds page somebody

`python results/alerts.py` writes this file. Three masters, probes every 5 s (three that fail
in a row convict), one fault of each kind at `a`. A page is an alert that becomes critical. *As they
come*: the rules that a scenario has unless it says otherwise (`monitor.alerts`). *Burn rates*: the
four of the SRE workbook at an objective of 99.9 %, by the downtime that the monitor believes in;
the two slow ones are tickets, not pages, and an outage shorter than 51.84 s pages nobody. What
probes do not see (errors, slow answers) pages nobody: messages as evidence do.

| fault | {heads} |
| --- | {lines} |
{rows}
"""


def main() -> None:
    """Simulate each kind of fault under each set of rules, and write the report."""
    rows = []
    for name, fault in FAULTS.items():
        fields = [told(fault, monitor) for monitor in RULES.values()]
        rows.append("| " + " | ".join([name, *fields]) + " |")
        sys.stdout.write(rows[-1] + "\n")
        sys.stdout.flush()
    text = TEXT.format(
        heads=" | ".join(RULES), lines=" | ".join("---" for _ in RULES), rows="\n".join(rows)
    )
    Path(__file__).with_name("alerts.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
