"""Tier 1: what one replication did, counted and hashed; equal for equal behaviour, exactly."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from hasim.events import FailoverChanged, GatewayReport, SendProbe, StatusChanged
from hasim.journal import Journal, to_line
from hasim.model import Status
from hasim.services.failover.lifecycle import TERMINAL
from hasim.settings import ANY, count
from hasim.singles import singly
from hasim.stored import STRICT
from hasim.truth import AttemptRollup

Count = Annotated[int, count("How often it happened.", least=0, most=ANY)]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Work counters of one replication, and a hash of all that the control plane saw and did.

    `attempts` counts the selections of each master, `failovers` those that ended, by how.
    `control` is the hash (BLAKE2b, 64 bits) of the inputs, effects and events, in order. Whose
    they are is a part of it only if there are several observers: a name alone does nothing.
    """

    __pydantic_config__ = STRICT
    probes: Count
    reports: Count
    declarations: Count
    failovers: dict[str, Count]
    attempts: dict[str, Count]
    control: str

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dataclasses.asdict(self)

    def differences(self, other: Fingerprint) -> Iterator[tuple[str, int, int]]:
        """(counter, here, there) for each counter that differs; the hash has no number."""
        for name in ("probes", "reports", "declarations"):
            if getattr(self, name) != getattr(other, name):
                yield name, getattr(self, name), getattr(other, name)
        for name in ("failovers", "attempts"):
            here, there = getattr(self, name), getattr(other, name)
            for key in sorted({*here, *there}):
                if here.get(key, 0) != there.get(key, 0):
                    yield f"{name} {key}", here.get(key, 0), there.get(key, 0)


def fingerprint(journal: Journal) -> Fingerprint:
    """The fingerprint of one run: the same whether or not probes were told in stretches."""
    journal = singly(journal)
    kinds = Counter(type(record.body) for record in journal.records)
    ended: Counter[str] = Counter()
    attempts: Counter[str] = Counter()
    digest = hashlib.blake2b(digest_size=8)
    declarations = 0
    several = len(journal.observers) > 1
    for record in journal.records:
        body = record.body
        match body:
            case StatusChanged():
                declarations += body.new is Status.FAILED
            case FailoverChanged() if body.new in TERMINAL:
                ended[body.new] += 1
            case AttemptRollup():
                attempts[body.master] += body.attempts
        if record.lane != "truth":
            digest.update(to_line(record, named=several).encode())
    return Fingerprint(
        probes=kinds[SendProbe],
        reports=kinds[GatewayReport],
        declarations=declarations,
        failovers=dict(sorted(ended.items())),
        attempts=dict(sorted(attempts.items())),
        control=digest.hexdigest(),
    )
