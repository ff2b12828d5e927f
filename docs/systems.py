"""A page for each real system that has a preset: what happens, second by second, when it fails.

Derived from the registries, and from a run of each: nothing on these pages is written by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hasim
from hasim.findings.result import Result
from hasim.report import style
from hasim.report.figures import incident_timeline
from hasim.report.format import seconds
from hasim.report.timeline import timeline_rows
from hasim.scenario.catalogue import of_system, systems
from hasim.scenario.document import parse_document
from hasim.services.detection.registry import PRESETS
from hasim.units import nanoseconds

ROOT = Path(__file__).parents[1]
TRUTH = ROOT / "results" / "truth.md"
MOST_LINES = 40
"""Lines of a story that are shown."""
_STRIKES_S = 120


def _world(preset: str) -> dict[str, Any]:
    """Three masters behind a balancer with the checks of a preset; one crashes, or hangs."""
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
        "traffic": {"arrivals": {"law": "poisson", "rate": "6/s"}, "owned": "0%", "timeout": "2s"},
        "faults": [{"kind": "crash", "target": "m-1", "at": f"{_STRIKES_S}s", "for": "6m"}],
        "detection": {"preset": preset},
        "vary": {"faults.0.kind": ["crash", "hang"]},
    }


def pages(folder: Path) -> dict[str, Iterator[str]]:
    """The pages by name; their figures are written into the folder."""
    names = [*PRESETS.shipped, *(name for name in systems() if name not in PRESETS.shipped)]
    made = {f"system-{name}.md": _page(name, folder) for name in names}
    return {"systems.md": _index(names), **made}


def _index(names: list[str]) -> Iterator[str]:
    yield "# Real systems\n"
    yield (
        "Each has its documented defaults as a preset (`detection: {preset: NAME}`), a scenario "
        "that reads like its configuration (`hasim new mine --from NAME`), or both. Their pages "
        "tell what happens when a master fails, drawn from a run.\n"
    )
    yield "```{toctree}\n:maxdepth: 1\n"
    yield from (f"system-{name}" for name in names)
    yield "```\n"


def _page(name: str, folder: Path) -> Iterator[str]:
    yield f"# {name}\n"
    preset = PRESETS.shipped.get(name)
    if preset is not None:
        yield f"{_plain(preset.about)}\n"
        yield "## Its settings\n"
        yield f"`detection: {{preset: {name}}}` stands for:\n"
        yield from _settings(preset.settings)
        yield f"\nSource: {preset.source}\n"
    found = hasim.run(
        parse_document(of_system(name, name), name).data if name in systems() else _world(name),
        replications=1,
        jobs=1,
        progress=None,
    )
    if name in systems():
        yield "## As a scenario\n"
        yield f"What `hasim new mine --from {name}` writes:\n"
        yield f"```yaml\n{of_system(name, 'mine').rstrip()}\n```\n"
    yield "## When it fails\n"
    yield from _incidents(name, found, folder)
    yield from _measured(name)


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
        row, story = found.incident(number), found.explain(number)
        journal = found.journal_of_incident(number)
        last_s = max(line.t_ns for line in story.lines) / 1e9
        start_s = float(row["started_at_s"])
        drawn = timeline_rows(journal, nanoseconds(max(0.0, start_s - 5)), nanoseconds(last_s + 5))
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
        yield ""


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
