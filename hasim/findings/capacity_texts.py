"""The sentences of a capacity."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.report.format import percent
from hasim.report.sheet import Field
from hasim.study.capacity.capacity import Found
from hasim.study.capacity.carrying import Carried
from hasim.study.capacity.outliving import Outlived
from hasim.study.capacity.terms import MOST_LOADS, REPLICATIONS
from hasim.study.capacity.worlds import last_ns, steady_ns
from hasim.units import format_duration


def headline(found: Found) -> Field:
    """Whether today's load is carried, in one line."""
    load = found.loads.named(found.loads.today)
    short = [row for row in found.carried if not _holds(row, found)]
    outlived = found.outlived
    stays = outlived is not None and outlived.found and _from(outlived) <= found.loads.today
    if short:
        worst = short[0].down.label
        which = "with no master down" if worst == "none" else f"with {worst} down"
        return Field(f"Today's load of {load} is not shown to be carried {which}.", mood="bad")
    if stays:
        return Field(
            f"Today's load of {load} is carried, but an overload would stay after its cause.",
            mood="bad",
        )
    return Field(f"Today's load of {load} is carried in all of these cases.", mood="good")


def said(found: Found) -> Iterator[str]:
    """What follows from the tables."""
    for row in found.carried:
        yield from _row_said(row, found)
    if found.outlived is not None:
        yield from _outlived_said(found.outlived, found)


def notes(found: Found) -> Iterator[str]:
    """What a reader has to know."""
    terms = found.terms
    limits = " and ".join(map(str, terms.limits))
    yield (
        f"Carried: {limits}, of messages from {format_duration(steady_ns(terms.horizon_ns))} of "
        f"{format_duration(terms.horizon_ns)} on; masters that are down are powered off at a tenth "
        "of it for good. Faults of the scenario are left out; retries, queues and health checks "
        "are as it says."
    )
    yield (
        "A border lies between the largest load that was shown to keep the limits and the "
        f"smallest that was shown to break one: in each row, with {percent(1 - terms.error)} "
        f"probability for all loads together ({MOST_LOADS} at most, Bonferroni), if more load is "
        "never better. Replications are paired: of a number, they have the same chances."
    )
    if found.outlived is not None:
        yield (
            f"Stays down: under half of the messages offered in the last fifth (from "
            f"{format_duration(last_ns(terms.long_ns))} of {format_duration(terms.long_ns)} on) "
            f"succeed, in over half of {REPLICATIONS} paired replications: 15 or more show that, 5 "
            "or fewer the contrary (sign test, 2.5 %)."
        )


def _holds(row: Carried, found: Found) -> bool:
    return row.border.below is not None and row.border.below >= found.loads.today


def _row_said(row: Carried, found: Found) -> Iterator[str]:
    which = "No master down" if row.down.label == "none" else f"With {row.down.label} down"
    at, named = row.border, found.loads.named
    if at.below is None:
        yield f"{which}: no load was shown to keep the limits."
    elif at.above is None:
        yield f"{which}: no load was shown to break a limit; {named(at.below)} still holds."
    elif at.undecided:
        low, high = named(at.below), named(at.above)
        yield (
            f"{which}: between {low} and {high} it is undecided; more --replications narrow that."
        )
    if at.crossed:
        yield f"{which}: a larger load held where a smaller one broke: more is not always worse."


def _from(outlived: Outlived) -> float:
    return outlived.after.above or 0.0


def _outlived_said(outlived: Outlived, found: Found) -> Iterator[str]:
    named, cause = found.loads.named, outlived.cause.text
    after, alone = outlived.after, outlived.alone
    if after.above is None:
        yield f"After {cause}, no load was found that stays down."
        return
    if not outlived.found:
        yield (
            f"No overload outlives its cause ({cause}): it stays down from {named(after.above)} "
            "on, and there it does so without any cause."
        )
        return
    recovers = "no load recovers" if after.below is None else "it recovers up to "
    low = "" if after.below is None else named(after.below)
    high = named(alone.below or after.above)
    yield (
        f"From {named(after.above)} to {high}, overload keeps itself alive after its cause "
        f"({cause}) has gone; {recovers}{low}."
    )
    today = found.loads.today
    if today >= after.above and today <= (alone.below or today):
        yield f"Today's load of {named(today)} is among these: fewer retries or less load help."
