"""The version of hasim, from the installed package or, where it is not installed, its sources."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def of_sources() -> str:
    """``0.1.0+source``, from the pyproject.toml beside the package; ``0+unknown`` without one."""
    import tomllib

    try:
        file = Path(__file__).resolve().parents[1] / "pyproject.toml"
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        return f"{project['version']}+source" if project["name"] == "hasim" else "0+unknown"
    except (OSError, ValueError, KeyError):
        return "0+unknown"


try:
    __version__ = version("hasim")
except PackageNotFoundError:
    __version__ = of_sources()
