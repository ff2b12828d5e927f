"""The lifecycle of a failover, as one table.

Read a row as: in this state, this trigger leads to that state. What is not in
the table is illegal: it raises `IllegalTransitionError` and changes nothing. The
table leaves out which backup is concerned and how often a step was tried;
that is the business of the orchestrator.
"""

from __future__ import annotations

DECLARED = "declared"
FENCING = "fencing"
SELECTING = "selecting"
TRANSFERRING = "transferring"
PROMOTING = "promoting"
REDIRECTING = "redirecting"
ROLLING_BACK = "rolling-back"
WAITING = "waiting"
COMPLETED = "completed"
CANCELLED = "cancelled"
FAILED = "failed"

LIFECYCLE: dict[str, dict[str, str]] = {
    "": {"declare": DECLARED},
    DECLARED: {"fence": FENCING, "no-fencing": SELECTING},
    FENCING: {
        "fenced": SELECTING,
        "one-fenced": FENCING,  # another master may still accept writes
        "not-fenced": FENCING,
        "give-up": FAILED,
        "superseded": CANCELLED,
    },
    SELECTING: {"selected": TRANSFERRING, "no-candidate": WAITING},
    # Superseded: another control plane has moved its partitions meanwhile.
    TRANSFERRING: {
        "superseded": CANCELLED,
        "transferred": PROMOTING,
        "torn": ROLLING_BACK,
        "refused": ROLLING_BACK,
        "timed-out": ROLLING_BACK,
        "candidate-failed": ROLLING_BACK,
        "operator": ROLLING_BACK,
    },
    PROMOTING: {
        "superseded": CANCELLED,
        "promoted": REDIRECTING,
        "refused": ROLLING_BACK,
        "timed-out": ROLLING_BACK,
        "candidate-failed": ROLLING_BACK,
        "operator": ROLLING_BACK,
    },
    # A demotion that nobody confirms leaves a master that may accept writes:
    # it is fenced before the next candidate gets its turn.
    ROLLING_BACK: {"rolled-back": SELECTING, "unconfirmed": FENCING, "superseded": CANCELLED},
    WAITING: {
        "candidate-appeared": SELECTING,
        "owner-recovered": CANCELLED,
        "superseded": CANCELLED,
    },
    REDIRECTING: {"redirected": COMPLETED, "timed-out": COMPLETED, "superseded": CANCELLED},
    COMPLETED: {},
    CANCELLED: {},
    FAILED: {},
}
TERMINAL = frozenset(state for state, row in LIFECYCLE.items() if not row)


class IllegalTransitionError(ValueError):
    """A trigger that the lifecycle does not allow in this state."""


def advance(state: str, trigger: str) -> str:
    """The state after `trigger`. Raises IllegalTransitionError, naming what would be legal."""
    try:
        return LIFECYCLE[state][trigger]
    except KeyError:
        legal = ", ".join(LIFECYCLE.get(state, {})) or "nothing"
        raise IllegalTransitionError(
            f"a failover that is {state!r} cannot take {trigger!r}; legal: {legal}"
        ) from None
