"""Gateways do not eject more masters than they may: somebody is left to send to."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.model import Cause
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.oracle.invariants.choices import Tables
from hasim.truth import MessageRecord


def _find(case: Case) -> Iterator[Found]:
    asked, balancing = case.journal.header.get("requests"), case.settings.balancing
    rules = balancing.outliers
    if asked is None or asked["keeps"] or rules is None or balancing.breaker:
        return
    tables = Tables(case)
    for _, message in case.facts.records.of(MessageRecord):
        if message.outcome != Cause.UNROUTABLE.value or message.partition:
            continue
        usable = tables.between(message.gateway, message.arrived_ns, message.ended_ns or 0)
        most = max(float(rules.always_eject_one), rules.max_ejected * len(case.masters))
        left = [len({*table.eligible} - {*table.draining}) for table in usable]
        if left and min(left) > most:
            text = f"message {message.message} found nobody, though {min(left)} were eligible"
            yield Found(message.arrived_ns, message.gateway, f"{text}, and {most:g} may be ejected")


SOMEBODY_LEFT = Invariant(
    "somebody-is-left",
    "With outlier ejection a message finds a master as long as more are eligible than may be "
    "ejected (looked at where single messages are kept).",
    "A guard against a few sick masters shuts out the healthy ones, and everybody with them.",
    _find,
)
