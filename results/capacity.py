"""Borders beside what theory says: `python results/capacity.py` writes results/capacity.md.

The capacity of M/M/c (masters of one worker each behind one queue) with none, one and two of five
down, by the mean time in system, beside Erlang C; and the load from which on the retry storm
outlives its cause, beside rate x (1 + retries for each message) = what the server can do.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scipy import optimize

import hasim

SERVERS, MEAN_S, LIMIT_S = 5, 0.1, 0.15
SERVER_PER_S = 300.0
RETRIES = ((1.0, 100, 1.0), (1.0, 10, 10 / 11), (0.1, 10, 0.1), (0.0, 10, 0.0))
"""Budget, reserve, and the retries that they leave for each message of a storm (`STORM`)."""
POOL = """\
# Capacity beside theory

`python results/capacity.py`. Five masters of one worker each (exponential, 100 ms) behind one
queue, with none, one and two of them down: the largest load with `latency.mean < 150ms`, beside
that of Erlang C.

| left | Erlang C | holds up to | breaks from | holds it | replications |
|---|---:|---:|---:|---|---:|
"""
STORM = """
`hasim capacity retry-storm`: a server that can do 300 messages a second hangs for ten seconds, and
what times out is sent once more, as far as the retry budget allows. It stays down from the load on
at which load x (1 + retries for each message) is more than it can do; without retries at none that
it carries. *Down*: replications of 20 that stayed down, at the two loads of the border. *Keeps
itself alive*: loads that stay down after the cause, and are carried without it.

The border is at 300 / 2 = 150/s where each message gets its retry. A budget of 100 % alone does not
give it that. The budget is a level from 0 to the reserve: in the storm it goes up by 1 with each
message and down by 1 with each that times out, equally often; what is above the reserve is lost,
and at 0 a retry is cut. With the default reserve of 10 such a random walk is at each of its 11
levels equally long, so that 1 retry in 11 is cut: 300 / (1 + 10/11) = 157.1/s, which is not within
150 +- 5/s. With a reserve of 100, which how many messages a second has (150 +- 12) does not use
up, next to none is cut: 150/s. With 10 % the level is near 0 and nothing is lost: 300 / 1.1. What
waits after the hang has to be done within the hour, which takes about 0.4/s off the border.

| budget | reserve | arithmetic | recovers up to | stays down from | down | keeps itself alive |
|---|---:|---:|---:|---:|---:|---:|
"""


def erlang_c(servers: int, load: float) -> float:
    """The probability that an arrival waits in M/M/c; `load` is per server."""
    offered = servers * load
    term = offered**servers / math.factorial(servers) / (1 - load)
    return term / (sum(offered**k / math.factorial(k) for k in range(servers)) + term)


def erlang_capacity(servers: int) -> float:
    """The arrivals a second at which the mean time in M/M/c is `LIMIT_S`."""

    def excess(rate: float) -> float:
        load = rate * MEAN_S / servers
        return MEAN_S + erlang_c(servers, load) * MEAN_S / (servers * (1 - load)) - LIMIT_S

    most = servers / MEAN_S
    return float(optimize.brentq(excess, 1e-6 * most, (1 - 1e-9) * most))


def pool() -> dict[str, Any]:
    """Masters of one worker each behind one queue."""
    service = {"law": "exponential", "mean": f"{MEAN_S}s"}
    return {
        "name": "pool",
        "horizon": "10m",
        "seed": 1,
        "masters": [
            {"id": "m1", "workers": 1, "service": service},
            *({"id": f"m{n}", "like": "m1"} for n in range(2, SERVERS + 1)),
        ],
        "network": {"rtt": "0s", "local_rtt": "0s"},
        "traffic": {
            "arrivals": {"law": "poisson", "rate": "30/s"},
            "owned": "0%",
            "timeout": "1h",
            "deadline": "1h",
        },
        "balancing": {
            "algorithm": "least-loaded",
            "limits": {"max_concurrency": 1, "max_queue": 1_000_000},
        },
        "detection": {"evidence": ["probe"], "interval": "1s"},
    }


def erlang_rows(jobs: int | None) -> Iterator[str]:
    """A row for each number of masters down."""
    found = hasim.capacity(
        pool(),
        limits=[f"latency.mean < {LIMIT_S}s"],
        down=[0, 1, 2],
        cause=None,
        jobs=jobs,
        progress=None,
    )
    for down, row in enumerate(found.found.carried):
        expected = erlang_capacity(SERVERS - down)
        below, above = row.border.below, row.border.above
        held = below is not None and above is not None and below <= expected <= above
        yield (
            f"| M/M/{SERVERS - down} | {expected:.2f}/s | {_load(below)} | {_load(above)} | "
            f"{'yes' if held else 'NO'} | {row.replications} |"
        )


def storm_rows(jobs: int | None) -> Iterator[str]:
    """A row for each retry budget and reserve."""
    for budget, reserve, retries in RETRIES:
        overrides = {
            "vary": {},
            "traffic.retry.budget": f"{100 * budget:g}%",
            "traffic.retry.reserve": reserve,
        }
        found = hasim.capacity(
            "retry-storm",
            down=[0],
            limits=["success >= 50%"],
            horizon="1m",
            replications=2,
            overrides=overrides,
            jobs=jobs,
            progress=None,
        ).found.outlived
        assert found is not None, "it was asked for"
        expected = "none" if not budget else f"{SERVER_PER_S / (1 + retries):.1f}/s"
        stays = (
            f"{_load(found.after.above)} to {_load(found.alone.below)}" if found.found else "none"
        )
        counts = [found.down[at][0] for at in (found.after.below, found.after.above) if at]
        yield (
            f"| {100 * budget:g} % | {reserve} | {expected} | {_load(found.after.below)} | "
            f"{_load(found.after.above)} | {' and '.join(map(str, counts))} of 20 | {stays} |"
        )


def _load(load: float | None) -> str:
    return "-" if load is None else f"{load:g}/s"


def page(jobs: int | None) -> str:
    """The whole of it as Markdown."""
    return "".join([POOL, *map(_line, erlang_rows(jobs)), STORM, *map(_line, storm_rows(jobs))])


def _line(row: str) -> str:
    return f"{row}\n"


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int)
    jobs = parser.parse_args().jobs
    Path(__file__).with_suffix(".md").write_text(page(jobs), encoding="utf-8")


if __name__ == "__main__":
    main()
