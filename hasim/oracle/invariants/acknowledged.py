"""What was acknowledged once a standby had it is not lost when that standby is promoted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from hasim.events import Promote
from hasim.measures.spans import Steps
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.truth import Acknowledging, Writers, WritesLost

Since = dict[str, int]
"""By standby: since when a master's acknowledgements wait for it (ns)."""


class _Waited:
    """Who accepted the writes of each partition, and for whom that one waited, at any time."""

    def __init__(self) -> None:
        self._waits: dict[str, dict[str, Steps[Since]]] = defaultdict(dict)
        self._writers: dict[str, Steps[tuple[str, ...]]] = defaultdict(lambda: Steps(()))

    def take(self, t_ns: int, body: object) -> None:
        """A master waits for others from now on, or others accept writes."""
        if isinstance(body, Writers):
            self._writers[body.partition].set(t_ns, body.masters)
        elif isinstance(body, Acknowledging):
            steps = self._waits[body.partition].setdefault(body.master, Steps({}))
            before = steps.at(t_ns)
            steps.set(t_ns, {name: before.get(name, t_ns) for name in body.standbys})

    def by(self, partition: str, standby: str, t_ns: int) -> str:
        """Who acknowledged writes at a moment, and had waited for a standby before it, if any.

        What stands of a master that accepts no writes any more is over.
        """
        writers = self._writers[partition].just_before(t_ns)
        for master, steps in self._waits[partition].items():
            since_ns = steps.at(t_ns).get(standby, t_ns)
            if master in writers and since_ns < t_ns:
                return master
        return ""


def _find(case: Case) -> Iterator[Found]:
    waited = _Waited()
    promoted: dict[tuple[str, int], str] = {}
    for record in case.journal.records:
        body = record.body
        if isinstance(body, Promote):
            promoted[record.observer, body.failover] = body.target
        elif isinstance(body, WritesLost) and body.writes:
            target = promoted.get((body.observer, body.failover), "")
            master = waited.by(body.partition, target, record.t_ns - body.since_ns)
            if master:
                text = (
                    f"{target} has lost {body.writes} writes of it, and {master} acknowledged "
                    "none that it did not have"
                )
                yield Found(record.t_ns, body.partition, text)
        else:
            waited.take(record.t_ns, body)


ACKNOWLEDGED_KEPT = Invariant(
    "acknowledged-kept",
    "A standby loses nothing when it is promoted that was acknowledged while acknowledgements "
    "waited for it.",
    "Synchronous replication loses what it has acknowledged.",
    _find,
    "run",
)
