"""Outlier ejection: a gateway leaves out a master whose messages fail, for a while (Envoy)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

from hasim.services.gateway.guards.guard import Guard
from hasim.settings import count, duration, factor, settings, share
from hasim.units import SECOND

SOURCE = "Envoy outlier detection"


@settings
class OutlierSettings:
    """When a gateway, by what it sees itself, sends stateless messages elsewhere."""

    consecutive_failures: Annotated[
        int,
        count(
            "Failed attempts in a row that eject; 0: never.",
            source="Envoy consecutive_5xx 5",
            least=0,
        ),
    ] = 5
    interval_ns: Annotated[
        int,
        duration(
            "Rates are judged, and ejections ended, at the multiples of this.",
            source=SOURCE,
            above=0,
        ),
    ] = 10 * SECOND
    base_ejection_ns: Annotated[
        int,
        duration(
            "The first ejection lasts this long, the second twice as long, and so on; each "
            "interval without one takes one back.",
            source=SOURCE,
        ),
    ] = 30 * SECOND
    max_ejection_ns: Annotated[
        int, duration("An ejection is no longer than this.", source=SOURCE)
    ] = 300 * SECOND
    max_ejected: Annotated[
        float,
        share(
            "Share of the masters ejected at the same time at most.",
            source="Envoy max_ejection_percent 10",
        ),
    ] = 0.1
    always_eject_one: bool = True
    """One master may be ejected whatever `max_ejected` says (gRPC A50; off in Envoy, where 10 %
    of fewer than ten masters is none)."""
    success_rate: bool = False
    """Eject masters with a success rate below mean - stdev_factor x standard deviation."""
    stdev_factor: Annotated[
        float, factor("Standard deviations below the mean.", source="Envoy 1.9")
    ] = 1.9
    success_rate_hosts: Annotated[
        int, count("Masters with enough volume that the rates' mean takes.", source=SOURCE)
    ] = 5
    success_rate_volume: Annotated[
        int, count("Attempts in an interval that make a rate.", source=SOURCE)
    ] = 100
    failure_share: Annotated[
        float,
        share(
            "Share of failed attempts in an interval that ejects; 0%: never.",
            source="Envoy failure_percentage_threshold 85, not enforced by default",
        ),
    ] = 0.0
    failure_share_hosts: Annotated[
        int, count("Masters with enough volume that it takes.", source=SOURCE)
    ] = 5
    failure_share_volume: Annotated[
        int, count("Attempts in an interval that make a share.", source=SOURCE)
    ] = 50
    check_ends: bool = True
    """A master that the detection service declares healthy again is no longer ejected (Envoy's
    successful_active_health_check_uneject_host)."""


def may_eject(rules: OutlierSettings, guards: Sequence[Guard], members: Sequence[int]) -> bool:
    """Whether one more may be ejected: at most `max_ejected` of the members."""
    ejected = total = 0
    for index in range(len(guards)):
        if members[index] != 0:
            total += 1
            ejected += guards[index].ejected
    if ejected == 0 and rules.always_eject_one:
        return True
    return ejected + 1 <= rules.max_ejected * total


def eject(rules: OutlierSettings, guard: Guard, now: int) -> None:
    """Leave a master out from `now` on."""
    guard.ejected, guard.ejected_ns = 1, now
    guard.ejections += 1
    guard.failures = 0
    if rules.base_ejection_ns * guard.backoff < rules.max_ejection_ns:
        guard.backoff += 1


def note_answer(guard: Guard) -> None:
    """An attempt was answered."""
    guard.failures = 0
    guard.answered += 1


def note_failure(
    rules: OutlierSettings, guards: Sequence[Guard], members: Sequence[int], index: int, now: int
) -> None:
    """An attempt at the master `index` failed: the last of a row ejects it at once.

    Unless it is no member: who drains, or has left, gets messages of what it owns alone, and comes
    back with a clean record.
    """
    guard = guards[index]
    guard.failed += 1
    guard.failures += 1
    if rules.consecutive_failures > 0 and guard.failures >= rules.consecutive_failures:
        if members[index] != 0 and guard.ejected == 0 and may_eject(rules, guards, members):
            eject(rules, guard, now)
        guard.failures = 0


def threshold_of(
    rules: OutlierSettings, guards: Sequence[Guard], members: Sequence[int], volume: int
) -> float:
    """The success rate below which a master is an outlier: mean - factor x standard deviation.

    Over the members that are not ejected and have at least `volume` attempts in this
    interval; -1 if there are fewer than `success_rate_hosts`. Shares, not per cent.
    """
    number, mean, squares = 0, 0.0, 0.0
    for index in range(len(guards)):
        guard = guards[index]
        attempts = guard.answered + guard.failed
        if members[index] != 0 and guard.ejected == 0 and attempts >= volume:
            number += 1
            mean += guard.answered / attempts
    if number < rules.success_rate_hosts:
        return -1.0
    mean /= number
    for index in range(len(guards)):
        guard = guards[index]
        attempts = guard.answered + guard.failed
        if members[index] != 0 and guard.ejected == 0 and attempts >= volume:
            squares += (guard.answered / attempts - mean) * (guard.answered / attempts - mean)
    return mean - rules.stdev_factor * math.sqrt(squares / number)


def judge_success(
    rules: OutlierSettings, guards: Sequence[Guard], members: Sequence[int], now: int
) -> None:
    """Eject whose success rate is an outlier among the others'."""
    volume = rules.success_rate_volume
    threshold = threshold_of(rules, guards, members, volume)
    for index in range(len(guards)):
        guard = guards[index]
        attempts = guard.answered + guard.failed
        judged = members[index] != 0 and guard.ejected == 0 and attempts >= volume
        outlying = judged and guard.answered / attempts < threshold
        if outlying and may_eject(rules, guards, members):
            eject(rules, guard, now)


def judge_failures(
    rules: OutlierSettings, guards: Sequence[Guard], members: Sequence[int], now: int
) -> None:
    """Eject whose share of failed attempts is too large, whatever the others' is."""
    volume, number = rules.failure_share_volume, 0
    for index in range(len(guards)):
        guard = guards[index]
        attempts = guard.answered + guard.failed
        if members[index] != 0 and guard.ejected == 0 and attempts >= volume:
            number += 1
    if number < rules.failure_share_hosts:
        return
    for index in range(len(guards)):
        guard = guards[index]
        attempts = guard.answered + guard.failed
        judged = members[index] != 0 and guard.ejected == 0 and attempts >= volume
        failing = judged and guard.failed >= rules.failure_share * attempts
        if failing and may_eject(rules, guards, members):
            eject(rules, guard, now)


def end_interval(
    rules: OutlierSettings, guards: Sequence[Guard], members: Sequence[int], now: int
) -> bool:
    """An interval ends at `now`: take back ejections, judge the rates. Whether anything is left.

    Nothing is left if no later interval would change anything by itself.
    """
    left = False
    for index in range(len(guards)):
        guard = guards[index]
        if guard.ejected == 0:
            guard.backoff = max(0, guard.backoff - 1)
        elif now - guard.ejected_ns >= min(
            rules.base_ejection_ns * guard.backoff, rules.max_ejection_ns
        ):
            guard.ejected = guard.failures = 0
    if rules.success_rate:
        judge_success(rules, guards, members, now)
    if rules.failure_share > 0.0:
        judge_failures(rules, guards, members, now)
    for index in range(len(guards)):
        guard = guards[index]
        guard.answered = guard.failed = 0
        left = left or guard.ejected != 0 or guard.backoff > 0
    return left


def sweep(
    rules: OutlierSettings, guards: Sequence[Guard], members: Sequence[int], due_ns: int, now: int
) -> int:
    """End every interval that ended by `now`, the first of them at `due_ns`; when the next does.

    To be called before anything else at `now`: what is seen at the very end of an interval
    belongs to the next.
    """
    while due_ns <= now:
        left = end_interval(rules, guards, members, due_ns)
        due_ns += rules.interval_ns
        if not left and due_ns <= now:  # nothing happened in those that follow
            due_ns += ((now - due_ns) // rules.interval_ns + 1) * rules.interval_ns
    return due_ns
