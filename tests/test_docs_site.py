"""The site builds without a warning, and everything that has a name is on it."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

import hasim
from hasim.cli import main
from hasim.measures.catalogue import MEASURES
from hasim.oracle import INVARIANTS
from hasim.scenario.catalogue import shipped, systems
from hasim.services.detection.registry import PRESETS
from hasim.services.failover.registry import PRESETS as FAILOVER
from hasim.services.gateway.presets import RETRIES
from hasim.services.leadership.registry import PRESETS as LEADERSHIP
from hasim.study.reference import described

DOCS = Path(__file__).parents[1] / "docs"
LINK = re.compile(r'(?:href|src)="([^"#:?]+)(?:#([^"]*))?"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built by the one strict command."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-W", "-n", "-q", str(DOCS), str(folder)]
    done = subprocess.run(build, capture_output=True, text=True, check=False, timeout=900)
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


def test_each_system_with_a_preset_has_a_page_drawn_from_a_run(site: Path) -> None:
    kinds = (PRESETS, FAILOVER, LEADERSHIP, RETRIES)
    names = {*systems(), *(name for kind in kinds for name in kind.shipped)}
    for name in sorted(names):
        text = words(site / "made" / f"system-{name}.html")
        assert "strikes" in text, name
        assert re.search(r"Detected after|Never detected|Service restored", text), name
    truth = words(site / "made" / "system-haproxy.html")
    assert "measured / predicted" in truth


def test_every_message_is_on_it_with_a_cause_and_a_cure(site: Path) -> None:
    sys.path.insert(0, str(DOCS))
    import messages

    text = html.unescape(words(site / "made" / "messages.html"))
    found = list(messages.messages())
    assert len(found) > 300
    assert {module for module, _ in found if messages.group_of(module) is None} == set()
    assert [one for _, one in found if " ".join(one.split()) not in text] == []
    assert text.count("Cause.") == text.count("Cure.") > 8


def test_messages_are_found_in_each_of_their_forms() -> None:
    sys.path.insert(0, str(DOCS))
    import messages

    found = list(messages.messages())
    assert {module for module, _ in found if messages.group_of(module) is None} == set()
    told = {text for _, text in found}
    assert "nothing can be injected into a journal" in told  # raised
    assert "--from and --like: one of them" in told  # refused by a command
    assert "is not varied{near}" in told  # yielded as a problem


def test_the_test_report_tells_of_each_file_of_tests(site: Path) -> None:
    text = words(site / "made" / "test-report.html")
    files = [path.name for path in Path(__file__).parent.rglob("test_*.py")]
    assert [name for name in files if name not in text] == []
    assert "Truth board" not in text  # its own heading stands for it
    assert "Real systems beside their prediction" in text


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
