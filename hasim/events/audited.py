"""The audit record of a failover: who was tried or passed over and why, what took how long."""

from __future__ import annotations

from hasim.record import record


@record
class PassedOver:
    """Masters that were not chosen to take over, for one reason."""

    reason: str
    masters: tuple[str, ...]


@record
class Attempt:
    """One candidate of a failover, chosen at `t_ns`, and those that were not.

    `candidate` is empty where nobody could be chosen. `ended` is the trigger of the lifecycle by
    which it was left (``promoted``: it took over), `reason` says why.
    """

    t_ns: int
    candidate: str
    passed_over: tuple[PassedOver, ...]
    ended: str
    reason: str


@record
class Phase:
    """A state of the lifecycle, from when to when a failover was in it, and what led on."""

    state: str
    begun_ns: int
    ended_ns: int
    trigger: str
    reason: str


@record
class FailoverConcluded:
    """A failover has ended: all that is to be known of it, for whoever looks it up later.

    `reason`: why it was begun. `outcome`: the state in which it ended, and `why`. `owner`: who
    took over, or nobody. `attempts` and `phases` are in the order of time.
    """

    failover: int
    master: str
    partitions: tuple[str, ...]
    planned: bool
    reason: str
    begun_ns: int
    ended_ns: int
    outcome: str
    why: str
    owner: str
    attempts: tuple[Attempt, ...]
    phases: tuple[Phase, ...]
