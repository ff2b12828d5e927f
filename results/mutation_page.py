"""The page of what became of samples of mutants: results/mutation.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scipy.stats import binomtest

from tests.hunt.test_defects import NEAREST

HEAD = """# Mutants of the services

mutmut changes one place of `hasim/services` at a time. Of all these mutants a random sample is run,
from each part in proportion: `python results/mutation.py --sample 300 --seed 2` goes on where the
last call stopped. A mutant meets the tests of `tests/services`, and the random worlds of fencing,
that pass through the changed statement: those that killed its neighbours first, then the fastest,
until they have taken 4 s (survivors again up to `--most` seconds, with `--again`); other tests of
whole worlds it does not meet. So the shares are lower bounds.

*Killed*: a test fails, or never ends. *Wording*: what survived changes no more than a text for
people, which no test holds to the letter. *Same*: looked at, and it changes nothing that anybody
can see; the reasons are below. *Share* is of killed among all but those two, with the exact
interval of 95 % (Clopper and Pearson 1934); *plain*, among all. Functions with a decorator, and
what is outside of functions, are not changed.

"""
WORDING = "wording"
"""The reason, or its first word, of a survivor that changes only a text for people."""
TABLE = (
    "| {} | mutants | not run | killed | survived | wording | same | share | 95 % | plain |",
    "|---|---:|---:|---:|---:|---:|---:|---:|---|---:|",
)
Row = Mapping[str, Any]


def counted(rows: Sequence[Row]) -> dict[str, int]:
    """The mutants by what became of them, the survivors by what was said of them."""
    survivors = [row for row in rows if row["became"] in ("survived", "no tests")]
    worded = sum(row["reason"].startswith(WORDING) for row in survivors)
    same = sum(bool(row["reason"]) for row in survivors) - worded
    left = sum(not row["became"] for row in rows)
    return {
        "mutants": len(rows),
        "left": left,
        "killed": len(rows) - left - len(survivors),
        "survived": len(survivors),
        "worded": worded,
        "same": same,
    }


def share(rows: Sequence[Row]) -> float:
    """Killed among the decided mutants that change something, in percent."""
    of = counted(rows)
    real = of["killed"] + of["survived"] - of["worded"] - of["same"]
    return 100 * of["killed"] / real if real else 100.0


def line(name: str, rows: Sequence[Row]) -> str:
    """A row of the table."""
    of = counted(rows)
    decided = of["killed"] + of["survived"]
    real = decided - of["worded"] - of["same"]
    cells = ["", "", ""]
    if real:
        exact = binomtest(of["killed"], real).proportion_ci(0.95, "exact")
        cells = [
            f"{share(rows):.1f} %",
            f"{100 * exact.low:.1f} to {100 * exact.high:.1f}",
            f"{100 * of['killed'] / decided:.1f} %",
        ]
    return f"| {' | '.join([name, *(f'{n:,}' for n in of.values()), *cells])} |"


def page(samples: Mapping[str, Mapping[str, Any]]) -> str:
    """The table of each sample, its survivors, and what had survived once."""
    out = [HEAD.rstrip()]
    for seed, sample in sorted(samples.items(), key=lambda item: -int(item[0])):
        rows = sample["rows"]
        out += ["", f"## Sample {seed}: {len(rows):,} of {sample['of']:,}", ""]
        out += [sample["said"], ""] if sample["said"] else []
        out += [TABLE[0].format("part"), TABLE[1]]
        parts = dict.fromkeys(row["part"] for row in rows)
        out += [line(part, [row for row in rows if row["part"] == part]) for part in parts]
        out += [line("all", rows), *_survivors(rows)]
    out += ["", "## What had survived once", ""]
    out += [
        "Nine defects of the list of seeded ones were noticed by no test. Each is put in by",
        "`tests/hunt/test_defects.py`, which names the test that fails with it now:",
        "",
        "| defect | test that fails |",
        "|---|---|",
        *(f"| {name} | `{test}` |" for name, test in NEAREST.items()),
        "",
    ]
    return "\n".join(out)


def _survivors(rows: Iterable[Row]) -> list[str]:
    survivors = [row for row in rows if row["became"] in ("survived", "no tests")]
    parts = (
        (
            "Survivors that change something, or were not looked at",
            [r for r in survivors if not r["reason"]],
        ),
        ("Survivors that change nothing", [r for r in survivors if r["reason"]]),
    )
    out = list[str]()
    for title, those in parts:
        out += ["", f"### {title}", ""] if those else []
        for row in those:
            reason = f": {row['reason']}" if row["reason"] else ""
            out += [f"- `{row['file']}`, `{row['in']}`{reason}", "", "  ```diff"]
            out += [f"  - {each}" for each in row["was"].splitlines()]
            out += [f"  + {each}" for each in row["becomes"].splitlines()]
            out += ["  ```", ""]
    return out
