"""What an installation may lack: packages that some commands need, and which extra brings each."""

from __future__ import annotations

import importlib.util
import sys

EXTRAS = {
    "matplotlib": ("plots", "a figure"),
    "pyarrow": ("tables", "a recorded table or a Parquet file"),
    "vl_convert": ("report", "a report"),
    "textual": ("watch", "the dashboard in a terminal"),
    "prometheus_client": ("watch", "serving metrics"),
    "distributed": ("dask", "a study on a cluster"),
}
"""Package -> the extra of hasim that brings it, and what needs it."""


def installed(package: str) -> bool:
    """Whether a package could be imported; does not import it."""
    if package in sys.modules:
        return sys.modules[package] is not None
    return importlib.util.find_spec(package) is not None


def missing(*packages: str) -> tuple[str, ...]:
    """The extras that would bring those of these packages that are not installed."""
    return tuple(dict.fromkeys(EXTRAS[one][0] for one in packages if not installed(one)))


def how(*extras: str) -> str:
    """The command that installs extras."""
    return f"pip install 'hasim[{','.join(extras)}]'"


def lacking(error: ImportError) -> str | None:
    """What is needed and how to get it, if an import failed for want of one of `EXTRAS`."""
    package = (error.name or "").partition(".")[0]
    if package not in EXTRAS or installed(package):
        return None
    extra, what = EXTRAS[package]
    return f"{what} needs {package}: {how(extra)}"
