"""What an installation takes on the disk: `python results/install.py > results/install.md`.

Makes two fresh virtual environments from this checkout, the whole and the slim one, and adds up the
files of each distribution; then runs a scenario and the gate in the slim one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
WAYS = {
    "whole": (("-c", "constraints.txt", "."),),
    "slim": (("-c", "constraints.txt", "-r", "slim.txt"), ("--no-deps", ".")),
}
"""What pip is told, call by call."""
NEEDS = {
    "hasim": "this project, with its scenarios and data",
    "llvmlite": "numba: the compiled data plane",
    "numba": "the compiled data plane",
    "pyarrow": "recorded tables, Parquet files (extra `tables`)",
    "scipy": "quantiles of Student's t, gamma and normal laws, in every estimate",
    "pandas": "the tables of a run",
    "numpy": "everything",
    "matplotlib": "figures (extra `plots`)",
    "fonttools": "matplotlib",
    "pillow": "matplotlib",
    "kiwisolver": "matplotlib",
    "contourpy": "matplotlib",
    "pydantic_core": "scenario files",
    "pydantic": "scenario files",
    "pygments": "rich",
    "rich": "tables in a terminal",
    "pip": "installing",
    "setuptools": "installing",
}
HEAD = """# What an installation takes

Command: `python results/install.py > results/install.md`. Sizes in MB (10^6 bytes) of a fresh
virtual environment; in the slim one `hasim run crash` and `hasim bench` were run.
"""
LEAST_MB = 3.0
"""Smaller ones are counted together."""
SIZES = """
import json
from importlib.metadata import distributions
print(json.dumps({d.name.lower().replace("-", "_"): sum(f.locate().stat().st_size
    for f in d.files or () if f.locate().is_file()) for d in distributions()}))
"""


def made(folder: Path, way: str) -> Path:
    """The programs of a fresh environment."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    for words in WAYS[way]:
        command = [folder / "bin" / "pip", "install", "-q", *words]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder / "bin"


def main() -> None:
    """Print the table."""
    found: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for way in WAYS:
            programs = made(Path(folder) / way, way)
            told = subprocess.run(
                [programs / "python", "-c", SIZES], check=True, capture_output=True, text=True
            )
            found[way] = json.loads(told.stdout)
        for command in (("run", "crash", "--replications", "2"), ("bench", "--update")):
            subprocess.run([programs / "hasim", *command], cwd=folder, check=True,
                           capture_output=True)  # fmt: skip
    whole, slim = found["whole"], found["slim"]
    out = [HEAD]
    out += ["| package | whole | slim | for |", "|---|---:|---:|---|"]
    small = {"whole": 0, "slim": 0}
    for name, size in sorted(whole.items(), key=lambda one: -one[1]):
        own = slim.get(name, 0)
        if size / 1e6 < LEAST_MB:
            small["whole"] += size
            small["slim"] += own
            continue
        what = (
            "this project, with its scenarios and data" if name == "hasim" else NEEDS.get(name, "")
        )
        out.append(f"| {name} | {size / 1e6:.0f} | {own / 1e6:.0f} | {what} |")
    out.append(f"| all others | {small['whole'] / 1e6:.0f} | {small['slim'] / 1e6:.0f} | |")
    totals = (sum(sizes.values()) / 1e6 for sizes in (whole, slim))
    out.append("| **all** | **{:.0f}** | **{:.0f}** | |".format(*totals))
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
