"""Metrics over HTTP: scraped as Prometheus does, parsed by prometheus_client."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed

import hasim
from hasim.services.monitoring.export import families
from hasim.watch.server import Served, server
from hasim.watch.sources import Simulated
from tests.watch.test_sources import SCENARIO, loaded

ROOT = Path(hasim.__file__).parent.parent
BEGAN_S = 1_700_000_000.0


@pytest.fixture
def served() -> Iterator[tuple[Served, str]]:
    source = Simulated(loaded())
    made = Served(source, 1.0, BEGAN_S)
    with server(made, 0) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield made, f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
    source.close()


def scraped(address: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """The samples by name and labels."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        text = answer.read().decode()
    assert text.endswith("# EOF\n")
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in parsed(text):
        for sample in family.samples:
            own = found.setdefault(sample.name, {})
            own[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_metrics_are_what_the_monitor_knows(served):
    made, address = served
    made.go_on(30.0)
    found = scraped(address)
    board = dict(made.picture().board)
    names = {family.name for family in families(board, running=True)}
    moved = {name.replace("_seconds", "_timestamp_seconds") for name in names if name not in found}
    assert moved <= set(found)
    assert len(moved) == 2
    whose = ("observer", "observer")
    failed = (("master", "a"), whose, ("status", "failed"))
    assert found["hasim_master_status"][failed] == 1
    assert found["hasim_master_suspicion_ratio"][("master", "a"), whose] >= 1
    changed = found["hasim_master_status_changed_timestamp_seconds"][("master", "a"), whose]
    assert BEGAN_S + 20 < changed < BEGAN_S + 30
    assert found["hasim_timestamp_seconds"][(whose,)] == BEGAN_S + 30
    answered = (("master", "b"), whose, ("outcome", "answered"))
    before = found["hasim_attempts_total"][answered]
    made.go_on(10.0)
    assert scraped(address)["hasim_attempts_total"][answered] > before > 0


def test_the_dashboard_is_plain_data(served):
    made, address = served
    made.go_on(25.0)
    with urllib.request.urlopen(f"{address}/dashboard", timeout=30) as answer:
        data = json.load(answer)
    assert data["now_s"] == 25.0
    assert data["masters"][0]["truth"] == ["hang"]
    assert data["board"]["sla"]["objective"] == made.picture().board["sla"]["objective"]
    with urllib.request.urlopen(address, timeout=30) as answer:
        assert "watched" in answer.read().decode()


def test_other_paths_are_not_found_and_nothing_can_be_changed(served):
    _, address = served
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{address}/etc/passwd", timeout=30)
    with pytest.raises(urllib.error.HTTPError, match="501"):
        urllib.request.urlopen(f"{address}/metrics", data=b"x", timeout=30)


def test_the_command_serves_until_it_is_interrupted(tmp_path):
    path = tmp_path / "watched.yaml"
    path.write_text(json.dumps(SCENARIO))
    command = [sys.executable, "-m", "hasim", "serve", str(path), "--port", "0", "--speed", "50"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip().removesuffix("/metrics")
        first = scraped(address)["hasim_timestamp_seconds"]
        end = time.monotonic() + 60
        while scraped(address)["hasim_timestamp_seconds"] == first and time.monotonic() < end:
            time.sleep(0.1)
        assert scraped(address)["hasim_timestamp_seconds"] != first
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
