"""The stored outputs of the notebooks are what they give: `python -m pytest notebooks`.

Pictures, addresses of objects and the random names of styled tables are left out. After a change
that is meant, `python notebooks/test_outputs.py` stores the new outputs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

HERE = Path(__file__).parent
VOLATILE = [
    (re.compile(r"<img[^>]*>"), "<img>"),
    (re.compile(r"0x[0-9a-f]+"), "0x"),
    (re.compile(r"T_[0-9a-f]{5}"), "T_"),
]


@pytest.mark.parametrize("path", sorted(HERE.glob("*.ipynb")), ids=lambda path: path.stem)
def test_stored_outputs_are_those_of_a_new_run(path: Path) -> None:
    stored = outputs(nbformat.read(path, as_version=4))
    assert any(stored), f"{path.name} has no outputs; execute it and store them"
    for number, (before, now) in enumerate(zip(stored, outputs(executed(path)), strict=True), 1):
        assert before == now, f"{path.name}: the outputs of code cell {number} have changed"


def executed(path: Path) -> Any:
    """The notebook with the outputs that it gives now."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(HERE)}}
    )
    client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it ran
    return notebook


def outputs(notebook: Any) -> list[list[dict[str, str]]]:
    """The texts of each code cell's outputs; parts of a stream count as one."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        texts: list[dict[str, str]] = []
        for output in cell.outputs:
            shown = {"stream": output.text} if "text" in output else texts_of(output)
            if "stream" in shown and texts and "stream" in texts[-1]:
                texts[-1]["stream"] += shown["stream"]
            elif any(shown.values()):
                texts.append(shown)
        found.append(texts)
    return found


def texts_of(output: Any) -> dict[str, str]:
    """What an output says as text and as HTML."""
    data = output.get("data", {})
    return {kind: steady(text) for kind, text in data.items() if kind.startswith("text/")}


def steady(text: str) -> str:
    """A text without what is another in each run."""
    for pattern, instead in VOLATILE:
        text = pattern.sub(instead, text)
    return text


if __name__ == "__main__":
    for name in sorted(HERE.glob("*.ipynb")):
        nbformat.write(executed(name), name)
