"""Writing scenario files and reading what is wrong with them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hasim.scenario.loader import Loaded, load
from hasim.scenario.problems import Problem, ScenarioError
from hasim.scenario.tables.errors import TraceError
from hasim.settings import from_plain

GOOD = """\
name: small
horizon: 5m
masters:
  - {id: ams-1, region: west}
  - {id: iad-1, region: east}
faults:
  - {kind: crash, target: ams-1, at: 1m}
detection:
  interval: 5s
"""

DATA = Path(__file__).parents[2] / "scenarios" / "data"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write_scenario(text: str) -> Path:
        path = tmp_path / "file.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_scenario


@pytest.fixture
def problems_of(write: Callable[[str], Path]) -> Callable[..., list[Problem]]:
    def load_bad(text: str, *overrides: tuple[str, Any]) -> list[Problem]:
        with pytest.raises(ScenarioError) as caught:
            load(write(text), overrides)
        shown = str(caught.value)
        assert len(shown.splitlines()) == len(caught.value.problems)
        for jargon in ("Traceback", "Input should", "pydantic", "ruamel", "dataclass", "NoneType"):
            assert jargon not in shown
        return caught.value.problems

    return load_bad


@pytest.fixture
def loaded(write: Callable[[str], Path]) -> Callable[..., Loaded]:
    def load_good(text: str = GOOD, *overrides: tuple[str, Any]) -> Loaded:
        return load(write(text), overrides)

    return load_good


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """Writes a file as somebody has it, and gives its path."""

    def write_file(content: str | bytes, name: str = "people.csv") -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write_file


def refused(reader: Callable[[Any], Any], cls: type[Any], **settings: Any) -> TraceError:
    """What a reader of recordings says against a file."""
    with pytest.raises(TraceError) as caught:
        reader(from_plain(cls, settings))
    return caught.value
