"""``hasim doctor`` and ``hasim completion``: whether hasim works here, and how it is typed."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from hasim.commands.options import examples, format_option
from hasim.commands.shell import FAILED, FINE


@click.command(epilog=examples("hasim doctor", "hasim doctor --format json"))
@format_option
def doctor(style: str) -> int:
    """Say whether hasim works here.

    Looks at the interpreter, the libraries, both data planes, the shipped scenarios, cores,
    memory, files and the terminal. The first time it compiles, which takes half a minute.
    Exit code 1 if anything is bad.
    """
    from hasim.commands.output import show
    from hasim.findings.doctor import examine

    found = examine()
    show(found, style)
    return FAILED if found.verdict == "bad" else FINE


@click.command(
    epilog=examples(
        'eval "$(hasim completion bash)"',
        "hasim completion fish > ~/.config/fish/completions/hasim.fish",
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print what completes hasim in a shell.

    Put the first example into ~/.bashrc (with zsh into ~/.zshrc). Commands, options, scenario
    names, files, and the paths of settings after --set are then completed by the tab key.
    """
    made = get_completion_class(shell)
    assert made is not None
    root = click.get_current_context().find_root().command
    script = made(root, {}, "hasim", "_HASIM_COMPLETE")
    click.echo(script.source_template % script.source_vars())
    return FINE
