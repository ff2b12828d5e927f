"""The lifecycle of a failover, as one table.

Read a row as: in this state, this trigger leads to that state. What is not in
the table is illegal: it raises `IllegalTransitionError` and changes nothing. The
table leaves out which backup is concerned and how often a step was tried;
that is the business of the orchestrator.

From every state before the promotion is known, a way leads to `CANCELLED`: the owner is healthy
again, or somebody calls the failover off. Where something was ordered, that is taken back first.
"""

from __future__ import annotations

DECLARED = "declared"
HELD = "held"
FENCING = "fencing"
ABORTING = "aborting"
SELECTING = "selecting"
CATCHING_UP = "catching-up"
HANDING_OVER = "handing-over"
TRANSFERRING = "transferring"
PROMOTING = "promoting"
ROLLING_BACK = "rolling-back"
WAITING = "waiting"
REDIRECTING = "redirecting"
VERIFYING = "verifying"
COMPLETED = "completed"
CANCELLED = "cancelled"
FAILED = "failed"

_TAKEN_BACK = dict.fromkeys(("refused", "timed-out", "candidate-failed", "operator"), ROLLING_BACK)
_NOT_WHOLE = dict.fromkeys(("torn", "lagging"), ROLLING_BACK)

LIFECYCLE: dict[str, dict[str, str]] = {
    "": {"declare": DECLARED},
    DECLARED: {
        "hold": HELD,
        "block": HELD,  # anti-flapping: a failover of the same partition has just ended
        "fence": FENCING,
        "no-fencing": SELECTING,
        "planned": SELECTING,
    },
    # Declared, and not yet begun: the policy waits, or forbids it for a while.
    HELD: {"released": DECLARED, "owner-recovered": CANCELLED, "called-off": CANCELLED},
    FENCING: {
        "fenced": SELECTING,
        "one-fenced": FENCING,  # another master may still accept writes
        "not-fenced": FENCING,
        "unfenced": SELECTING,  # where an effort is enough
        "recall": ABORTING,  # the owner is healthy again: it must not be powered off
        "owner-recovered": CANCELLED,  # nothing is under way at the device
        "called-off": CANCELLED,
        "give-up": FAILED,
        "superseded": CANCELLED,
    },
    # The order to power off was taken back; the device says whether in time.
    ABORTING: {
        "recalled": CANCELLED,
        "timed-out": CANCELLED,
        "fenced": SELECTING,
        "one-fenced": FENCING,
        "owner-failed": FENCING,
    },
    SELECTING: {
        "selected": TRANSFERRING,
        "catch-up": CATCHING_UP,
        "no-candidate": WAITING,
        "owner-recovered": CANCELLED,
        "called-off": CANCELLED,
        "give-up": FAILED,
    },
    # A planned switchover: the candidate fetches what it lacks while the owner goes on serving,
    # then the owner stops accepting writes, and the candidate fetches the rest.
    CATCHING_UP: {
        "caught-up": HANDING_OVER,
        "torn": ROLLING_BACK,
        **_TAKEN_BACK,
        "owner-failed": DECLARED,
    },
    HANDING_OVER: {
        "handed-over": TRANSFERRING,
        "told-again": HANDING_OVER,
        "owner-failed": DECLARED,
        "give-back": TRANSFERRING,  # nobody knows whether it has stopped: it shall go on
        "candidate-failed": ROLLING_BACK,
        "called-off": TRANSFERRING,  # to the owner itself, likewise
    },
    TRANSFERRING: {
        "transferred": PROMOTING,
        **_NOT_WHOLE,
        **_TAKEN_BACK,
        "owner-recovered": ROLLING_BACK,
    },
    PROMOTING: {"promoted": REDIRECTING, **_TAKEN_BACK, "owner-recovered": ROLLING_BACK},
    # A demotion that nobody confirms leaves a master that may accept writes:
    # it is fenced before the next candidate gets its turn.
    ROLLING_BACK: {
        "rolled-back": SELECTING,
        "owner-recovered": CANCELLED,
        "told-again": ROLLING_BACK,
        "unconfirmed": FENCING,
        "give-up": FAILED,
    },
    WAITING: {
        "candidate-appeared": SELECTING,
        "give-up": FAILED,
        "owner-recovered": CANCELLED,
        "owner-failed": DECLARED,
        "called-off": CANCELLED,
    },
    REDIRECTING: {
        "redirected": VERIFYING,
        "timed-out": VERIFYING,
        "not-verified": COMPLETED,  # the new owner is failed over itself already
    },
    VERIFYING: {"verified": COMPLETED, "not-verified": COMPLETED, "timed-out": COMPLETED},
    COMPLETED: {},
    CANCELLED: {},
    FAILED: {},
}
for _state, _row in LIFECYCLE.items():
    if _row and _state not in ("", DECLARED, SELECTING):  # where a failover stays
        _row["superseded"] = CANCELLED  # another control plane has moved its partitions meanwhile
TERMINAL = frozenset(state for state, row in LIFECYCLE.items() if not row)
PROMOTED = frozenset({REDIRECTING, VERIFYING, COMPLETED})
"""Somebody else accepts the writes: there is no way back."""


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


def check_takes_back(state: str) -> None:
    """Raises IllegalTransitionError if in this state nothing can be called off or taken back."""
    if "called-off" not in LIFECYCLE[state]:
        advance(state, "operator")
