"""Something else than a file where a file is read: a folder, a pipe, a device, mere depth."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzz import corpus
from tests.fuzz.guard import attempt

RUN = ("compare RUN OTHER", "explain RUN --incident 1", "objectives RUN", "resume RUN --jobs 1")
READ = {
    "small.yaml": (
        "validate FILE", "run FILE --dry-run", "show FILE", "data FILE", "capacity FILE",
        "advise FILE", "budget FILE --rate crash=1/y", "hunt FILE", "tradeoff FILE", "watch FILE",
    ),
    "rtt.csv": ("validate tiny.yaml", "data FILE", "capacity tiny.yaml"),
    "checks.csv": ("validate tiny.yaml", "data FILE"),
    "counts.csv": ("validate tiny.yaml", "data FILE"),
    "beats.jsonl": ("data FILE", "replay FILE --detector phi-accrual"),
    "plain.jsonl": (
        "replay FILE", "replay FILE --set detection.fall=3", "watch FILE",
        "replay plain.jsonl --outages FILE --detector phi-accrual",
    ),
    "base.json": ("bench suite.yaml --baseline FILE --jobs 1",),
    "suite.yaml": ("bench FILE --baseline base.json --jobs 1",),
    "run/manifest.json": RUN,
    "run/scenario.yaml": RUN,
    "run/cells.jsonl": RUN,
    "run/replications/*": RUN,
    "run/journals/*": ("explain RUN --incident 1",),
}  # fmt: skip
"""By file: the commands that read it."""


def _deep(file: Path) -> None:
    opening = {".yaml": b"a: " + b"[" * 100_000, ".jsonl": b'{"a":' * 100_000 + b"\n"}
    file.write_bytes(opening.get(file.suffix, b"[" * 100_000))


def _pipe(file: Path) -> None:
    os.mkfifo(file)


def _one_line(file: Path) -> None:
    with file.open("wb") as out:  # without its blocks on the disk
        out.truncate(2**30)


STRANGE: dict[str, Callable[[Path], None]] = {
    "folder": lambda file: file.mkdir(),
    "pipe": _pipe,
    "device": lambda file: file.symlink_to("/dev/zero"),
    "link to itself": lambda file: file.symlink_to(file.name),
    "nested": _deep,
    "empty": lambda file: file.touch(),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    corpus.make(folder)
    return folder


def tried(made: Path, here: Path, name: str, change: Callable[[Path], None]) -> None:
    """Each command on a copy in which the file is replaced: refused in words, at once,
    or nothing is missed."""
    for words in READ[name]:
        folder = here / "copy"
        shutil.copytree(made, folder)
        (file,) = sorted(folder.glob(name))[:1]
        file.unlink()
        change(file)
        places = {"FILE": file, "RUN": folder / "run", "OTHER": made / "run"}
        given = {f.name: f for f in folder.iterdir() if f.suffix}
        done = attempt(*({**given, **places}.get(word, word) for word in words.split()))
        assert not done.fault, done
        assert done.code != 2 or file.name in done.said or file.stat().st_size == 0, done
        shutil.rmtree(folder)


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("name", READ)
def test_what_is_no_such_file_is_refused_and_named(made, tmp_path, monkeypatch, name, kind) -> None:
    monkeypatch.setattr("hasim.stored.PATIENCE_S", 0.02)
    tried(made, tmp_path, name, STRANGE[kind])


@pytest.mark.slow
@pytest.mark.parametrize("name", READ)
def test_a_line_that_does_not_end_takes_neither_time_nor_memory(made, tmp_path, name) -> None:
    tried(made, tmp_path, name, _one_line)
