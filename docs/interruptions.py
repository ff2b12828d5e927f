"""Writes `guides/interruptions.md`: `python docs/interruptions.py` (some minutes)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from hasim.hunt.interruptions import FENCINGS, cells

PAGE = Path(__file__).parent / "guides" / "interruptions.md"
HEAD = """# A failover that is interrupted, state by state

Written by `python docs/interruptions.py`; a test makes every line anew. An owner `a` and two
standbys `b` and `c` in three regions, the control plane and the clients in a fourth. The control
plane alone loses the owner, which goes on serving, for 40 s: as long as nobody stops it, it accepts
writes. (`catching-up` and `handing-over` belong to a switchover that is ordered; in `aborting` and
`cancelled` the owner is back early; in `waiting` and `failed` both standbys are off at first; in
`rolling-back` nobody hears that `b` was promoted; in `transferring` `b` reads from `c`. Where
fencing is by hand, somebody pulls the owner's plug after 34 s, for 30 s, and says so a second
later, unless it is back.) In the middle of its stay in a state, or a second after its end, the
failover is interrupted:

- *control plane killed*: its process dies for 3 s; the next one remembers everything, or, where it
  *forgets*, nothing;
- *source killed*: the owner loses its power for 30 s, where it is on; in `transferring` `c` does;
- *target killed*: the candidate does, or `b` where none is chosen yet;
- *owner back*: the control plane reaches it again, and it is declared healthy if it is on;
- *answer lost*, *answer twice*: what is answered to the order under way is lost, or comes once more
  5 s later;
- *gateway restarted*: the only gateway dies for 2 s.

`declared` and `selecting` are passed through: what comes then finds the next state. What came of
it: whom the failover rolled back and how it ended, then the same of each later one; who accepts the
writes at the end; for how many seconds two masters did (without fencing, with best effort and by
hand that may be); how long after the interruption the partition was served again for good, 0 if it
was served all along. No line breaks an invariant.
"""
COLUMNS = ("state", "interruption", "failovers", "owner", "two primaries, s", "served after, s")


def rows(fencing: str) -> list[str]:
    """The table of one way of fencing."""
    found = list(cells(fencing))
    broken = [f"{cell.row}: {', '.join(cell.broken)}" for cell in found if cell.broken]
    if broken:
        raise SystemExit("\n".join(broken))
    return [cell.row for cell in found]


def page() -> Iterator[str]:
    """The lines of the page."""
    yield HEAD
    with ProcessPoolExecutor(2) as pool:
        for fencing, found in zip(FENCINGS, pool.map(rows, FENCINGS), strict=True):
            settings = ", ".join(f"{k} {v}" for k, v in FENCINGS[fencing].items() if k != "kind")
            yield f"## Fencing: {fencing}{f' ({settings})' if settings else ''}\n"
            yield "| " + " | ".join(COLUMNS) + " |"
            yield "|---|---|---|---|---:|---:|"
            yield from found
            yield ""


if __name__ == "__main__":
    text = "\n".join(page()).rstrip() + "\n"
    PAGE.write_text(text, encoding="utf-8")
