"""The words for whose copies an acknowledgement waits for."""

from __future__ import annotations

from collections.abc import Collection

from hasim.report.story import Line
from hasim.truth import Acknowledging


def acknowledging(partitions: Collection[str], t_ns: int, body: Acknowledging) -> Line | None:
    """A line if it is about one of some partitions."""
    if body.partition not in partitions:
        return None
    who = f"{body.master} acknowledges writes of {body.partition}"
    if body.held:
        more = f" besides {' and '.join(body.standbys)}" if body.standbys else ""
        text = f"{body.master} acknowledges no writes of {body.partition}: no standby{more}"
    elif body.standbys:
        text = f"{who} when {' and '.join(body.standbys)} {_verb(body.standbys)} them"
    else:
        text = f"{who} and waits for no standby"
    return Line(t_ns, "truth", text)


def _verb(standbys: Collection[str]) -> str:
    return "has" if len(standbys) == 1 else "have"
