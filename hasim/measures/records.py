"""A journal's records by class, and what its header says, looked up once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from hasim.journal import Journal, JournalError
from hasim.measures.acting import as_acted
from hasim.model import Master, Partition

B = TypeVar("B")
K = TypeVar("K")
V = TypeVar("V")


def grouped(pairs: Iterable[tuple[K, V]]) -> Mapping[K, Sequence[V]]:
    """The values of each key, in order; an empty tuple for a key without any."""
    found: defaultdict[K, Any] = defaultdict(tuple)
    for key, value in pairs:
        known = found.get(key)
        if known is None:
            found[key] = [value]
        else:
            known.append(value)
    return found


class Records:
    """An observer's records and the truth, by class, in the order in which they happened.

    `observer` is its name (None: the first that the journal names, or whoever acted, where several
    may); `settings` are those of its services. `late_window_ns`: after a cure, a declaration this
    soon still rests on what happened before it (nanoseconds; with probes, one interval plus one
    timeout), as its detection said. `recovery_ns`: within this time after a cure a master is
    declared healthy, if no check fails (nanoseconds). `one_primary`: by its fencing two
    primaries are a breach. Raises JournalError for one that the journal does not have, or does not
    describe.
    """

    def __init__(self, journal: Journal, observer: str | None = None) -> None:
        if observer is None:
            journal = as_acted(journal)
        self.observer = journal.observer(observer)
        about = journal.header["observers"][self.observer]
        try:
            self.settings: dict[str, Any] = about["settings"]
            self.late_window_ns = int(about["late_window_ns"])
            self.recovery_ns = int(about["recovery_ns"])
            self.one_primary = bool(about["one_primary"])
        except (KeyError, TypeError, ValueError):
            what = f"the header does not describe how the observer {self.observer!r} was set"
            raise JournalError(what) from None
        self.header: dict[str, Any] = journal.header
        self.horizon_ns = journal.horizon_ns
        self._by_class: defaultdict[type[Any], list[tuple[int, Any]]] = defaultdict(list)
        for record in journal.seen_by(self.observer).records:
            self._by_class[type(record.body)].append((record.t_ns, record.body))
        try:
            cluster = journal.header["cluster"]
            self.masters = tuple(Master(**plain) for plain in cluster["masters"])
            self.partitions = tuple(Partition(**plain) for plain in cluster["partitions"])
        except (KeyError, TypeError):
            raise JournalError("the header does not describe a cluster") from None

    def of(self, cls: type[B]) -> list[tuple[int, B]]:
        """(time, body) of the records of one class."""
        return self._by_class.get(cls, [])
