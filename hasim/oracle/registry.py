"""The invariants by name: those that hasim comes with, and users' own."""

from __future__ import annotations

from hasim.oracle.invariant import Invariant
from hasim.oracle.invariants.acknowledged import ACKNOWLEDGED_KEPT
from hasim.oracle.invariants.alerts import ALERTS_END
from hasim.oracle.invariants.answers import PAIRED
from hasim.oracle.invariants.at_work import SERVICES_AT_WORK
from hasim.oracle.invariants.candidates import FIT_CANDIDATES
from hasim.oracle.invariants.choices import ELIGIBLE_ALONE, RETRIES_ELSEWHERE
from hasim.oracle.invariants.copies import LIVE_SOURCES, WHOLE_COPIES
from hasim.oracle.invariants.ejection import SOMEBODY_LEFT
from hasim.oracle.invariants.epochs import EPOCHS_GROW, EPOCHS_OF_ONE, OWNERS_CONFIRM
from hasim.oracle.invariants.fencing import CONFIRMED_OFF, FENCING_ATTEMPTS
from hasim.oracle.invariants.going_on import GOING_ON
from hasim.oracle.invariants.in_flight import IN_FLIGHT_IS
from hasim.oracle.invariants.leaving import FAILED_ARE_LEFT
from hasim.oracle.invariants.lifecycle import LEGAL_STEPS
from hasim.oracle.invariants.members import MEMBERS_ALONE
from hasim.oracle.invariants.messages import (
    ATTEMPTS_BOUNDED,
    HEDGES_ELSEWHERE,
    MESSAGES_CONSERVED,
)
from hasim.oracle.invariants.power_off import NO_NEEDLESS_POWER_OFF
from hasim.oracle.invariants.primacy import ONE_PRIMARY
from hasim.oracle.invariants.probing import CHECKS_GO_ON
from hasim.oracle.invariants.recovering import OWNER_RECOVERED
from hasim.oracle.invariants.replaying import NO_CLAIRVOYANCE
from hasim.oracle.invariants.restored import RESTORED
from hasim.oracle.invariants.routing import ROUTING_CONVERGES, ROUTING_FOLLOWS, ROUTING_REPEATS
from hasim.oracle.invariants.stale import STALE_TOLD
from hasim.oracle.invariants.terms import TERMS_GROW
from hasim.oracle.invariants.time import TIME_FORWARD
from hasim.oracle.invariants.tried_again import TRIED_AGAIN
from hasim.oracle.invariants.verdicts import VERDICTS_FOLLOW
from hasim.oracle.invariants.writes import WRITES_CONSERVED
from hasim.settings.registry import Named

_SHIPPED = (
    *(ONE_PRIMARY, NO_NEEDLESS_POWER_OFF, RESTORED, WRITES_CONSERVED, MESSAGES_CONSERVED),
    ACKNOWLEDGED_KEPT,
    *(FIT_CANDIDATES, EPOCHS_GROW, EPOCHS_OF_ONE, OWNERS_CONFIRM, STALE_TOLD),
    *(WHOLE_COPIES, LIVE_SOURCES, CONFIRMED_OFF, FENCING_ATTEMPTS),
    *(LEGAL_STEPS, GOING_ON, TRIED_AGAIN, FAILED_ARE_LEFT, OWNER_RECOVERED, PAIRED, TERMS_GROW),
    *(VERDICTS_FOLLOW, CHECKS_GO_ON, MEMBERS_ALONE),
    *(ROUTING_FOLLOWS, ROUTING_CONVERGES, ROUTING_REPEATS, ELIGIBLE_ALONE, SOMEBODY_LEFT),
    *(RETRIES_ELSEWHERE, HEDGES_ELSEWHERE, ATTEMPTS_BOUNDED, IN_FLIGHT_IS),
    *(ALERTS_END, SERVICES_AT_WORK, TIME_FORWARD, NO_CLAIRVOYANCE),
)
INVARIANTS: Named[Invariant] = Named("an invariant", {own.name: own for own in _SHIPPED})
"""By name; ``INVARIANTS.register(own.name, own)`` adds one of a user's own."""
