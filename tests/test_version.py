"""The version: of the installed package, or of the sources where it is not installed."""

from __future__ import annotations

import tomllib
from pathlib import Path

from hasim import version

ROOT = Path(version.__file__).parents[1]


def test_sources_that_are_not_installed_know_their_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert version.of_sources() == f"{project['version']}+source"


def test_a_copy_without_its_project_file_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(version, "__file__", str(tmp_path / "hasim" / "version.py"))
    assert version.of_sources() == "0+unknown"
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\nversion = "3"\n')
    assert version.of_sources() == "0+unknown"
