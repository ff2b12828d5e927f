"""User-uptime: how long each user's service was up, by the minute, from the messages' outcomes.

Hauer, Hoffmann, Lunney, Ardelean, Diwan, "Meaningful Availability", NSDI 2020, section 4: after a
message that is answered by its deadline its user has the service until the next message that is
not, and the other way round; a user who has sent nothing for the `active` time is inactive, and
counts neither way until the next message. A user is a key of the messages (``traffic.keys``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hasim.truth import UserMinute
from hasim.units import MINUTE

if TYPE_CHECKING:
    from hasim.simulation.clients.traffic import Traffic

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class UserTime:
    """Sums up the users' time, of the messages in the order of their arrival.

    What is known of a message is taken as known from its arrival on: that is when its user wanted
    something. Messages without an outcome, or whose deadline lies beyond the end of the run, are no
    evidence. Without keys nothing is counted: every message is a user of its own, seen once.
    """

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        keys = traffic.keys
        self.counts = keys is not None
        self._active_ns = keys.active_ns if keys is not None else 0
        number = keys.number if keys is not None else 0
        self._horizon_ns = traffic.horizon_ns
        self._seen_ns = np.full(number, -1, dtype=np.int64)
        self._up = np.zeros(number, dtype=np.bool_)
        minutes = -(-self._horizon_ns // MINUTE) if number else 0
        # For down and up: whole minutes by their first differences, the rest as it is.
        self._whole = np.zeros((2, minutes + 1), dtype=np.int64)
        self._part_ns = np.zeros((2, minutes + 1), dtype=np.int64)

    def add(self, first: int, arrival_ns: Ints, in_time: Bools, settled: Bools) -> None:
        """Take messages from number `first` on: arrays of shape (messages,)."""
        if not self.counts or not len(arrival_ns):
            return
        known = np.flatnonzero(settled)
        user = self._traffic.key(first, len(arrival_ns))[known]
        order = np.argsort(user, kind="stable")
        user, at_ns, up = user[order], arrival_ns[known][order], in_time[known][order]
        if not len(user):
            return
        begins = np.concatenate([[True], user[1:] != user[:-1]])
        ends = np.concatenate([begins[1:], [True]])
        # What each user was told last, before these.
        mine = user[begins]
        before = self._seen_ns[mine] >= 0
        self._spend(self._seen_ns[mine][before], at_ns[begins][before], self._up[mine][before])
        within = ~ends
        self._spend(at_ns[within], at_ns[np.flatnonzero(within) + 1], up[within])
        self._seen_ns[mine], self._up[mine] = at_ns[ends], up[ends]

    def records(self) -> Iterator[UserMinute]:
        """Each minute in which anybody was active; the last outcomes hold until the end."""
        if not self.counts:
            return
        last = np.flatnonzero(self._seen_ns >= 0)
        self._spend(self._seen_ns[last], np.full(len(last), self._horizon_ns), self._up[last])
        self._seen_ns[:] = -1
        total_ns = np.cumsum(self._whole, axis=1) * MINUTE + self._part_ns
        for minute in np.flatnonzero(total_ns.any(axis=0)).tolist():
            down_ns, up_ns = total_ns[:, minute].tolist()
            yield UserMinute(minute * MINUTE, up_ns, down_ns)

    def _spend(self, since_ns: Ints, until_ns: Ints, up: Bools) -> None:
        """Users were up, or down, from one time to another, as far as they were active."""
        until_ns = np.minimum(until_ns, since_ns + self._active_ns)
        first, last = since_ns // MINUTE, until_ns // MINUTE
        kind = up.astype(np.int64)
        # From the start of the first minute to that of the last, less and plus what is over.
        np.add.at(self._whole, (kind, first), 1)
        np.add.at(self._whole, (kind, last), -1)
        np.subtract.at(self._part_ns, (kind, first), since_ns - first * MINUTE)
        np.add.at(self._part_ns, (kind, last), until_ns - last * MINUTE)
