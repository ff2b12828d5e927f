"""Every message about bad input, as it stands in the code, with its cause and its cure.

The messages are found in the source: what is raised, refused or yielded as a problem, with
``{...}`` where a value is put in. Each module that has any belongs to one of `GROUPS`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "hasim"
TELLING = {"fail", "warn", "note", "problem", "_refusal", "_is", "Problem", "refused"}
"""Functions that are given a message."""
INTERNAL = {"TypeError", "AttributeError", "NotImplementedError", "AssertionError", "StopIteration"}
"""What a fault of hasim raises, and no input."""


@dataclass(frozen=True)
class Group:
    """Modules (by the beginning of their path) whose messages have one cause and one cure."""

    title: str
    modules: tuple[str, ...]
    cause: str
    cure: str


GROUPS = (
    Group(
        "Values and units",
        ("units.py", "settings/"),
        "A value in a file, after `--set` or in a program is not of the kind that its setting "
        "takes, has no unit, or lies outside its range.",
        "Write it as the message says. `hasim algorithms WORD` has the unit, range and default of "
        "each setting; [the configuration reference](configuration.md) has all of them.",
    ),
    Group(
        "Scenario files",
        ("scenario/", "simulation/settings/", "simulation/laws.py", "simulation/network.py"),
        "A scenario does not say what can be simulated: an unknown key, a name that is not there, "
        "a file of a trace that cannot be read, settings that contradict each other.",
        "The message names file, line and field, and the nearest valid name. `hasim validate FILE` "
        "tells all that is wrong at once, `hasim data FILE` what a table could be used for.",
    ),
    Group(
        "The command line",
        ("commands/", "api.py", "cli.py"),
        "An option has a value that it does not take, two options contradict each other, or a file "
        "cannot be read or written.",
        "`hasim COMMAND --help` shows what each option takes, with examples.",
    ),
    Group(
        "Run folders",
        ("study/folder/", "study/execution/runner.py", "findings/recorded.py", "findings/frames.py",
         "stored.py"),
        "A folder is no run, is in use, was changed by hand, or was written by another version of "
        "hasim or of a library, so that what is in it would not be what is added.",
        "Begin anew with `--fresh` (the old run is moved aside), or name another folder with "
        "`--out`. A folder in use is free when the other command ends.",
    ),
    Group(
        "Journals and replays",
        ("journal.py", "deployed.py", "replay.py", "told.py", "study/replaying.py",
         "report/explain.py"),
        "A file is no journal, was cut, is of another format, or names no such observer.",
        "Record it anew with `hasim run ... --journals`; a journal that was cut is read as far as "
        "it goes. `--observer` takes one of the names in the message.",
    ),
    Group(
        "Recordings and detectors",
        ("study/hearing/", "findings/contest.py", "findings/configured.py", "findings/tradeoff.py",
         "services/detection/"),
        "A recording cannot be heard by a detector, or a detector is asked for with parameters "
        "that it does not have or that cannot reach what is wanted.",
        "`hasim data FILE` looks at a recording; `hasim algorithms DETECTOR` lists its parameters; "
        "where a wish cannot be met, the message says how far it can.",
    ),
    Group(
        "Comparing, budgets, gates",
        ("study/comparing/", "study/estimates/", "study/gate/", "study/rare/", "study/planning/",
         "findings/", "measures/", "deciding.py"),
        "Two things cannot be compared (other seeds, no cell in common), a measure does not exist, "
        "or a baseline is missing or of another suite.",
        "Compare runs of one scenario and seed; `hasim measures` lists the measures; "
        "`hasim bench --update` writes a baseline anew.",
    ),
    Group(
        "Statements, and stored findings of the hunt",
        ("hunt/", "oracle/"),
        "A stored schedule of faults is not what this version of hasim writes, or a statement of "
        "what shall hold (`invariants:`, `--hold`) cannot be read.",
        "Let the hunt find the schedule anew; write the statement as the message says: a measure "
        "or a state, a comparison, a limit with its unit.",
    ),
    Group(
        "Several processes and clusters",
        ("study/execution/", "study/"),
        "A worker died, has other versions than this process, or a scheduler cannot be reached.",
        "What was finished is kept: `hasim resume RUN`. Workers need the same hasim and libraries; "
        "without `--dask` a study runs on this machine.",
    ),
    Group(
        "Services in a program of your own",
        ("services/", "model.py", "truth.py", "times.py", "record.py"),
        "A driver handed in what cannot be: a time that runs back, an unknown name, a number where "
        "an enumeration stands; or an illegal step of a failover. Nothing was changed by it.",
        "The message says what was expected. See [deployment](../guides/deployment.md) for what a "
        "driver has to do.",
    ),
    Group(
        "Reports, figures, the dashboard",
        ("report/", "watch/"),
        "An extra is not installed, or a figure, form or fault is asked for that there is not.",
        "`pip install 'hasim[report]'` or `'hasim[watch]'`; the message names what there is.",
    ),
    Group(
        "The simulation",
        ("simulation/",),
        "A world is asked for something that its data plane or its masters do not have.",
        "These are met in programs that build worlds themselves; a scenario that passes "
        "`hasim validate` does not meet them. If one did, that is a fault of hasim: please report "
        "it with the scenario.",
    ),
)  # fmt: skip


def messages() -> Iterator[tuple[str, str]]:
    """(module, message) of every message in the package; a value put in is ``{...}``."""
    for file in sorted(PACKAGE.rglob("*.py")):
        module = file.relative_to(PACKAGE).as_posix()
        seen = set()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for text in _told(node):
                if text not in seen and " " in text:
                    seen.add(text)
                    yield module, text


def _told(node: ast.AST) -> Iterator[str]:
    """The messages that a node of the source gives."""
    call: ast.expr | None = None
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        if _name(node.exc.func) in INTERNAL:
            return
        call = node.exc
    elif isinstance(node, ast.Call) and _name(node.func) in TELLING:
        call = node
    elif isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
        yield from filter(None, [_template(node.value.elts[-1])])
        return
    if isinstance(call, ast.Call):
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        yield from filter(None, map(_template, given))


def _name(function: ast.expr) -> str:
    return ast.unparse(function).rpartition(".")[2]


def _template(node: ast.expr) -> str:
    """A text in the source, with what is put in by its name; "" if it is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        parts = (
            str(part.value) if isinstance(part, ast.Constant) else f"{{{_put_in(part)}}}"
            for part in node.values
        )
        return "".join(parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _template(node.left), _template(node.right)
        return f"{left}{right or '{...}'}" if left else ""
    if isinstance(node, ast.IfExp):
        return _template(node.body)
    return ""


def _put_in(part: ast.expr) -> str:
    """A short word for what is put in: the last name of the expression."""
    value = part.value if isinstance(part, ast.FormattedValue) else part
    if isinstance(value, ast.Name):
        return value.id
    if isinstance(value, ast.Attribute):
        return value.attr
    return "..."


def group_of(module: str) -> Group | None:
    """The group of a module: the one that names the longest beginning of its path."""
    fitting = [
        (len(start), group)
        for group in GROUPS
        for start in group.modules
        if module.startswith(start)
    ]
    return max(fitting, key=lambda one: one[0])[1] if fitting else None


def page() -> Iterator[str]:
    """All messages by group."""
    yield "# Messages\n"
    yield (
        "Every message about what cannot be used, as it stands in the code (`{...}` is a value "
        "that is put in), with its cause and its cure. None comes with a traceback; the exit code "
        "is 2. With `--verbose` the traceback is shown as well.\n"
    )
    found = list(messages())
    for group in GROUPS:
        own = [text for module, text in found if group_of(module) is group]
        if not own:
            continue
        yield f"## {group.title}\n"
        yield f"**Cause.** {group.cause}\n\n**Cure.** {group.cure}\n"
        yield "```text"
        yield from sorted({" ".join(text.split()) for text in own}, key=str.lower)
        yield "```\n"
