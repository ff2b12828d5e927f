"""The scenarios that come with hasim, and the start of a new one."""

from __future__ import annotations

import re
from pathlib import Path

from hasim.scenario.problems import Problem, ScenarioError

SUFFIXES = (".yaml", ".yml")
_PACKAGE = Path(__file__).parent.parent


def folder() -> Path:
    """Where the scenarios are: inside an installed package, or in the source checkout."""
    installed = _PACKAGE / "scenarios"
    return installed if installed.is_dir() else _PACKAGE.parent / "scenarios"


def shipped() -> dict[str, Path]:
    """The shipped scenarios by name, in alphabetical order."""
    return dict(sorted((path.stem, path) for path in folder().glob("*.yaml")))


def find(name_or_path: str | Path) -> Path:
    """The file of a shipped scenario's name, or the path itself if it can be read (also a pipe).

    Raises ScenarioError that names the nearest if there is neither.
    """
    path, known = Path(name_or_path), shipped()
    if _is_there(path):
        return path
    if str(name_or_path) in known:
        return known[str(name_or_path)]
    if str(name_or_path) and _is_folder(path):
        raise ScenarioError([Problem(str(path), None, "", _folder_message(path))])
    looks_like_path = path.suffix in SUFFIXES or len(path.parts) > 1
    raise ScenarioError([Problem(str(name_or_path), None, "", _miss(path, looks_like_path))])


def _folder_message(path: Path) -> str:
    files = sorted(p.name for p in path.iterdir() if p.suffix in SUFFIXES)
    inside = f"; in it: {', '.join(files)}" if files else ""
    return f"is a folder, expected a scenario file{inside}"


def _miss(path: Path, looks_like_path: bool) -> str:
    from hasim.settings.validation import nearest

    if not looks_like_path:
        return f"no scenario of this name{nearest(path.name, shipped(), otherwise='there are')}"
    parent = path.parent
    files = [p.name for p in parent.iterdir() if p.suffix in SUFFIXES] if parent.is_dir() else []
    return f"no such file{nearest(path.name, files, otherwise='there are')}"


def template(name: str) -> str:
    """The text of a commented scenario to start from. Raises ScenarioError for a bad name."""
    _check_name(name)
    return _TEMPLATE.format(name=f'"{name}"')


def systems() -> dict[str, Path]:
    """Scenarios that read like the configuration of a system, by the system, in their order."""
    return dict(sorted((path.stem, path) for path in (folder() / "systems").glob("*.yaml")))


def of_system(system: str, name: str) -> str:
    """The text of a scenario that reads like a system's configuration, under another name.

    Raises ScenarioError if there is no such system, or for a bad name.
    """
    from hasim.settings.validation import nearest

    _check_name(name)
    known = systems()
    if system not in known:
        message = f"no such system{nearest(system, known, otherwise='there are')}"
        raise ScenarioError([Problem(system, None, "", message)])
    return _renamed(known[system].read_text(encoding="utf-8"), name)


def _renamed(text: str, name: str) -> str:
    return re.sub(r"(?m)^name: .*$", f'name: "{name}"', text, count=1)


def copied(like: str, name: str) -> tuple[str, dict[str, bytes]]:
    """A shipped scenario under another name, and the files that it needs beside it.

    That is its text, and by their places the recorded data with origin and licence. Raises
    ScenarioError if there is no such scenario, or for a bad name.
    """
    from hasim.scenario.document import read_document
    from hasim.scenario.sent import trace_names

    _check_name(name)
    known = shipped()
    if like not in known:
        raise ScenarioError([Problem(like, None, "", _miss(Path(like), looks_like_path=False))])
    text = known[like].read_text(encoding="utf-8")
    files = {}
    for place in trace_names(read_document(known[like]).data):
        trace = folder() / place
        for path in sorted(trace.parent.glob(f"{trace.stem}.*")):
            files[path.relative_to(folder()).as_posix()] = path.read_bytes()
    return _renamed(text, name), files


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        message = "expected a name of letters, digits, '.', '_' and '-'"
        raise ScenarioError([Problem(name or "''", None, "", message)])


_TEMPLATE = """\
# What this scenario shows: how long three masters are without a crashed one.
name: {name}
horizon: 5m                 # simulated time of one replication
replications: 20            # independent runs of each cell
seed: 1

masters:                    # each owns one partition: p1, p2, ... in this order
  - id: a
    region: west            # masters of one region share a site
    priority: 1             # the lowest number is preferred as a backup
    workers: 8              # messages served at the same time
    queue: 200              # messages that wait; more are rejected
    service: {{law: lognormal, mean: 40ms, cv: 1.2}}
    state: {{size: 64MiB}}
  - {{id: b, like: a, priority: 2}}
  - {{id: c, like: a, priority: 3, region: east}}

network:
  rtt: 20ms                 # or {{matrix: rtt.csv}}
  jitter: {{law: lognormal, cv: 0.2}}
  loss: 0.1%

traffic:
  arrivals: {{law: poisson, rate: 20/s}}    # or {{trace: arrivals.csv, column: time}}
  owned: 50%                # these must reach the owner of their partition
  timeout: 1s               # of one attempt
  deadline: 5s              # of a message, retries included
  retry:
    attempts: 2             # the first one included
    backoff: 100ms          # at most, drawn anew each time
    # budget: 20%           # retries at most, as a share of messages; without it nothing cuts them

faults:                     # crash, power-off, hang, slow, error-rate, partition, ...
  - kind: crash
    target: random          # or a master, each, owner-of:p1, region:west
    at: {{law: uniform, low: 1m, high: 2m}} # or every: 10m, or schedule: {{trace: ...}}
    for: 2m

detection:
  evidence: [probe, messages]
  interval: 10s             # between probes of a master whose verdict is settled
  fast_interval: 500ms      # while a change of the verdict is pending
  timeout: 500ms
  fall: 2                   # failed checks in a row that make a master failed
  rise: 2

failover:
  fencing: confirmed        # none, best-effort, confirmed, lease, token, step-down, manual

balancing:
  algorithm: round-robin    # round-robin, priority, least-loaded, geo

vary:                       # every combination is one cell of the study
  detection.evidence: [[probe], [probe, messages]]

# What shall hold in every cell; hasim run says so, and by its exit code.
# expect:
#   detection_time.p95: < 15s
#   uptime: ">= 95%"
"""


def _is_there(path: Path) -> bool:
    try:
        return path.exists() and not path.is_dir()
    except OSError:  # its name is longer than that of any file
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False
