"""What all commands share: exit codes, near misses, errors without tracebacks."""

from __future__ import annotations

import difflib
import gc
import sys
import traceback
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import click

MANY_OBJECTS = 100_000
FINE, FAILED, BAD_INPUT, UNDECIDED, CRASHED, INTERRUPTED = 0, 1, 2, 3, 4, 130


class BadInput(click.ClickException):
    """What the user gave cannot be used; the message says why, without a traceback."""

    exit_code = BAD_INPUT


class Shell(click.Group):
    """A group of commands that suggests near misses and keeps hasim's exit codes.

    A command returns its exit code (None is 0). Ctrl-C ends with 130, bad
    input with 2, a fault of hasim with 4 and a traceback, on the command line as in
    click's test runner.
    """

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
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.ClickException as error:
            error.show()
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
                raise BadInput(str(error)) from None
            raise

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
    ("hasim.scenario.problems", "ScenarioError"),
    ("hasim.study.execution.cluster_errors", "ClusterError"),
    ("hasim.study.comparing.compare", "CompareError"),
    ("hasim.study.replaying", "ReplayError"),
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


def note(text: str) -> None:
    """Say something that is not the result: on stderr."""
    click.echo(text, err=True)


def fail(text: str) -> NoReturn:
    """End with bad input."""
    raise BadInput(text)
