"""What stands on the pages works: their Python runs, their commands end as they say."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hasim.cli import main
from hasim.measures.catalogue import MEASURES, listed
from hasim.oracle.registry import INVARIANTS
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.detection.registry import DETECTORS
from hasim.study.reference import described

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "made" not in path.parts)
BLOCK = re.compile(r"^```(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAVED = re.compile(r"\bsave (?:this|it) as `([\w.-]+)`", re.IGNORECASE)
NAMED = re.compile(r"`([\w-]+\.yaml)`:$", re.MULTILINE)


def blocks(page: Path) -> Iterator[tuple[str, str, str]]:
    """(language, text, the name of the file that it is saved as) of each block."""
    text, last = page.read_text(encoding="utf-8"), 0
    for found in BLOCK.finditer(text):
        before = text[last : found.start()]
        name = SAVED.search(before) or NAMED.search(before.rstrip())
        yield found[1], found[2], name[1] if name else ""
        last = found.end()


@pytest.fixture(autouse=True)
def nothing_stays_registered() -> Iterator[None]:
    """What a page registers is forgotten after it."""
    tables: list[dict[str, Any]] = [DETECTORS.known, INVARIANTS.known, ALGORITHMS, listed._LISTED]
    kept = [dict(table) for table in tables]
    yield
    for table, before in zip(tables, kept, strict=True):
        table.clear()
        table.update(before)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_what_a_page_says_works(page, tmp_path, monkeypatch, capsys) -> None:
    """From the first block to the last, in one folder and one Python session."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    names: dict[str, object] = {"__name__": "page"}
    for language, text, saved in blocks(page):
        if saved:
            Path(saved).write_text(text, encoding="utf-8")
        if language == "console":
            for line in text.splitlines():
                assert line.startswith("$ hasim "), line
                command, _, ends = line.removeprefix("$ hasim ").partition("# exit ")
                with pytest.raises(SystemExit) as ended:
                    main(shlex.split(command))
                said = capsys.readouterr()
                assert (ended.value.code or 0) == int(ends or 0), f"{line}\n{said.out}{said.err}"
        elif language == "python" and not saved:
            exec(compile(text, str(page), "exec"), names)
    sys.modules.pop("patience", None)


def test_pages_are_found() -> None:
    assert len(PAGES) >= 12
    assert any(language == "console" for page in PAGES for language, _, _ in blocks(page))


PATH = re.compile(r"`([a-z_]+(?:\.[a-z_0-9-]+)+)`")


def test_each_setting_that_a_page_names_exists() -> None:
    paths = {re.sub(r"\[\]", "", one.path) for one in described()}
    known = {path.rsplit(".", up)[0] for path in paths for up in range(path.count("."))} | paths
    tops = {path.partition(".")[0] for path in paths}
    pages = [*PAGES, *(DOCS.parent / name for name in ("README.md", "ARCHITECTURE.md"))]
    named = {(page.name, one) for page in pages for one in PATH.findall(page.read_text("utf-8"))}
    settings = {(page, one) for page, one in named if one.partition(".")[0] in tops}
    assert len(settings) > 20
    files = (".py", ".md", ".yaml", ".csv", ".html", ".json")
    unknown = {pair for pair in settings if pair[1] not in known and not pair[1].endswith(files)}
    measures = {*MEASURES, *listed._LISTED}
    assert {(page, one) for page, one in unknown if one not in measures} == set()


KEY = re.compile(r"`([a-z_]+): [^`]*`")
SAID = "always"
"""The first word of a statement about a run (`hunt --hold`), which is no key."""


def test_each_key_that_a_page_sets_exists() -> None:
    """``health: tcp`` in the middle of a sentence is a setting, or a group of them."""
    known = {part for one in described() for part in one.path.split(".")} | {SAID}
    named = {(page.name, key) for page in PAGES for key in KEY.findall(page.read_text("utf-8"))}
    assert len(named) > 30
    assert {(page, key) for page, key in named if key not in known} == set()
