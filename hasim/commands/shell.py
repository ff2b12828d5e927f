"""What all commands share: exit codes, loudness, near misses, errors without tracebacks."""

from __future__ import annotations

import contextlib
import difflib
import gc
import io
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import TYPE_CHECKING, Any, NoReturn

import click

from hasim.extras import lacking
from hasim.report.visible import visible_lines

if TYPE_CHECKING:
    from hasim.report.progress import Moves

MANY_OBJECTS = 100_000
FINE, FAILED, BAD_INPUT, UNDECIDED, CRASHED, INTERRUPTED = 0, 1, 2, 3, 4, 130


QUIET, NORMAL, VERBOSE = -1, 0, 1
"""How much is said beside results, on stderr."""
_LOUDNESS = "hasim.loudness"


class BadInput(click.ClickException):
    """What the user gave cannot be used; the message says why, without a traceback."""

    exit_code = BAD_INPUT

    def format_message(self) -> str:
        """The message, with an escape for each character that acts instead of being seen."""
        return visible_lines(self.message)


class Shell(click.Group):
    """A group of commands that suggests near misses and keeps hasim's exit codes.

    A command returns its exit code (None is 0). Ctrl-C ends with 130, bad
    input with 2, a fault of hasim with 4 and a traceback, on the command line as in
    click's test runner.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.params += _loudness_options()
        self._verbose = False

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, and to the command the options that all have."""
        taken = {name for param in cmd.params for name in param.opts}
        cmd.params += _loudness_options(taken)
        super().add_command(cmd, name)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line; in standalone mode, leave with its exit code."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        # Imports and journals are many objects and no cycles: to look for these after each
        # 700 new objects takes a tenth of a short run.
        gc.set_threshold(MANY_OBJECTS)
        self._verbose = False
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.ClickException as error:
            if self._verbose and error.__cause__ is not None:
                traceback.print_exception(error.__cause__)
            text = io.StringIO()
            error.show(text)
            click.echo(visible_lines(text.getvalue()), err=True, nl=False)
            code = error.exit_code
        except click.Abort:
            click.echo("Interrupted.", err=True)
            code = INTERRUPTED
        except Exception:
            traceback.print_exc()
            code = CRASHED
        sys.exit(code if isinstance(code, int) else FINE)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for; what the user got wrong becomes BadInput."""
        try:
            return super().invoke(ctx)
        except ValueError as error:
            if _is_the_users(error):
                raise BadInput(str(error)) from error
            raise
        except ImportError as error:
            if (text := lacking(error)) is not None:
                raise BadInput(text) from error
            raise
        finally:
            self._verbose = loudness() == VERBOSE

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; on a miss, name the nearest one."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            ctx.fail(f"No such command '{args[0]}'. {nearest(args[0], self.commands)}")
        return super().resolve_command(ctx, args)


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known word, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, 1)
    return f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names)}."


_USERS_ERRORS = (
    ("hasim.journal", "JournalError"),
    ("hasim.report.html.library", "NoLibraryError"),
    ("hasim.scenario.problems", "ScenarioError"),
    ("hasim.study.execution.cluster_errors", "ClusterError"),
    ("hasim.study.comparing.compare", "CompareError"),
    ("hasim.deployed", "ReplayError"),
    ("hasim.hunt.store", "HuntError"),
    ("hasim.study.hearing.contest", "HearingError"),
    ("hasim.study.advising.terms", "AdviceError"),
    ("hasim.study.folder.errors", "StoreError"),
    ("hasim.settings.validation", "SettingsError"),
)


def _is_the_users(error: Exception) -> bool:
    """Whether an exception tells of bad input, rather than of a fault of hasim.

    Looks only at modules that are loaded: no other can have raised it.
    """
    return any(
        module in sys.modules and isinstance(error, getattr(sys.modules[module], name))
        for module, name in _USERS_ERRORS
    )


def counted(count: int, noun: str) -> str:
    """``1 cell``, ``2 cells``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


# -- beside the results, on stderr ------------------------------------------------------


def _loudness_options(taken: Set[str] = frozenset()) -> list[click.Option]:
    """The options, under the names that a command does not have for something else."""

    def set_to(level: int) -> Callable[[click.Context, click.Parameter, bool], None]:
        def heard(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
            known = ctx.find_root().meta
            if wanted and known.get(_LOUDNESS, level) != level:
                raise click.UsageError("--quiet and --verbose are opposites; give one of them")
            if wanted:
                known[_LOUDNESS] = level

        return heard

    def option(short: str, name: str, level: int, meaning: str) -> click.Option:
        return click.Option(
            [one for one in (short, name) if one not in taken],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=set_to(level),
            help=meaning,
        )

    return [
        option("-q", "--quiet", QUIET, "Say nothing but results, warnings and errors."),
        option("-v", "--verbose", VERBOSE, "Say what is done, and how long it takes."),
    ]


def loudness() -> int:
    """`QUIET`, `NORMAL` or `VERBOSE`, as the user asked for."""
    ctx = click.get_current_context(silent=True)
    level: int = NORMAL if ctx is None else ctx.find_root().meta.get(_LOUDNESS, NORMAL)
    return level


def note(text: str) -> None:
    """Say something that is not the result, but to the quiet."""
    if loudness() > QUIET:
        warn(text)


def detail(text: str) -> None:
    """Say something to the verbose."""
    if loudness() == VERBOSE:
        warn(text)


def warn(text: str) -> None:
    """Say something that must not be missed: a warning, or an error with which work goes on."""
    click.echo(visible_lines(text), err=True)


@contextlib.contextmanager
def progress_bar(title: str) -> Iterator[Moves | None]:
    """What moves a bar on stderr: to what is done, of how much; None if none is shown.

    Where stderr is no terminal, the verbose get a line for each tenth.
    """
    if loudness() == QUIET:
        yield None
        return
    from hasim.report.progress import terminal_bar

    with terminal_bar(title, lines=loudness() == VERBOSE) as move:
        yield move


def fail(text: str) -> NoReturn:
    """End with bad input."""
    raise BadInput(text)
