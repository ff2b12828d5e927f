"""A page for each real system that has a preset: what happens, second by second, when it fails.

Derived from the registries, and from a run of each: nothing on these pages is written by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hasim
from hasim.events import LeaderElected, TermBegun
from hasim.findings.result import Result
from hasim.journal import Journal
from hasim.report import style
from hasim.report.figures import incident_timeline
from hasim.report.format import seconds
from hasim.report.timeline import timeline_rows
from hasim.scenario.catalogue import of_system, systems
from hasim.scenario.document import parse_document
from hasim.services.detection.registry import PRESETS
from hasim.services.failover.registry import PRESETS as FAILOVER
from hasim.services.gateway.presets import RETRIES
from hasim.services.leadership.registry import PRESETS as LEADERSHIP
from hasim.settings.presets import Preset
from hasim.settings.registry import Named
from hasim.units import nanoseconds

ROOT = Path(__file__).parents[1]
TRUTH = ROOT / "results" / "truth.md"
MOST_LINES = 40
"""Lines of a story that are shown."""
_STRIKES_S = 120
KINDS: Mapping[str, Named[Preset]] = {
    "detection": PRESETS,
    "failover": FAILOVER,
    "leadership": LEADERSHIP,
    "retries": RETRIES,
}
WRITTEN = {"retries": "traffic: {{retry: {{preset: {}}}}}"}
"""How a preset is asked for where that is not `kind: {preset: NAME}`."""
CHECKED_BY = {"haproxy-redispatch": "haproxy"}
"""Presets of retries whose checks have another name."""
DETECTED_BY = {"pacemaker": "corosync", "kubernetes": "kubernetes-node"}
"""Presets of failover whose detection has another name."""


def _world(preset: str) -> dict[str, Any]:
    """Three masters behind a balancer with the checks of a preset, and its retries; one fails."""
    retry = {"retry": {"preset": preset}} if preset in RETRIES.shipped else {}
    return {
        "name": f"{preset}-fails",
        "horizon": "15m",
        "replications": 1,
        "seed": 14,
        "masters": [
            {"id": "m-1", "priority": 1, "workers": 8, "service": "20ms"},
            {"id": "m-2", "like": "m-1", "priority": 2},
            {"id": "m-3", "like": "m-1", "priority": 3},
        ],
        "traffic": {
            **{"arrivals": {"law": "poisson", "rate": "6/s"}, "owned": "0%", "timeout": "2s"},
            **retry,
        },
        "faults": [{"kind": "crash", "target": "m-1", "at": f"{_STRIKES_S}s", "for": "6m"}],
        "detection": {"preset": CHECKED_BY.get(preset, preset)},
        "vary": {"faults.0.kind": ["crash", "hang"]},
    }


def _owner(preset: str) -> dict[str, Any]:
    """An owner and two standbys under the failover of a preset; its host is off, or it hangs."""
    detection = DETECTED_BY.get(preset, preset)
    leads = preset in LEADERSHIP.shipped
    return _written(preset) | {
        "detection": {"preset": detection},
        "failover": {"preset": preset},
        **({"leadership": {"preset": preset}} if leads else {}),
    }


def _leader(preset: str) -> dict[str, Any]:
    """Three control planes that elect a leader, which dies half a second before an owner does."""
    dies = {"kind": "observer-crash", "target": "observer", "at": f"{_STRIKES_S - 0.5}s"}
    world = _written(preset)
    return world | {
        "horizon": "3m",  # it counts each heartbeat
        "faults": [fault | {"for": "50s"} for fault in (*world["faults"], dies)],
        "observer": {"witnesses": ["default", "default"]},
        "detection": {"interval": "1s", "timeout": "500ms"},
        "leadership": {"preset": preset},
        "vary": {"faults.1.kind": ["observer-crash", "observer-hang"]},
    }


def _written(preset: str) -> dict[str, Any]:
    """An owner and two standbys, and ten writes a second."""
    return {
        "name": f"{preset}-owner-fails",
        "horizon": "20m",
        "replications": 1,
        "seed": 14,
        "masters": [
            {"id": "m-1", "priority": 1, "workers": 8, "service": "20ms"},
            {"id": "m-2", "like": "m-1", "priority": 2, "standby": True},
            {"id": "m-3", "like": "m-1", "priority": 3, "standby": True},
        ],
        "network": {"local_rtt": "1ms"},
        "replication": {"copies": 2, "lag": "20ms"},
        "traffic": {
            **{"arrivals": {"law": "poisson", "rate": "6/s"}, "owned": "100%", "timeout": "2s"},
        },
        "faults": [
            {"kind": "power-off", "target": "m-1", "at": f"{_STRIKES_S}s", "for": "10m"},
        ],
        "vary": {"faults.0.kind": ["power-off", "hang"]},
    }


def pages(folder: Path) -> dict[str, Iterator[str]]:
    """The pages by name; their figures are written into the folder."""
    presets = (name for presets in KINDS.values() for name in presets.shipped)
    names = list(dict.fromkeys([*presets, *systems()]))
    made = {f"system-{name}.md": _page(name, folder) for name in names}
    return {"systems.md": _index(names), **made}


def _index(names: list[str]) -> Iterator[str]:
    yield "# Real systems\n"
    yield (
        "Each has its documented defaults as a preset (`detection: {preset: NAME}`, and so of "
        "`failover` and `leadership`, of `traffic.retry` for what follows a failed attempt), a "
        "scenario that reads like its configuration (`hasim new mine --from NAME`), or both. Their "
        "pages tell what happens when a master fails, drawn from a run.\n"
    )
    yield "```{toctree}\n:maxdepth: 1\n"
    yield from (f"system-{name}" for name in names)
    yield "```\n"


def _page(name: str, folder: Path) -> Iterator[str]:
    yield f"# {name}\n"
    for kind, presets in KINDS.items():
        preset = presets.shipped.get(name)
        if preset is not None:
            yield f"## Its {kind}\n"
            yield f"{_plain(preset.about)}\n"
            written = WRITTEN.get(kind, f"{kind}: {{{{preset: {{}}}}}}").format(name)
            yield f"`{written}` stands for:\n"
            yield from _settings(preset.settings)
            yield f"\nSource: {preset.source}\n"
    if name in systems():
        yield "## As a scenario\n"
        yield f"What `hasim new mine --from {name}` writes:\n"
        yield f"```yaml\n{of_system(name, 'mine').rstrip()}\n```\n"
    yield "## When it fails\n"
    for place, data in enumerate(_worlds(name)):
        found = hasim.run(data, replications=1, jobs=1, progress=None)
        yield from _incidents(f"{name}-{place}" if place else name, found, folder)
    yield from _measured(name)


def _worlds(name: str) -> Iterator[dict[str, Any]]:
    """What is run to show it: its scenario, else a world of its own; its failover, if that has
    not been among it."""
    shown = ""
    if name in systems():
        shown = of_system(name, name)
        yield parse_document(shown, name).data
    elif (name in PRESETS.shipped and name not in FAILOVER.shipped) or name in CHECKED_BY:
        yield _world(name)
    elif name in LEADERSHIP.shipped:
        yield _leader(name)
    if name in FAILOVER.shipped and f"failover:\n  preset: {name}" not in shown:
        yield _owner(name)


def _settings(values: Mapping[str, Any]) -> Iterator[str]:
    yield "| setting | value |\n|---|---|"
    for path, value in values.items():
        yield f"| `{path}` | `{value}` |"


def _incidents(name: str, found: Result, folder: Path) -> Iterator[str]:
    """The first incident of each cell, in words and as a figure."""
    if found.incidents.empty:
        yield "No master failed in the run.\n"
        return
    for cell, rows in found.incidents.groupby("cell", sort=True):
        number = int(rows["incident"].iloc[0])
        journal = found.journal_of_incident(number)
        observer, terms = _who_leads(journal, float(rows["started_at_s"].iloc[0]))
        row, story = found.incident(number), found.explain(number, observer)
        last_s = max(line.t_ns for line in story.lines) / 1e9
        start_s = float(row["started_at_s"])
        around = nanoseconds(max(0.0, start_s - 5)), nanoseconds(last_s + 5)
        drawn = timeline_rows(journal, *around, observer)
        title = f"{row['kind']} of {row['master']}"
        file = f"system-{name}-{cell}.svg"
        style.save(incident_timeline(drawn, origin_s=start_s, title=title), folder / file)
        yield f"### {title}\n"
        yield f"![Timeline of the {title}; the same in words below.]({file})\n"
        yield f"{story.ending}\n"
        for reason in story.why:
            yield f"{_plain(reason)}\n"
        yield "| since then | who | what |\n|---:|---|---|"
        for line in story.lines[:MOST_LINES]:
            after = seconds(line.t_ns / 1e9 - start_s)
            yield f"| {after} | {line.who} | {_plain(line.words(story.origin_ns))} |"
        if len(story.lines) > MOST_LINES:
            yield f"\nAnd {len(story.lines) - MOST_LINES} more lines.\n"
        if terms:
            yield "\nWho leads meanwhile; what is told above is as the last of them saw it:\n"
            yield "| since then | who | what |\n|---:|---|---|"
            yield from (f"| {after} | {who} | {what} |" for after, who, what in terms)
        yield ""


def _who_leads(journal: Journal, start_s: float) -> tuple[str | None, list[tuple[str, str, str]]]:
    """The control plane whose term began last, and the elections and terms around a fault.

    None and nothing, if there were none.
    """
    observer, told = None, []
    for record in journal.records:
        after = seconds(record.t_ns / 1e9 - start_s)
        match record.body:
            case LeaderElected(leader, ballot, votes, reason):
                words = f"is elected by {', '.join(votes)} (ballot {ballot}): {reason}"
                told.append((after, leader, _plain(words)))
            case TermBegun(term, _, reason):
                observer = record.observer
                told.append((after, observer, _plain(f"begins term {term}: {reason}")))
    return observer, told


def _plain(text: str) -> str:
    for mark in "<>{}*_[]$|":
        text = text.replace(mark, f"\\{mark}")
    return text


def _measured(name: str) -> Iterator[str]:
    """What was measured at the real system, where there are such figures."""
    lines = TRUTH.read_text(encoding="utf-8").splitlines()
    own = [line for line in lines if line.startswith(f"| {name} ")]
    if not own:
        return
    head = next(k for k, line in enumerate(lines) if line.startswith("| system"))
    yield "\n## Beside what was measured\n"
    yield "Quantiles in seconds, measured / predicted ([how](test-report.md)).\n"
    yield from (*lines[head : head + 2], *own)
