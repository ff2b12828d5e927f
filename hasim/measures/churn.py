"""Key churn: the keys whose master a change of routing has changed."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.measures.facts import Facts
from hasim.truth import KeysMoved
from hasim.units import seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ChurnRow:
    """One change of routing at one gateway, and the keys that were seen there before.

    Of `keys` (of more than 1,000, so many in equal distances), `left` moved since their master
    may be picked no more, `joined` to a master that could not be picked before, and `needless`
    for neither reason. `ideal` is the least share that has to move if masters hold keys in
    proportion to their weights: 1/N for one of N equal masters that goes or comes.
    """

    at_s: float
    gateway: str
    algorithm: str
    keys: int
    left: int
    joined: int
    needless: int
    ideal: float

    @property
    def moved(self) -> int:
        """All keys that have moved."""
        return self.left + self.joined + self.needless


def churn_of(facts: Facts) -> list[ChurnRow]:
    """The changes of routing that could move keys, by time."""
    return [
        ChurnRow(
            at_s=seconds(t_ns),
            gateway=body.gateway,
            algorithm=body.algorithm,
            keys=body.keys,
            left=body.left,
            joined=body.joined,
            needless=body.needless,
            ideal=body.ideal,
        )
        for t_ns, body in facts.records.of(KeysMoved)
    ]
