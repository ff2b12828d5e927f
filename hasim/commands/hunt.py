"""``hasim hunt``: random worlds, or one scenario, against all invariants, or for the worst case."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hasim.commands.options import ScenarioName, asked, examples, format_option, jobs_option
from hasim.commands.shell import FAILED, FINE, INTERRUPTED, detail, fail, note, warn

if TYPE_CHECKING:
    from hasim.findings.hunted import Find
    from hasim.hunt.search import Hunt
    from hasim.oracle import Invariant

FOLDER = Path("hunt")
EVERY = 25
"""After so many worlds the folder is brought up to date."""


@click.command(
    epilog=examples(
        "hasim hunt --budget 2m",
        "hasim hunt --worlds 100000 --out runs/hunt",
        "hasim hunt crash --for outage.max --faults 2",
        "hasim hunt --hold 'eventually within 30s: served'",
    )
)
@click.argument("scenario", required=False, type=ScenarioName())
@click.option(
    "--budget", default="10m", metavar="TIME", help="Stop after this time.  [default: 10m]"
)
@click.option("--worlds", type=click.IntRange(1), metavar="N", help="Stop after so many worlds.")
@click.option(
    "--for",
    "objective",
    metavar="NUMBER",
    help="Of SCENARIO: the schedule of faults that makes this greatest: outage.max, downtime, "
    "lost-writes, dual-primary, failed-messages, mistakes.",
)
@click.option(
    "--invariants", is_flag=True, help="Look for broken invariants (so it is without --for)."
)
@click.option(
    "--hold",
    "held",
    multiple=True,
    metavar="STATEMENT",
    help="An invariant of your own: 'always: STATE', 'eventually within 30s: STATE' (served, "
    "healthy, one-primary), 'always: NUMBER < LIMIT'. May be given several times.",
)
@click.option(
    "--faults",
    "most",
    type=click.IntRange(1, 20),
    default=2,
    metavar="K",
    help="Of SCENARIO: so many faults at most.  [default: 2]",
)
@click.option(
    "--finds",
    type=click.IntRange(1),
    default=5,
    metavar="N",
    help="Stop after so many different broken invariants.  [default: 5]",
)
@click.option("--seed", type=click.IntRange(0), default=1, metavar="N", help="[default: 1]")
@jobs_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER,
    help="Finds, and how far the hunt is: it goes on there.  [default: hunt]",
)
@format_option
def hunt(scenario: str | None, style: str, **options: Any) -> int:
    """Hunt for faults that break an invariant, or cost most.

    Without SCENARIO in random worlds of everything: topologies, settings, algorithms, faults,
    operations. Worlds that reach something new are changed and tried again. With SCENARIO in that
    one, with up to K random faults. What is found is made as small as it can be and written to a
    scenario file. The same seed gives the same worlds in the same order, whatever --jobs; how far
    it comes depends on the time. Ctrl-C keeps what was found, and the same command goes on.

    Exit code 0: nothing was broken; 1: something was; 2: bad input; 130: interrupted.
    """
    from hasim.oracle.objectives import OBJECTIVES
    from hasim.oracle.statements import stated
    from hasim.settings.validation import nearest
    from hasim.units import SECOND, parse_duration

    try:
        budget_s = parse_duration(options["budget"]) / SECOND
    except ValueError as error:
        fail(f"--budget: {error}")
    try:
        own = [stated(text) for text in options["held"]]
    except ValueError as error:
        fail(f"--hold: {error}")
    objective = options["objective"]
    if objective is None:
        return _broken(scenario, own, budget_s, style, options)
    if objective not in OBJECTIVES.known:
        fail(f"--for: unknown {objective!r}{nearest(objective, OBJECTIVES.known)}")
    if scenario is None:
        fail("--for: give a scenario, whose faults are to be found")
    return _costly(scenario, objective, budget_s, style, options)


class _Clock:
    """The time that is left."""

    def __init__(self, budget_s: float) -> None:
        self.began = time.monotonic()
        self._until = self.began + budget_s

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._until

    @property
    def took_s(self) -> float:
        return time.monotonic() - self.began


def _broken(
    scenario: str | None,
    own: list[Invariant],
    budget_s: float,
    style: str,
    options: dict[str, Any],
) -> int:
    from hasim.commands.output import show
    from hasim.findings.hunted import Hunted
    from hasim.hunt.crew import crew_of, worlds
    from hasim.hunt.search import Hunt
    from hasim.hunt.store import read, write

    folder: Path = options["out"]
    state = read(folder, options["seed"])
    made = Hunt(state, own, _worlds_of(scenario, options))
    clock, before_s, most = _Clock(budget_s), state.seconds, options["worlds"]
    finds: list[Find] = []
    interrupted = False
    if state.number:
        note(f"Goes on after {state.number:,} worlds in {folder}")
    left = None if most is None else most - state.number
    source = worlds(made, crew_of(options["jobs"], left))
    try:
        while not clock.over and (most is None or state.number < most):
            ran = next(source)
            state.seconds = before_s + clock.took_s
            name = next((n for n in ran.broken if n not in {f.invariant for f in finds}), None)
            if name is not None:
                finds.append(_find(made, made.again(ran, name), folder))
            if state.number % EVERY == 0:
                write(folder, state)
                detail(f"{state.number:,} worlds, {len(state.reached)} features")
            if len(finds) >= options["finds"]:
                break
    except KeyboardInterrupt:
        interrupted = True
        warn(f"Interrupted: what was found is kept in {folder}")
    finally:
        source.close()
    write(folder, state)
    show(Hunted(state, finds), style)
    if interrupted:
        return INTERRUPTED
    return FAILED if state.broken else FINE


def _find(made: Hunt, ran: Any, folder: Path) -> Find:
    """A find, made as small as it can be."""
    from hasim.findings.hunted import Find
    from hasim.hunt.store import keep

    warn(f"Broken: {ran.breaches[0]}")
    name = "".join(c if c.isalnum() else "-" for c in ran.broken[0])[:60]
    path = keep(folder, ran, name)
    smallest = made.shrink(ran)
    return Find(smallest, str(keep(folder, smallest, name) if smallest is not ran else path))


def _worlds_of(scenario: str | None, options: dict[str, Any]) -> Callable[[int], Any] | None:
    """Worlds of a scenario: its own, with random schedules of few faults."""
    if scenario is None:
        return None
    from hasim.api import prepare
    from hasim.hunt.costly import Costly, bare

    base = bare(prepare(asked(scenario)))
    source = Costly(base, "downtime", options["most"], options["seed"])
    return source.world


def _costly(
    scenario: str, objective: str, budget_s: float, style: str, options: dict[str, Any]
) -> int:
    from hasim.api import prepare
    from hasim.commands.output import show
    from hasim.findings.hunted import Costliest
    from hasim.hunt.costly import Costly, bare
    from hasim.hunt.store import keep

    search = Costly(bare(prepare(asked(scenario))), objective, options["most"], options["seed"])
    clock, most, interrupted, ran = _Clock(budget_s), options["worlds"], False, None
    try:
        while not clock.over and (most is None or search.number < most):
            search.step()
        if search.found:
            ran = search.shrink()
    except KeyboardInterrupt:
        interrupted = True
        ran = search.found[0][1] if search.found else None
    path = "" if ran is None else str(keep(options["out"], ran, f"worst-{objective}"))
    show(Costliest(search, ran, path), style)
    return INTERRUPTED if interrupted else FINE
