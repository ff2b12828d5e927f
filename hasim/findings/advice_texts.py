"""The sentences of an advice."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hasim.report.sheet import Field
from hasim.report.titles import title
from hasim.study.advising.advising import Advised
from hasim.study.advising.procedure import Decision
from hasim.study.advising.race import ENOUGH, bounds
from hasim.study.estimates.statistics import LEVEL
from hasim.study.reference import as_text

NAMED = 3


def standings(decision: Decision) -> dict[int, str]:
    """What became of each cell, in a few words."""
    ended, found = decision.ended, {}
    for cell, checked in decision.checked.items():
        if checked.standing == "undecided":
            found[cell] = "undecided"
        elif checked.standing == "infeasible":
            found[cell] = "breaks a limit"
        elif ended is None or cell in ended.unknown:
            found[cell] = "too little seen"
        elif cell == decision.chosen:
            found[cell] = "recommended"
        elif cell in ended.winners:
            found[cell] = "as good"
        elif cell in ended.dropped:
            found[cell] = "worse"
        else:
            found[cell] = "not told apart"
    return found


def headline(found: Advised, labels: Sequence[str]) -> Field:
    """What to set, in one line."""
    decision = found.decision
    if decision.chosen is None:
        return Field("Nothing is recommended.", mood="open")
    if decision.chosen == decision.today:
        return Field("Keep what you have: no setting that was tried is surely better.", mood="good")
    point = found.points[decision.chosen]
    pairs = ", ".join(f"{path}={as_text(value)}" for path, value in point.items())
    return Field(f"Set {pairs}." if pairs else "Leave the scenario as it stands.", mood="good")


def today_text(found: Advised, labels: Sequence[str]) -> str | None:
    """How much better the recommended setting is than today's, and how sure that is."""
    decision = found.decision
    if decision.chosen is None or decision.against_today is None or decision.today is None:
        return None
    value, low, high = bounds(decision.against_today)
    name = title(decision.terms.objective)
    standing = decision.checked[decision.today].standing
    broken = {
        "infeasible": "Today's setting breaks a limit",
        "undecided": "Of today's setting the limits are undecided",
        "feasible": "Today's setting keeps the limits",
    }[standing]
    if not math.isfinite(value):
        return f"{broken}; too little was seen to compare {name} with it."
    if low <= 1 <= high:
        return (
            f"{broken}; {name} is not told apart from today's: {_percent(value)} of it "
            f"[{_percent(low)}, {_percent(high)}]."
        )
    return f"{broken}; {name} is {_change(value, low, high)} than today's (95 %)."


def _change(value: float, low: float, high: float) -> str:
    """``38 % less [35, 41]``."""
    if value <= 1:
        return f"{_percent(1 - value)} less [{_bare(1 - high)}, {_bare(1 - low)}]"
    return f"{_percent(value - 1)} more [{_bare(low - 1)}, {_bare(high - 1)}]"


def help_text(found: Advised) -> str | None:
    """The change that would help most, or that none would."""
    if not found.worth:
        return None
    name = title(found.decision.terms.objective)
    kept = [w for w in found.worth if all(k.standing != "infeasible" for k in w.limits)]
    level = 1 - 2 * (1 - LEVEL) / len(found.worth)
    sure = [w for w in kept if bounds(w.ratio, level)[2] < 1]
    if not sure:
        return f"None of {len(found.worth)} other changes would surely lessen {name}."
    best = sure[0]
    value, low, high = bounds(best.ratio, level)
    unknown = [k.limit.measure for k in best.limits if k.standing == "undecided"]
    left = f" (whether it keeps {', '.join(unknown)} is open)" if unknown else ""
    return (
        f"What would help most beside that: {best.change.name}, by which {name} is "
        f"{_change(value, low, high)}{left}."
    )


def claim(decision: Decision) -> str:
    """What the procedure promises."""
    terms = decision.terms
    kept = "keeps the limits and " if terms.limits else ""
    among = " that keeps them and is not undecided" if terms.limits else ""
    return (
        f"Asymptotically, with {_percent(1 - terms.error)} probability the recommended setting "
        f"{kept}is within {_percent(terms.indifference)} of the best one tried{among}."
    )


def refusal(decision: Decision, labels: Sequence[str]) -> str:
    """Why nothing is recommended, and how much more it would take; empty if something is."""
    if decision.chosen is not None:
        return ""
    if decision.ended is not None:
        return _unfinished(decision, labels)
    if not decision.undecided:
        limits = " and ".join(map(str, decision.terms.limits))
        return f"No setting that was tried keeps {limits}: try others, or ask for less."
    open_ = decision.undecided
    known = [n for c in open_ if (n := decision.checked[c].needed)]
    text = (
        f"No setting was shown to keep the limits; {len(open_)} of {len(decision.checked)} are "
        "undecided"
    )
    if known:
        text += (
            f". The nearest to a decision takes about {min(known):,} replications (it had "
            f"{max(decision.checked[c].replications for c in open_):,}): --at-most {min(known)}"
        )
    return f"{text}."


def _unfinished(decision: Decision, labels: Sequence[str]) -> str:
    ended = decision.ended
    assert ended is not None, "there was a race"
    if not ended.survivors:
        return (
            f"{title(decision.terms.objective)} cannot be told: too few incidents ended within "
            "the horizon, or there were none."
        )
    # One more takes no more room than saying that there is one.
    shown = NAMED if len(ended.survivors) > NAMED + 1 else NAMED + 1
    names = "; ".join(labels[c] for c in ended.survivors[:shown])
    if len(ended.survivors) > shown:
        names += f"; {len(ended.survivors) - shown} others"
    text = (
        f"After {ended.replications:,} replications the data do not tell which is best of {names}"
    )
    if len(ended.survivors) == 1:
        text = f"{names} alone keeps the limits"
    if ended.few:
        text += f"; with some setting fewer than {ENOUGH} incidents were seen"
    if ended.needed:
        text += f"; about {ended.needed:,} of each might: --at-most {ended.needed}"
    return f"{text}."


def _percent(ratio: float) -> str:
    return f"{_bare(ratio)} %"


def _bare(ratio: float) -> str:
    return f"{100 * ratio:.3g}"
