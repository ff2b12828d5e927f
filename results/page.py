"""How large a page is and how long it takes to open: `python results/page.py > results/page.md`.

The runs are short incidents of three masters under little traffic, so many that there are about as
many as wanted. Times are those of headless Chromium on the machine that made the file, from the
request to the page's own mark that all is drawn; the least of the rounds, since whatever else runs
there can only add to it. What writing the page takes is processor time.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import hasim

SIZES = (100, 1_000, 10_000)
"""Incidents of a run, about."""
EACH = 50
"""Incidents of a replication: crashes each 12 s for 4 s, of a master at random."""
HEAD = """# The page of a run: size, and time to open

Command: `python results/page.py > results/page.md` ({rounds} rounds).

Of the size 0.9 MB are the charting library; what is wanted of 10,000 incidents is less than 5 MB.
*Written in* is processor time, *opened in* the least of the rounds, from the request until all is
drawn; *list* is the time to sort all incidents and to find some by a word.

| incidents | written in (s) | size (MB) | opened in (s) | list (ms) |
|---:|---:|---:|---:|---:|"""


def scenario(incidents: int) -> dict[str, Any]:
    """A world with about so many incidents in all, in two cells."""
    return {
        "name": f"page-{incidents}",
        "horizon": f"{12 * EACH}s",
        "replications": max(1, incidents // EACH // 2),
        "seed": 1,
        "masters": [
            {"id": "amsterdam-1"},
            {"id": "amsterdam-2", "like": "amsterdam-1", "priority": 2},
            {"id": "amsterdam-3", "like": "amsterdam-1", "priority": 3},
        ],
        "traffic": {"arrivals": {"law": "poisson", "rate": "2/s"}, "owned": "100%"},
        "faults": [
            {
                "kind": "crash",
                "target": "random",
                "at": [f"{12 * k + 3}s" for k in range(EACH)],
                "for": "4s",
            }
        ],
        "detection": {"interval": "1s", "fast_interval": "500ms"},
        "failover": {"fencing": "none"},
        "vary": {"detection.fall": [1, 2]},
    }


def opened(browser: Any, path: Path) -> tuple[float, float]:
    """Seconds until all is drawn, and milliseconds to sort and to search the list."""
    window = browser.new_page(viewport={"width": 1280, "height": 900})
    began = time.perf_counter()
    window.goto(path.as_uri(), timeout=300_000)
    window.wait_for_selector("html[data-ready=yes]", timeout=300_000)
    taken = time.perf_counter() - began
    listed = window.evaluate(
        """() => {
          const began = performance.now();
          document.querySelector("#incidents th[data-key=outage_s] button").click();
          const find = document.getElementById("find");
          find.value = "crash"; find.dispatchEvent(new Event("input"));
          return performance.now() - began;
        }"""
    )
    window.close()
    return taken, float(listed)


def main() -> None:
    """Print the table."""
    from playwright.sync_api import sync_playwright

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    rounds = options.parse_args().rounds
    sys.stdout.write(f"{HEAD.format(rounds=rounds)}\n")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for size in SIZES:
            found = hasim.run(scenario(size), progress=None)
            began = time.process_time()
            path = found.report(Path(folder) / "report.html")
            written = time.process_time() - began
            took, listed = zip(*(opened(browser, path) for _ in range(rounds)), strict=True)
            sys.stdout.write(
                f"| {len(found.incidents):,} | {written:.1f} | {path.stat().st_size / 1e6:.2f} "
                f"| {min(took):.2f} | {min(listed):.0f} |\n"
            )
            sys.stdout.flush()
        browser.close()


if __name__ == "__main__":
    main()
