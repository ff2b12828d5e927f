"""What happened in a world up to a breach, in lines, and the world as a file that says so."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator

from hasim.events import (
    FailoverChanged,
    OwnerChanged,
    Restart,
    StatusChanged,
    TermBegun,
    TermEnded,
)
from hasim.hunt.running import Ran
from hasim.journal import Record
from hasim.oracle import INVARIANTS
from hasim.truth import FaultCured, FaultStarted, MasterFenced, MasterRestarted, Writers
from hasim.units import SECOND

MOST = 40
"""So many of the last lines before the breach are told."""


def story(ran: Ran) -> list[str]:
    """Faults, verdicts, steps of failovers and owners up to the first breach, or to the end."""
    if ran.journal is None:
        return []
    until_ns = ran.breaches[0].t_ns if ran.breaches else ran.journal.horizon_ns
    lines = [line for r in ran.journal.records if r.t_ns <= until_ns for line in _told(r)]
    left_out = len(lines) - MOST
    return [f"({left_out} lines before)"] * (left_out > 0) + lines[-MOST:]


def _told(record: Record) -> Iterator[str]:
    text = ""
    match record.body:
        case FaultStarted() as one:
            whom = ", ".join(one.masters or one.others)
            text = f"{one.kind}{f' at {whom}' if whom else ''} begins (fault {one.fault})"
        case FaultCured() as one:
            text = f"fault {one.fault} is over"
        case MasterFenced() as one:
            text = f"{one.master} is powered off for failover {one.failover}"
        case MasterRestarted() as one:
            text = f"{one.master} is back, as a standby"
        case Writers() as one:
            who = ", ".join(one.masters) or "nobody"
            text = f"{who} accepts the writes of {one.partition}"
        case StatusChanged() as one:
            text = f"{one.master} is declared {one.new}: {one.reason}"
        case FailoverChanged() as one:
            to = f", candidate {one.candidate}" if one.candidate else ""
            text = f"failover {one.failover} of {one.master}: {one.new}{to} ({one.trigger})"
        case OwnerChanged() as one:
            text = f"{one.owner} owns {one.partition} under epoch {one.epoch}"
        case Restart():
            text = "the control plane is another process"
        case TermBegun() as one:
            text = f"term {one.term} begins"
        case TermEnded() as one:
            text = f"term {one.term} is over for it"
        case _:
            return
    yield f"{record.t_ns / SECOND:.3f} s  {text}"


def meaning(name: str) -> str:
    """What it means that an invariant is broken."""
    known = INVARIANTS.known.get(name)
    return "" if known is None else f"{known.meaning} Otherwise: {known.breach}"


def scenario_text(ran: Ran) -> str:
    """The world as a scenario file; comments say what it breaks, and how it comes to that."""
    from ruamel.yaml import YAML

    yaml, stream = YAML(), io.StringIO()
    yaml.width = 1000
    yaml.default_flow_style = None
    yaml.dump(ran.data, stream)
    command = f"hasim run FILE{' --check' * bool(ran.breaches)}"
    said = [f"Found by hasim hunt. `{command}` shows it again."]
    for breach in ran.breaches[:3]:
        said += ["", *textwrap.wrap(str(breach), 100)[:6]]
    for name in ran.broken[:1]:
        said += ["", *textwrap.wrap(meaning(name), 100)]
    told = [line for told in story(ran) for line in textwrap.wrap(told, 100)]
    said += ["", *told] if told else []
    comments = "\n".join(f"# {line}".rstrip() for line in said)
    return f"{comments}\n{stream.getvalue()}"
