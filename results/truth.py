"""What real systems did beside what is predicted: `python results/truth.py` writes truth.md.

Each system is set by its preset and by the settings that it was measured with, which its own
configuration names; nothing is tuned to the answer. When a cell is hit: truth_cell.py. Measured
figures and where they are from: results/truth/SOURCE.md. Some minutes of one core.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import truth_haproxy
import truth_pigsty
import truth_rules
import truth_sentinel
from truth_cell import QUANTILES, Cell

HERE = Path(__file__).parent
HEAD = (
    "| system | setting | fault | what | measured faults | p10 | p50 | p90 | KS p | |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)
ABOUT = (
    "`python results/truth.py`. Quantiles in seconds (messages: their number), measured / "
    "predicted. A cell is hit if all three are within 5 % or 50 ms (one message), and the "
    "Kolmogorov-Smirnov test does not reject at 1 %; 2,000 simulated faults for each (clients: "
    "500, sentinel and patroni: 300). The systems' presets with the settings that they were "
    "measured with; nothing is fitted. Origin of the figures: [truth/SOURCE.md](truth/SOURCE.md)."
)


def board(cells: list[Cell]) -> str:
    """The page."""
    near, hit = sum(cell.near for cell in cells), sum(cell.hit for cell in cells)
    return "\n".join(
        [
            "# Truth board: real systems beside their prediction",
            "",
            ABOUT,
            "",
            f"**{hit} of {len(cells)} cells are hit; {near} of {len(QUANTILES) * len(cells)} "
            "quantiles are near enough.**",
            "",
            HEAD,
            *(cell.row() for cell in cells),
            "",
            *NOTES,
        ]
    )


NOTES = (
    "Faults of HAProxy's servers end where the measured ones ended, so long after DOWN. The test "
    "rejects the recovery of stopped servers for its atom: half of them are answered at once, and "
    "UP after one interval to the nanosecond here, and 2 to 6 ms later in truth, where timers have "
    "milliseconds and a process wakes up first.",
    "",
    "Of aws-jdbc-efm five runs were measured of each (least, mean, most stand for the quantiles). "
    "What is missed there is what the documentation does not say: how long a probe waits for its "
    "answer. Predicted as TCP's keepalive has it, which the documentation likens it to: a probe "
    "is lost when the next one is due.",
    "",
    "Of patroni, Pigsty has published least, mean and most of each phase, in whole seconds; near "
    "is within 0.6 s of them, or 5 %. What is missed is PostgreSQL that dies while Patroni lives: "
    "it is started again in its place for so long (primary_start_timeout: 15, 25, 45 and 95 s), "
    "and the key is given up then; here the process that renews the key dies with it. Whole "
    "seconds in which it comes back at once (least 0) are no failover.",
    "",
    "Of nginx there are no measurements: *rule* stands for the law that follows from its "
    "documentation.",
    "",
)


def main() -> None:
    """Write the page beside this file."""
    cells = chain(
        *(truth_haproxy.detection(), truth_haproxy.clients()),
        *(truth_rules.jdbc(), truth_rules.nginx(), truth_sentinel.cells(), truth_pigsty.cells()),
    )
    (HERE / "truth.md").write_text(board(list(cells)), encoding="utf-8")


if __name__ == "__main__":
    main()
