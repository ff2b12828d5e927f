"""Which program gives a result: a digest of its sources, its commit, and its libraries.

What two programs have simulated is never mixed: a run folder is only added to by the program
that began it, and the workers of a cluster must have the program of the client.
"""

from __future__ import annotations

import functools
import hashlib
import platform
import subprocess
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from hasim.extras import installed
from hasim.version import __version__

ROOT = Path(__file__).resolve().parents[2]
DETERMINING = (
    "services",
    "simulation",
    "measures",
    "settings",
    "events",
    "appended.py",
    "burn.py",
    "journal.py",
    "model.py",
    "mser.py",
    "record.py",
    "replay.py",
    "singles.py",
    "sketch.py",
    "stored.py",
    "times.py",
    "truth.py",
    "units.py",
    "scenario/sent.py",
    "scenario/tables",
    "scenario/traces",
    "oracle",
    "deployed.py",
)
"""All that turns a world and a seed into what was measured (a test looks for what is missing)."""
TAKEN_LATER = "measures/catalogue"
"""What is made of outcomes when they are there, and determines none of them."""
LIBRARIES = ("numpy", "scipy", "numba", "simpy", "pandas", "pyarrow")
"""The libraries that the last bits of a result, or the files it is written to, may depend on."""
_SHOWN = 12
"""Digits of a commit or digest that are shown."""


def this_program() -> dict[str, Any]:
    """The running program as it stands in the manifest of a run."""
    return {"sources": sources(), "commit": commit(), "versions": versions()}


@functools.cache
def sources() -> str:
    """A digest of all sources in `DETERMINING`, with their names: 16 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=8)
    for path in determining():
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def determining() -> Iterator[Path]:
    """The files of `DETERMINING`, always in the same order."""
    for name in DETERMINING:
        place = ROOT / name
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        yield from (file for file in files if ROOT / TAKEN_LATER not in file.parents)


def versions() -> dict[str, str]:
    """The versions of hasim, Python and `LIBRARIES`, as far as they are installed."""
    return {
        "hasim": __version__,
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in LIBRARIES if installed(name)},
    }


def unlike(before: Mapping[str, Any], other: Mapping[str, Any], where: str = "now") -> list[str]:
    """What makes two programs give other results; empty if they give the same.

    Both are as `this_program` gives them; `where` tells of the other: ``numpy 2.3.0, now 2.4.6``.
    That hasim has the same sources under another version
    or commit, or Python another patch level, is no difference.
    """
    was, here = dict(before["versions"]), dict(other["versions"])
    found = []
    if before["sources"] != other["sources"]:
        found.append(_of_sources(before, other, where))
    for name in ("python", *LIBRARIES):
        old, new = (_significant(name, one.get(name, "none")) for one in (was, here))
        if old != new:
            found.append(f"{name} {old}, {where} {new}")
    return found


def named(program: Mapping[str, Any]) -> str:
    """A program as it stands in a manifest, in words: ``hasim 0.1.0 at commit a1b2c3d4e5f6``.

    Empty if it does not say.
    """
    versions, commit = program.get("versions"), program.get("commit")
    if not isinstance(versions, dict) or "hasim" not in versions:
        return ""
    at = f" at commit {_short(commit)}" if isinstance(commit, str) and commit else ""
    return f"hasim {versions['hasim']}{at}"


def _of_sources(before: Mapping[str, Any], other: Mapping[str, Any], where: str) -> str:
    """``hasim at commit a1b2c3, now d4e5f6``; the digests, where these and versions agree."""
    version, version_there = before["versions"]["hasim"], other["versions"]["hasim"]
    commit_before, commit_there = (_short(one["commit"]) for one in (before, other))
    if commit_before and commit_there and commit_before != commit_there:
        return f"hasim at commit {commit_before}, {where} {commit_there}"
    if version != version_there:
        return f"hasim {version}, {where} {version_there}"
    return f"sources of hasim {before['sources']}, {where} {other['sources']}"


def _short(commit: str | None) -> str:
    if not commit:
        return ""
    return commit[:_SHOWN] + ("+" if commit.endswith("+") else "")


def _significant(name: str, version: str) -> str:
    return ".".join(version.split(".")[:2]) if name == "python" else version


def commit() -> str | None:
    """The commit of the checkout that hasim runs from, "+" if it was edited; None elsewhere."""
    root = ROOT.parent
    if not (root / ".git").exists():
        return None
    git = ["git", "--no-optional-locks", "-C", str(root)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=True
        )
        edited = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return head.stdout.strip() + ("+" if edited.stdout.strip() else "")
