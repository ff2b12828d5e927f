"""Two journals that must be the same: same seed, same journal."""

from __future__ import annotations

from hasim.journal import Journal, to_line
from hasim.oracle.invariant import Breach

NAME = "same-seed-same-journal"


def difference(one: Journal, other: Journal) -> Breach | None:
    """The first place where two journals that must be the same are not."""
    if one.header != other.header:
        keys = sorted(k for k in one.header if one.header[k] != other.header.get(k))
        return Breach(NAME, 0, "header", f"headers differ in {', '.join(keys) or 'their keys'}")
    for number, (left, right) in enumerate(zip(one.records, other.records, strict=False), 1):
        if left != right:
            text = f"{to_line(left)} / {to_line(right)}"
            return Breach(NAME, left.t_ns, f"record {number}", text)
    if len(one.records) != len(other.records):
        text = f"{len(one.records)} records / {len(other.records)} records"
        return Breach(NAME, one.horizon_ns, "length", text)
    return None
