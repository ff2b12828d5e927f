"""The kinds of input: each draws one, writes it where it belongs, and tries it on the commands."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import click

from hasim import stored
from hasim.cli import main
from hasim.journal import end_line
from hasim.study.folder import lines as rows
from tests.fuzz import corpus
from tests.fuzz.corpus import parsed, shipped
from tests.fuzz.guard import Tried, attempt
from tests.fuzz.mutating import TOKENS, of_bytes, of_data, of_lines, text

Kind = Callable[[Path, random.Random], list[Tried]]
LONG = ("advise", "budget", "hunt", "tradeoff", "serve", "watch", "bench")
"""Commands that go on for a while, or without an end, if nothing is wrong."""


@contextmanager
def _with(made: Path, *names: str) -> Iterator[Path]:
    """A folder with some of what was made, which may be changed."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for name in names or [path.name for path in made.iterdir()]:
            if (made / name).is_dir():
                shutil.copytree(made / name, Path(folder, name))
            else:
                shutil.copy(made / name, folder)
        yield Path(folder)


def _any(content: bytes, rng: random.Random) -> bytes:
    return rng.choice((of_bytes, of_lines))(content, rng)


def _strange(file: Path, rng: random.Random) -> None:
    """Something else than a file in its place."""
    file.unlink()
    match rng.randrange(4):
        case 0:
            file.mkdir()
        case 1:
            file.symlink_to("/dev/zero")
        case 2:
            file.symlink_to(file.name)
        case _:
            file.write_bytes(b"[" * 100_000)


@cache
def _shipped(file: Path) -> Any:
    return parsed(file.read_bytes())


def scenarios(made: Path, rng: random.Random) -> list[Tried]:
    """Validated; and run, if it is valid and small."""
    with _with(made, *corpus.TRACES, "tiny.yaml", "small.yaml") as here:
        name = rng.choice(("tiny.yaml", "small.yaml", "small.yaml", ""))
        file, small = here / (name or "shipped.yaml"), bool(name)
        if rng.random() < 0.3 and name:
            file.write_bytes(_any(file.read_bytes(), rng))
        else:
            data = parsed(file.read_bytes()) if name else _shipped(rng.choice(shipped()))
            file.write_bytes(text(of_data(data, rng)))
        if not name:
            shutil.copytree(corpus.ROOT / "scenarios" / "data", here / "data")
        tried = [attempt("validate", file)]
        if small and tried[0].code == 0 and rng.random() < 0.3:
            tried.append(_bounded(file, here, rng))
        return tried


def _bounded(file: Path, here: Path, rng: random.Random) -> Tried:
    """A run; what says how long it will take may take so long, and is stopped."""
    seen = attempt("run", file, "--dry-run", "--jobs", 1)
    if seen.code is None or seen.fault:
        return seen
    estimate = [line.split()[2] for line in seen.said.splitlines() if line.startswith("seconds ")]
    if not estimate or float(estimate[0].replace(",", "")) > 3:
        return seen
    options = rng.choice(([], ["--check"], ["--journals", "--messages"], ["--format", "json"]))
    return attempt("run", file, "--jobs", 1, "--out", here / "out", *options)


def traces(made: Path, rng: random.Random) -> list[Tried]:
    """Validated with the scenario that names it, and looked at by itself."""
    with _with(made, *corpus.TRACES, "tiny.yaml") as here:
        file = here / rng.choice(list(corpus.TRACES))
        if rng.random() < 0.03:
            _strange(file, rng)
        else:
            file.write_bytes(_any(file.read_bytes(), rng))
        tried = [attempt("data", file)]
        if file.suffix == ".jsonl":
            return [*tried, attempt("replay", file, "--detector", "phi-accrual")]
        return [*tried, attempt("validate", here / "tiny.yaml")]


def run_folders(made: Path, rng: random.Random) -> list[Tried]:
    """Resumed, compared and reported; checksums and digests are right half of the time."""
    with _with(made, *corpus.TRACES, "run") as here:
        run = here / "run"
        files = [run / name for name in ("manifest.json", "cells.jsonl", "scenario.yaml")]
        file = rng.choice([*files, *run.glob("replications/*")])
        if rng.random() < 0.03:
            _strange(file, rng)
        elif rng.random() < 0.4:
            file.write_bytes(_any(file.read_bytes(), rng))
        elif file.name == "manifest.json":
            data = json.loads(file.read_bytes())
            data.pop("digest")
            changed = of_data(data, rng)
            file.write_bytes(text(stored.sealed(changed) if isinstance(changed, dict) else changed))
        elif file.name == "scenario.yaml":
            _other_scenario(run, rng)
        else:
            key = rows.CELLS if file.name == rows.CELLS else file.stem.removeprefix("cell-")
            _other_rows(file, key, rng)
        return [
            attempt("compare", run, made / "run"),
            attempt("resume", run, "--jobs", 1),
            attempt(*rng.choice((("explain", run, "--incident", 1), ("objectives", run)))),
        ]


def _other_scenario(run: Path, rng: random.Random) -> None:
    """A changed scenario of which the manifest knows."""
    file = run / "scenario.yaml"
    content = text(of_data(parsed(file.read_bytes()), rng))
    manifest = json.loads((run / "manifest.json").read_bytes())
    manifest.pop("digest")
    manifest["scenario_digest"] = stored.digest(content)
    file.write_bytes(content)
    (run / "manifest.json").write_bytes(text(stored.sealed(manifest)))


def _other_rows(file: Path, key: str, rng: random.Random) -> None:
    """Rows with right checksums, of which one cannot be."""
    found = [json.loads(line) for line in file.read_bytes().splitlines()]
    at = rng.randrange(len(found))
    found[at].pop("sum")
    changed = of_data(found[at], rng)
    made = file.read_text().splitlines(keepends=True)
    made[at] = rows._line(changed, key) if isinstance(changed, dict) else json.dumps(changed) + "\n"
    file.write_text("".join(made))


def journals(made: Path, rng: random.Random) -> list[Tried]:
    """Replayed, alone and with other settings, and heard by a detector."""
    with _with(made, "plain.jsonl") as here:
        file = here / "plain.jsonl"
        if rng.random() < 0.02:
            _strange(file, rng)
        elif rng.random() < 0.3:
            file.write_bytes(_any(file.read_bytes(), rng))
        else:
            lines = file.read_bytes().splitlines()[:-1]
            at = rng.choice((0, *[rng.randrange(len(lines)) for _ in range(4)]))
            lines[at] = text(of_data(json.loads(lines[at]), rng))
            whole = b"".join(line + b"\n" for line in lines)
            end = end_line(len(lines) - 1, stored_digest(whole))
            file.write_bytes(whole + rng.choice((end, end, b"")))
        ways = (("--set", "detection.fall=3"), ("--detector", "phi-accrual"), ("--observer", "x"))
        return [attempt("replay", file), attempt("replay", file, *rng.choice(ways))]


def stored_digest(whole: bytes) -> str:
    """The digest of all lines of a journal."""
    return hashlib.blake2b(whole, digest_size=stored.DIGEST // 2).hexdigest()


def kept_journals(made: Path, rng: random.Random) -> list[Tried]:
    """Explained out of the run folder that they are kept in."""
    with _with(made, *corpus.TRACES, "run") as here:
        file = rng.choice(sorted((here / "run").glob("journals/*")))
        content = file.read_bytes()
        if rng.random() < 0.5:
            content = gzip.compress(_any(gzip.decompress(content), rng))
        else:
            content = of_bytes(content, rng)
        file.write_bytes(content)
        return [attempt("explain", here / "run", "--incident", 1)]


def baselines(made: Path, rng: random.Random) -> list[Tried]:
    """Compared with what is measured; most have a right digest."""
    with _with(made, "suite.yaml", "base.json") as here:
        file = here / "base.json"
        if rng.random() < 0.02:
            _strange(file, rng)
        elif rng.random() < 0.3:
            file.write_bytes(_any(file.read_bytes(), rng))
        else:
            data = json.loads(file.read_bytes())
            data.pop("digest")
            number = data.pop("hasim_baseline")
            changed = of_data(data, rng)
            if isinstance(changed, dict):
                changed = {"hasim_baseline": number, **stored.sealed(changed)}
            file.write_bytes(text(changed))
        return [attempt("bench", here / "suite.yaml", "--baseline", file, "--jobs", 1)]


def suites(made: Path, rng: random.Random) -> list[Tried]:
    """Suites of a gate."""
    with _with(made, "suite.yaml", "base.json") as here:
        file = here / "suite.yaml"
        if rng.random() < 0.4:
            file.write_bytes(_any(file.read_bytes(), rng))
        else:
            file.write_bytes(text(of_data(parsed(file.read_bytes()), rng)))
        return [attempt("bench", file, "--baseline", here / "base.json", "--jobs", 1)]


def arguments(made: Path, rng: random.Random) -> list[Tried]:
    """Words in any order; what would go on without an end gets one word that is none."""
    name = rng.choice(sorted(main.commands))
    command = main.commands[name]
    words: list[str] = [name]
    for param in command.params:
        if "--verbose" in param.opts:  # shows where an error comes from, as a traceback
            continue
        chance = 0.9 if isinstance(param, click.Argument) else 0.15
        if rng.random() < chance:
            option = rng.choice(param.opts) if isinstance(param, click.Option) else ""
            words += [option] if option else []
            if not (isinstance(param, click.Option) and param.is_flag):
                words.append(_word(made, rng))
    if name in LONG or name in ("run", "study"):
        words.insert(rng.randint(1, len(words)), rng.choice(("--none", "--jobs=0", "--help")))
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, chdir(folder):
        return [attempt(*words)]


def _word(made: Path, rng: random.Random) -> str:
    files = ("tiny.yaml", "suite.yaml", "base.json", "plain.jsonl", "run", "checks.csv", "none")
    words = (
        "hang", "detection.fall=3", "detection.fall=x", "masters.a.workers=", "=", "a=b", "1", "0",
        "-1", "99999999999999999999", "1e400", "1s", "uptime", "uptime,outage.max", "json", "nan",
        "threshold", "phi-accrual:threshold=8", "threshold:fall=-1", "detection.fall=1..999999999",
        "detection.interval=1s..3s:log5", "time=ts", "-", "", "/", "/dev/null", "observer", "local",
        "\u202e",
    )  # fmt: skip
    if rng.random() < 0.4:
        return str(made / rng.choice(files))
    if rng.random() < 0.15:
        return rng.choice(TOKENS).replace(b"\0", b"").decode(errors="replace")
    return rng.choice(words)


KINDS: dict[str, tuple[Kind, int]] = {
    "scenarios": (scenarios, 6),
    "traces": (traces, 4),
    "run folders": (run_folders, 2),
    "journals": (journals, 3),
    "journals that are kept": (kept_journals, 1),
    "baselines": (baselines, 2),
    "suites": (suites, 1),
    "arguments": (arguments, 3),
}
"""Each kind, and its share of the inputs."""
