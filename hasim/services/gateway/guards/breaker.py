"""The circuit breaker of one master: closed, open, half-open with one trial (linkerd)."""

from __future__ import annotations

from typing import Annotated

from hasim.services.gateway.guards.guard import Guard
from hasim.settings import count, duration, settings
from hasim.units import SECOND


@settings
class BreakerSettings:
    """After failures in a row a gateway sends nothing to a master but, now and then, a trial.

    linkerd spreads the waits by a jitter of 50 %; here they are exact.
    """

    failures: Annotated[
        int, count("Failed attempts in a row that open it.", source="linkerd max-failures 7")
    ] = 7
    base_ns: Annotated[
        int,
        duration(
            "Open for this long before the first trial; doubled with each trial that fails.",
            source="linkerd min-penalty 1 s",
            above=0,
        ),
    ] = 1 * SECOND
    max_ns: Annotated[
        int, duration("Open for this long at most.", source="linkerd max-penalty 60 s", above=0)
    ] = 60 * SECOND


def admits(guard: Guard, now: int) -> bool:
    """Whether an attempt may be sent: closed, or time for a trial and none under way."""
    return guard.opened == 0 or (now >= guard.open_until_ns and guard.trial == 0)


def note_sent(guard: Guard, now: int) -> None:
    """An attempt is sent. The first one after the wait is the trial."""
    if guard.opened > 0 and now >= guard.open_until_ns and guard.trial == 0:
        guard.trial, guard.since_ns = 1, now


def note_answer(guard: Guard, now: int, sent_ns: int) -> None:
    """An attempt was answered: closes it, unless sent before its last change of state."""
    if sent_ns >= guard.since_ns:
        guard.streak = 0
        if guard.opened > 0:
            guard.opened = guard.trial = 0
            guard.since_ns = now


def note_failure(rules: BreakerSettings, guard: Guard, now: int, sent_ns: int) -> None:
    """An attempt failed: the last of a row opens it, the trial keeps it open for longer."""
    if sent_ns < guard.since_ns:
        return  # it speaks of a time that has been judged already
    if guard.opened == 0:
        guard.streak += 1
        if guard.streak < rules.failures:
            return
    elif guard.trial == 0:
        return  # sent although it was open: an owned message
    guard.opened += 1
    guard.breaks += 1
    guard.streak = guard.trial = 0
    guard.open_until_ns, guard.since_ns = now + wait_ns(rules, guard.opened), now


def note_cancelled(guard: Guard, sent_ns: int) -> None:
    """An attempt was given up before it ended: a trial has to be made again."""
    if guard.trial != 0 and sent_ns >= guard.since_ns:
        guard.trial = 0


def wait_ns(rules: BreakerSettings, opened: int) -> int:
    """How long it stays open for the `opened`-th time in a row: base x 2^(opened - 1), at most max.

    Nanoseconds.
    """
    wait = rules.base_ns
    for _ in range(1, opened):
        if wait >= rules.max_ns:
            break
        wait *= 2
    return min(wait, rules.max_ns)
