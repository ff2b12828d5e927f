"""Each state of a failover, interrupted in every way: what must come of it, cell by cell.

What is expected is said here by the rules of the lifecycle and the times of the settings, not taken
from what came out; the page of the documentation is then compared line by line.
"""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from hasim.hunt.interruptions import FENCINGS, KINDS, SITUATIONS, Cell, cells
from hasim.services.failover.lifecycle import LIFECYCLE
from hasim.services.failover.registry import FENCINGS as SHIPPED
from hasim.units import MILLISECOND, SECOND

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "interruptions.md"
RTT_NS = 20 * MILLISECOND
MODES = [
    "none",
    "token",
    *(
        pytest.param(mode, marks=pytest.mark.slow)
        for mode in ("best-effort", "confirmed", "lease", "step-down", "manual")
    ),
]
Where = tuple[str, str]

EARLY = ("declared", "held", "fencing")
"""Nothing has been done to the owner that could not be taken back."""
CHOSEN = ("selecting", "transferring", "promoting", "rolling-back")
MOVED = ("redirecting", "verifying", "completed")
KEEPS = ("aborting", "cancelled")
"""The owner is back in time, whatever comes after, unless it dies itself."""
LAPSES = ("lease", "step-down")
"""An owner that does not hear of the control plane stops by itself."""


@functools.cache
def table(mode: str) -> dict[Where, Cell]:
    """All cells of a way of fencing."""
    return {(cell.state, cell.interruption): cell for cell in cells(mode)}


def owners(mode: str, state: str, kind: str) -> set[str]:
    """Who may own in the end; more than one where it hangs on who is heard of first."""
    usual = "a" if state in KEEPS else "c" if state == "rolling-back" else "b"
    either = {"b", "c"} if state in ("waiting", "failed") else {usual}
    if mode == "manual" and (kind, state) in UNSAID:
        return UNSAID[kind, state]
    match kind:
        case "control plane forgets":
            return _forgotten(mode, state) or either
        case "source killed" if state in KEEPS:
            return {"b"}
        case "target killed":
            return {"a"} if state in KEEPS else {"c"}
        case "owner back":
            return _returned(mode, state, either)
        case "answer lost" if state in (*CHOSEN, "catching-up"):
            return {"c"}  # the candidate is given up, and the next one has its turn
        case "answer lost" if state == "declared" and mode in ("none", "token"):
            return {"c"}  # found while the state is transferred
        case _:
            return either


UNSAID: dict[Where, set[str]] = {
    **{("control plane forgets", s): {"a"} for s in CHOSEN if s != "promoting"},
    **{("control plane forgets", s): {"a"} for s in ("waiting", "failed")},
    **{("target killed", state): {"b"} for state in MOVED},
    **{("target killed", state): {"a"} for state in ("promoting", "rolling-back")},
    **{("source killed", s): {"a"} for s in ("catching-up", "handing-over", "cancelled")},
}
"""By hand: who owns where nobody says, or remembers, that whoever accepted writes is off.

It is waited for, until it is back; the candidate that was not heard of then stops.
"""


def _forgotten(mode: str, state: str) -> set[str]:
    """Nobody remembers the order to hand over; who was promoted meanwhile is found at work."""
    if state in ("catching-up", "handing-over"):
        return {"a"}
    if state == "rolling-back":
        return {"b"}
    # With a lease, the one just promoted may lose it while nobody renews it.
    return {"b", "c"} if mode in LAPSES and state in MOVED else set()


def _returned(mode: str, state: str, usual: set[str]) -> set[str]:
    """It stays the owner as long as it accepts writes, and nobody else was told to."""
    if mode in LAPSES and state == "held":
        return {"b"}  # its lease is over by then: it is a standby
    if state in EARLY:
        return {"a"}
    if state in (*CHOSEN, "waiting", "failed"):
        if mode == "none":
            return {"a"}
        if mode == "token" and state not in ("promoting", "rolling-back"):
            return {"a"}  # else a newer token may have deposed it
    if mode in LAPSES and state in ("waiting", "failed"):
        return {"a", "b", "c"}
    return usual


@pytest.mark.parametrize("mode", MODES)
def test_whoever_must_own_in_the_end_does(mode: str) -> None:
    wrong = [
        f"{state}, {kind}: {cell.owner}, expected one of {sorted(owners(mode, state, kind))}"
        for (state, kind), cell in table(mode).items()
        if len(cell.owner) != 1 or cell.owner[0] not in owners(mode, state, kind)
    ]
    assert wrong == []


@pytest.mark.parametrize("mode", MODES)
def test_no_cell_breaks_an_invariant_or_stays_down(mode: str) -> None:
    assert [cell for cell in table(mode).values() if cell.broken] == []
    # All is well again at 60 s at the latest; what begins then takes its timeouts.
    assert [cell for cell in table(mode).values() if cell.served_ns > 50 * SECOND] == []
    # By hand, an owner that is plugged in again accepts writes until its first check passes.
    most_ns = 2 * SECOND if mode == "manual" else 0
    if mode not in ("none", "best-effort"):
        assert [cell for cell in table(mode).values() if cell.dual_ns > most_ns] == []


@pytest.mark.parametrize("mode", MODES)
def test_every_failover_ends_or_was_forgotten(mode: str) -> None:
    ends = {end.split()[0] for cell in table(mode).values() for end in cell.outcome}
    ends -= {"a", "b", "c"}  # rolled back
    assert ends <= {"completed", "cancelled", "failed", "forgotten"}
    for (_, kind), cell in table(mode).items():
        assert ("forgotten" not in cell.outcome) or kind == "control plane forgets"


@pytest.mark.parametrize("mode", MODES)
def test_an_answer_that_comes_again_changes_nothing(mode: str) -> None:
    found = table(mode)
    twice = [state for state, kind in found if kind == "answer twice"]
    assert len(twice) >= 6
    for state in twice:
        usual, again = found[state, "nothing"], found[state, "answer twice"]
        assert (again.outcome, again.owner) == (usual.outcome, usual.owner)
        assert (again.dual_ns, again.down_ns, again.served_ns) == (
            *(usual.dual_ns, usual.down_ns, usual.served_ns),
        )


@pytest.mark.parametrize("mode", MODES)
def test_a_lost_answer_costs_the_timeout_of_its_state(mode: str) -> None:
    found = table(mode)
    # The next candidate has the newest state itself, and needs no round trip to fetch it. Where
    # the owner has stopped long ago, the first one lacks nothing either.
    waits = {
        "catching-up": 10 * SECOND,
        "transferring": 10 * SECOND - (mode not in (*LAPSES, "manual")) * RTT_NS,
        "handing-over": SECOND,  # it is told again
        "rolling-back": SECOND,
        "promoting": 3 * SECOND + 2 * RTT_NS,  # the demotion, and the next one's transfer
        "redirecting": 0,  # the gateway has its table, whether or not that is heard
    }
    if mode == "confirmed":
        waits["fencing"] = 5 * SECOND  # until the next order, which takes as long as the first
    if mode == "best-effort":
        waits["fencing"] = 5 * SECOND - 2 * SECOND  # one order is enough
    if mode in (*LAPSES, "manual"):
        waits["fencing"] = 0  # no answer is waited for
    for state, expected_ns in waits.items():
        lost, usual = found[state, "answer lost"], found[state, "nothing"]
        assert lost.served_ns - usual.served_ns == pytest.approx(
            expected_ns, abs=2 * MILLISECOND
        ), state


@pytest.mark.parametrize("mode", MODES)
def test_a_gateway_that_is_away_for_two_seconds_costs_no_more_than_those(mode: str) -> None:
    found = table(mode)
    for state in SITUATIONS:
        if (state, "gateway restarted") not in found:
            continue
        usual, away = found[state, "nothing"], found[state, "gateway restarted"]
        assert away.outcome == usual.outcome
        # Nobody serves before its start; a table that it has missed is sent at its hello.
        assert away.served_ns - max(usual.served_ns, 2 * SECOND) in range(0, 10 * MILLISECOND)


@pytest.mark.parametrize("mode", MODES)
def test_the_page_of_the_documentation_has_these_lines(mode: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    part = text.partition(f"## Fencing: {mode}")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")][1:]
    assert lines == [cell.row for cell in table(mode).values()]


def test_every_state_and_every_way_of_fencing_is_there() -> None:
    assert [state for state in LIFECYCLE if state] == list(SITUATIONS)
    assert set(FENCINGS) <= set(SHIPPED.shipped)
    told = PAGE.read_text(encoding="utf-8")
    assert [mode for mode in FENCINGS if f"## Fencing: {mode}" not in told] == []
    assert [kind for kind in KINDS if kind != "nothing" and kind.split()[-1] not in told] == []
