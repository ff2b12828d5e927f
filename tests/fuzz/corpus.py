"""What is mutated: a scenario with its traces, a run of it, a journal, a suite, a baseline."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from ruamel.yaml import YAML

from hasim.cli import main

ROOT = Path(__file__).parents[2]
SCENARIO = """\
name: tiny
horizon: 10s
replications: 2
masters: [{id: a}, {id: b, service: {trace: checks.csv, column: seconds, unit: s}}]
network: {rtt: {matrix: rtt.csv}}
traffic: {arrivals: {trace: counts.csv, column: time, count: n}, owned: 50%}
faults: [{kind: crash, target: each, schedule: {checks: checks.csv, least_outages: 1}}]
vary: {detection.fall: [2, 3]}
"""
WORLD = """\
name: small
horizon: 20s
replications: {at_least: 2, at_most: 3, until: {outage.mean: 50%}}
masters:
  - {id: a, region: west, workers: 2, queue: 9, service: {law: lognormal, mean: 40ms, cv: 1.2}}
  - {id: b, region: east, priority: 2, like: a, state: {size: 1MiB, write: 1KiB}}
network: {loss: 0.1%, bandwidth: 10MiB/s}
traffic: {arrivals: {law: poisson, rate: 5/s}, owned: 50%, timeout: 1s, retry: {attempts: 2}}
faults:
  - {kind: hang, target: "owner-of:p1", at: 4s, for: 6s}
  - kind: crash
    target: random
    every: {law: exponential, mean: 10s}
    for: {law: weibull, mean: 2s, shape: 2}
detection:
  {interval: 1s, fast_interval: 500ms, timeout: 500ms, fall: 2, evidence: [probe, messages]}
failover: {selection: [priority], fencing: {kind: lease, ttl: 3s, renew: 1s}, failback: automatic}
balancing: {algorithm: least-loaded}
monitor: {objective: 99.9%}
vary: {detection.detector: [threshold, {kind: phi-accrual, threshold: 8}]}
expect: {detection_time.p99: < 9s}
"""
TRACES = {
    "checks.csv": "time,target,result,seconds\n"
    + "".join(
        f"2024-05-01T10:00:{s:02}Z,x,{'down' if 5 < s < 9 else 'up'},0.0{s}\n" for s in range(20)
    ),
    "rtt.csv": ",local\nlocal,\nother,5\n",
    "counts.csv": "time;n\n2024-05-01 10:00;12\n2024-05-01 10:01;7\n2024-05-01 10:02;30\n",
    "beats.jsonl": "".join(f'{{"time": {1_700_000_000 + s}, "host": "m"}}\n' for s in range(30)),
}
SUITE = """\
replications: {at_least: 5, at_most: 5}
margins: {uptime: {absolute: 0.1%}}
scenarios: {a: {scenario: {horizon: 5s, masters: [{id: m1}]}, measures: [uptime]}}
"""


def make(folder: Path) -> None:
    """Everything, in a folder: to be copied, never to be changed.

    By then all libraries are loaded, which no input is blamed for.
    """
    files = {"tiny.yaml": SCENARIO, "small.yaml": WORLD, "suite.yaml": SUITE, **TRACES}
    for name, content in files.items():
        (folder / name).write_text(content)
    run = ("run", folder / "tiny.yaml", "--jobs", 1, "--out", folder / "run", "--journals")
    bench = ("bench", folder / "suite.yaml", "--baseline", folder / "base.json", "--jobs", 1)
    for args in (run, (*bench, "--update")):
        result = CliRunner().invoke(main, list(map(str, args)))
        assert result.exit_code == 0, result.output
    packed = next((folder / "run").glob("journals/*"))
    (folder / "plain.jsonl").write_bytes(gzip.decompress(packed.read_bytes()))


def shipped() -> list[Path]:
    """The scenarios that are shipped."""
    return sorted((ROOT / "scenarios").glob("*.yaml"))


def parsed(content: bytes) -> Any:
    """YAML as plain data."""
    return YAML(typ="safe", pure=True).load(io.BytesIO(content))
