"""``hasim replay`` and ``hasim explain``: what the control plane did, and why."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hasim.commands.hearing import refuse_without_detectors, show_contest, with_detectors
from hasim.commands.options import examples, format_option, set_option
from hasim.commands.shell import FAILED, FINE, counted, fail, note
from hasim.report.visible import visible_lines

if TYPE_CHECKING:
    from hasim.journal import Journal
    from hasim.replay import Difference


observer_option = click.option(
    "--observer",
    metavar="NAME",
    help="The observer (control plane) to follow.  [default: the first of the journal]",
)


@click.command(
    epilog=examples(
        "hasim replay JOURNAL",
        "hasim replay JOURNAL --set detection.fall=3 --set detection.rise=1",
        "hasim replay --detector phi-accrual --detector threshold:fall=3 FILE",
    )
)
@click.argument(
    "journal", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@set_option("Replay a journal with another setting, e.g. detection.fall=3.")
@observer_option
@with_detectors
def replay(
    journal: Path,
    overrides: list[tuple[str, str]],
    observer: str | None,
    detectors: tuple[str, ...],
    **recording: Any,
) -> int:
    """Replay a journal's inputs, or a recording through detectors.

    A fresh control plane is fed an observer's inputs recorded in a journal. Without --set
    it must do exactly what was recorded: exit code 0, else 1 and the first
    difference. With --set, say what another configuration would have concluded
    from the same inputs.

    With --detector, FILE may also be a recording of your own, CSV or JSON Lines: a row for each
    heartbeat (time, and if there are several, master), or for each check (and result). Each
    detector hears it, and what they declare is compared; --outages says when masters were down.
    """
    if detectors:
        if overrides:
            fail("--set is of control planes, --detector of detectors: give one of them")
        return show_contest(journal, detectors, observer, **recording)
    refuse_without_detectors(recording)
    from hasim.deployed import ReplayError, replay_recorded
    from hasim.journal import JournalError, read
    from hasim.scenario.document import parse_value
    from hasim.study.replaying import what_if
    from hasim.told import as_told

    recorded = read(journal)
    try:
        pairs = [(path, parse_value(text)) for path, text in overrides]
    except ValueError as error:
        raise ReplayError(str(error)) from None
    try:
        name = recorded.observer(observer)
        recorded = as_told(recorded, name)
        if recorded.cut:
            note(recorded.cut)
        if pairs:
            return _show_what_if(recorded.seen_by(name), what_if(recorded, pairs, name))
        outcome = replay_recorded(recorded, name)
    except JournalError as error:
        fail(f"{journal}:1: {error}")
    if outcome.difference is not None:
        click.echo(visible_lines(_describe(outcome.difference)))
        return FAILED
    click.echo(f"identical: {outcome.inputs} inputs, {outcome.outputs} effects and events")
    return FINE


def _describe(difference: Difference) -> str:
    lines = [
        f"first difference at {difference.t_ns / 1e9:.9f} s",
        f"after {difference.item!r}" if difference.item is not None else "at the start",
        *difflib.ndiff(difference.recorded, difference.replayed),
    ]
    return "\n".join(line.rstrip("\n") for line in lines if not line.startswith("?"))


def _show_what_if(recorded: Journal, replayed: Journal) -> int:
    from hasim.study.replaying import conclusions, unanswered

    before, after = conclusions(recorded, replayed)
    if before == after:
        click.echo(f"the same {len(before)} conclusions")
    for line in difflib.unified_diff(before, after, "recorded", "with --set", lineterm="", n=0):
        if not line.startswith("@@"):
            click.echo(visible_lines(line))
    probes, commands = unanswered(recorded, replayed)
    if probes or commands:
        note(
            f"Without an answer, as the recorded run did not send them: {counted(probes, 'probe')} "
            f"and {counted(commands, 'command')}. A failover is told up to its first step that "
            f"differs."
        )
    return FINE


@click.command(
    epilog=examples(
        "hasim explain RUN --incident 3",
        "hasim explain RUN --incident 3 --format json",
        "hasim explain RUN --incident 3 --audit",
    )
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--incident",
    type=click.IntRange(min=1),
    required=True,
    help="Number of the incident in the run's incidents.csv.",
)
@click.option(
    "--audit",
    is_flag=True,
    help="Each failover of its replication instead, as JSON Lines: attempts, who was passed over "
    "and why, phases, outcome.",
)
@observer_option
@format_option
def explain(run: Path, incident: int, audit: bool, observer: str | None, style: str) -> int:
    """Tell the story of one incident, as one observer saw it.

    RUN is a run folder.

    The replication is simulated again, unless its journal was kept.
    """
    from hasim.api import load_run
    from hasim.commands.output import show
    from hasim.journal import JournalError
    from hasim.report.audit import audit_lines
    from hasim.report.explain import explain as story_of

    result = load_run(run)
    try:
        row = result.incident(incident)
    except LookupError as error:
        fail(f"{run}: {error.args[0]}")
    journal = result.journal_of_incident(incident)
    for cut in result.passed_over.values():
        note(f"{cut}. The replication was simulated again.")
    try:
        if audit:
            click.echo(audit_lines(journal, observer), nl=False)
            return FINE
        show(story_of(journal, row, observer), style)
    except JournalError as error:
        fail(f"{run}: {error}")
    return FINE
