"""Sticky sessions: a session stays with the master that it began at."""

from __future__ import annotations

from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.pickers.least_loaded import lightest
from hasim.services.balancing.pickers.turns import take_turn


def sticky(fleet: Fleet, request: Request) -> int:
    """The session's master as long as it is eligible; a new session goes to the least loaded.

    The table has as many places as `sessions` says, and a key's hash says which is its
    own; two keys in one place share a master. A master that is drained is not eligible: its
    sessions move with their next message, as in Envoy (HAProxy keeps them while it drains).
    A retry may go elsewhere without moving the session. A message without a key goes to the
    least loaded master.
    """
    if not request.has_key:
        return take_turn(fleet, lightest(fleet))
    place = request.hash % fleet.settings.sessions
    master = fleet.counts[place] - 1  # so that zero says that there is no session
    if master >= 0 and fleet.weight[master] > 0.0:
        return master
    index = take_turn(fleet, lightest(fleet))
    if index >= 0 and (master < 0 or not fleet.eligible[master]):
        fleet.counts[place] = index + 1
    return index


def session_home(fleet: Fleet, hash_: int) -> int:
    """The master of a key's session, or -1: there is none, or its master is not eligible."""
    master = int(fleet.counts[hash_ % fleet.settings.sessions]) - 1
    return master if master >= 0 and fleet.eligible[master] else -1
