"""What a picker sees: the masters as columns, and the message that needs one of them.

The columns are indexable sequences: lists in the service, arrays in compiled code.
Index i of each is the same master, in the order of the cluster's masters.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import NamedTuple

from hasim.services.balancing.settings import BalancingSettings


class Fleet(NamedTuple):
    """The masters as one gateway sees them, and the memory of its picker.

    Only masters of a `weight` above zero may be picked; the others are not
    eligible, or have failed this message. `counts` and `values` belong to the
    picker: it starts with zeros there, and finds what it left. `settings` are the
    balancing settings, by the names of their fields.
    """

    eligible: MutableSequence[bool]
    """Whether the routing table in use says that it may take messages."""
    member: MutableSequence[bool]
    """Whether it is a part of the cluster: not absent, removed, or in maintenance."""
    available: MutableSequence[bool]
    """Whether it is eligible, and not ejected, and its breaker admits an attempt."""
    weight: MutableSequence[float]
    """Its share relative to others', at present; 0 if it must not be picked."""
    base_weight: Sequence[float]
    """The same as configured."""
    held: MutableSequence[float]
    """Where weights are kept while a pick goes without their masters; else zeros."""
    in_flight: MutableSequence[int]
    """Attempts sent and not yet ended, queued ones included."""
    workers: Sequence[int]
    """Messages that it serves at once."""
    tier: Sequence[int]
    """Its priority; the lowest number is preferred."""
    region: Sequence[int]
    """The number of its region; regions are numbered in the order of their first master."""
    rtt: Sequence[int]
    """Expected round-trip time from this gateway (nanoseconds)."""
    table: Sequence[int]
    """What the algorithm's `build` made, such as a hash ring; anew whenever eligibility changes."""
    counts: MutableSequence[int]
    """The picker's whole numbers: nanoseconds, indexes, counts."""
    values: MutableSequence[float]
    """The picker's other numbers."""
    settings: BalancingSettings


class Request(NamedTuple):
    """One attempt of one message."""

    now: int
    """The present time (nanoseconds)."""
    vip: bool
    hash: int
    """Hash of the message's key, between 0 and 2**63; of the message itself if it has no key."""
    has_key: bool
    draws: tuple[float, ...]
    """Uniforms in [0, 1), independent of all else; at least as many as the algorithm needs."""
