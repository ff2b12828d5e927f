"""The site builds without a warning, and everything that has a name is on it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import hasim
from hasim.cli import main
from hasim.measures.catalogue import MEASURES
from hasim.oracle import INVARIANTS
from hasim.scenario.catalogue import shipped
from hasim.study.reference import described

DOCS = Path(__file__).parents[1] / "docs"
LINK = re.compile(r'(?:href|src)="([^"#:?]+)(?:#([^"]*))?"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built by the one strict command."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-W", "-n", "-q", str(DOCS), str(folder)]
    done = subprocess.run(build, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def words(page: Path) -> str:
    """The page as text, without its marks."""
    text = re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def test_every_setting_is_on_it(site: Path) -> None:
    text = words(site / "made" / "configuration.html")
    assert [one.path for one in described() if one.path not in text] == []


def test_every_measure_command_name_and_scenario_is_on_it(site: Path) -> None:
    for page, names in (
        ("measures", MEASURES),
        ("invariants", INVARIANTS.shipped),
        ("commands", [f"hasim {name}" for name in main.commands]),
        ("api", [name for name in hasim.__all__ if not name.startswith("__")]),
        ("scenarios", shipped()),
    ):
        text = words(site / "made" / f"{page}.html")
        assert [name for name in names if name not in text] == [], page


def test_links_within_it_hold(site: Path) -> None:
    broken = []
    for page in site.rglob("*.html"):
        for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
            there = (page.parent / target).resolve()
            if not there.exists():
                broken.append(f"{page.name}: {target}")
            elif anchor and there.suffix == ".html":
                marks = f'id="{anchor}"'
                if marks not in there.read_text(encoding="utf-8"):
                    broken.append(f"{page.name}: {target}#{anchor}")
    assert broken == []


def test_it_needs_nothing_from_elsewhere(site: Path) -> None:
    """A page that is opened from disk loads no font and no script from the network."""
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r'<(?:script|img|iframe)[^>]+src="(https?:[^"]+)"|<link[^>]+rel="stylesheet"[^>]+href="(https?:[^"]+)"',
            page.read_text(encoding="utf-8"),
        )
        assert loaded == [], page.name
