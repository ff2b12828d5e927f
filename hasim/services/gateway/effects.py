"""What a dispatcher wants to be done, and when it wants to be called if nothing happens."""

from __future__ import annotations

from typing import NamedTuple

from hasim.events import SendReport
from hasim.model import Cause
from hasim.record import record

LIMIT, TIMEOUT, LINE, HEDGE, RETRY = range(5)
"""Kinds of wake-ups, in the order in which they happen at one instant: a client has no connection
yet, or was held for long enough; a client has no answer; who waits for room is looked after; a
second attempt is due; a message tries again. What a driver does between them: answers come before
all of them, routing and reports after `LINE`, new messages after `HEDGE` and, by number, among
those that try again."""


class Wakeup(NamedTuple):
    """When a dispatcher wants to be called; they are in order as tuples.

    Of several at one instant that of the lowest `kind` comes first, then the lowest `key`:
    the place among all that wait (`TIMEOUT`), the number of the dispatcher (`LINE`), or that of
    the attempt. `attempt` is the one that it is about, -1 for none.
    """

    time_ns: int
    kind: int
    key: int
    attempt: int


@record
class Send:
    """Send an attempt of a message to a master; its answer is told to `answered`.

    `attempt` is its number, and the client has given up at `expires_ns`. It goes over a connection
    that is open since `opened_ns`, or opens one (`addresses.OPENS`).
    """

    attempt: int
    message: int
    master: str
    expires_ns: int
    opened_ns: int = -1


@record
class Cancel:
    """Nobody waits for the answer of an attempt any more: another one was answered first."""

    attempt: int
    master: str


@record
class Settle:
    """A message has ended: answered, or failed as its last attempt did.

    `master` is the one that answered, or else the last one tried, or empty; `tries` counts
    its attempts.
    """

    message: int
    cause: Cause
    master: str
    tries: int


@record
class ProbeLoad:
    """Ask masters for their load on behalf of an attempt; answers go to the gateway service."""

    attempt: int
    masters: tuple[str, ...]


@record
class Followed:
    """A client sends an attempt elsewhere than the last time, where it should not send any more.

    Since `since_ns`, when the gateway's routing changed: then the `partition` had another owner, or
    (None) stateless messages were no more for the master `left`. The time since then is the sum of
    what kept the client: the name that it had asked stood for the old master for `name_ns`; then
    its connection, for `pool_ns` until that was old or for `stay_ns` until it broke; then it had
    nothing to send, for `pause_ns`.
    """

    attempt: int
    left: str | None
    partition: str | None
    since_ns: int
    name_ns: int
    pool_ns: int
    stay_ns: int
    pause_ns: int


@record
class Released:
    """An attempt of a message that nobody might take is sent now, after `held_ns`."""

    attempt: int
    partition: str | None
    held_ns: int


DispatcherEffect = Send | Followed | Released | Cancel | Settle | ProbeLoad | SendReport
