"""What was acknowledged once a standby had it is not lost when that standby is promoted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hasim.events import Promote
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.truth import Acknowledging, WritesLost

Since = dict[tuple[str, str, str], int]
"""By partition, master and standby: since when its acknowledgements wait for that (ns)."""


def _find(case: Case) -> Iterator[Found]:
    waited: Since = {}
    promoted: dict[tuple[str, int], str] = {}
    for record in case.journal.records:
        body = record.body
        if isinstance(body, Promote):
            promoted[record.observer, body.failover] = body.target
        elif isinstance(body, Acknowledging):
            _note(waited, record.t_ns, body)
        elif isinstance(body, WritesLost) and body.writes:
            target = promoted.get((body.observer, body.failover), "")
            owner = _waited_for(waited, body.partition, target, record.t_ns - body.since_ns)
            if owner:
                text = (
                    f"{target} has lost {body.writes} writes of it, and {owner} acknowledged "
                    "none that it did not have"
                )
                yield Found(record.t_ns, body.partition, text)


def _note(waited: Since, t_ns: int, body: Acknowledging) -> None:
    """Those for whom a master waits from now on, and those for whom it did all the time."""
    own = body.partition, body.master
    for key in [key for key in waited if key[:2] == own and key[2] not in body.standbys]:
        del waited[key]
    for standby in body.standbys:
        waited.setdefault((*own, standby), t_ns)


def _waited_for(
    waited: Mapping[tuple[str, str, str], int], partition: str, target: str, first_ns: int
) -> str:
    """Whose acknowledgements waited for a master since before a time, if anybody's did."""
    for (named, owner, standby), since_ns in waited.items():
        if (named, standby) == (partition, target) and since_ns < first_ns:
            return owner
    return ""


ACKNOWLEDGED_KEPT = Invariant(
    "acknowledged-kept",
    "A standby that acknowledgements have waited for loses none of them when it is promoted.",
    "Synchronous replication loses what it has acknowledged.",
    _find,
    "run",
)
