"""The choice of a backup: who is eligible and passes the filters, and which of them it is."""

from __future__ import annotations

from hasim.model import Status
from hasim.services.failover.failover import Failover
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.known import Known
from hasim.services.failover.lifecycle import WAITING
from hasim.services.failover.selection.filters import MUST_NOT, filtered
from hasim.services.failover.selection.passed_over import passed_over
from hasim.services.failover.selection.selection import eligible, select
from hasim.services.failover.settings import FailoverSettings


class Choice:
    """Chooses by the settings among the masters that are known."""

    def __init__(self, settings: FailoverSettings, known: Known, failovers: Failovers) -> None:
        self._settings, self._known, self._failovers = settings, known, failovers

    def backup_of(
        self,
        failed: str,
        exclude: tuple[str, ...] = (),
        partitions: tuple[str, ...] | None = None,
        *,
        anyway: bool = False,
    ) -> str | None:
        """The backup that would take over from `failed`, or None if nobody is eligible.

        `partitions` are those that are to be moved, by default all that it owns. `anyway`: of the
        filters, only a promotion rule that forbids it counts.
        """
        known, busy = self._known, self._busy() - {failed}
        fit = eligible(known.masters.values(), known.statuses, busy.union(exclude))
        if partitions is None:
            partitions = known.owners.owned(failed)
        unfit = filtered(self._settings, known, failed, fit, partitions)
        if anyway:
            unfit = {name: why for name, why in unfit.items() if why == MUST_NOT}
        candidates = [known.candidate(m, partitions) for m in fit if m.id not in unfit]
        chosen = select(candidates, self._settings.selection)
        return None if chosen is None else chosen.id

    def why_not(self, owner: str, candidate: str, partitions: tuple[str, ...]) -> str:
        """Why a master may not take over from an owner now; empty if it may."""
        known, status = self._known, self._known.statuses[candidate]
        if candidate == owner:
            return "it is the owner"
        if status is not Status.HEALTHY:
            return f"it is {status.value}"
        if candidate in self._busy():
            return "it is failed over itself"
        one = [known.masters[candidate]]
        return filtered(self._settings, known, owner, one, partitions).get(candidate, "")

    def passed_over(self, failover: Failover, chosen: str | None) -> list[tuple[str, str]]:
        """Why it is none of the others, as the audit trail shall tell."""
        known, masters = self._known, self._known.masters.values()
        unfit = filtered(self._settings, known, failover.master, masters, failover.partitions)
        unfit |= dict.fromkeys(self._busy(), "is failed over itself")
        unfit |= dict.fromkeys(failover.tried, "tried") | {failover.master: "the owner"}
        return passed_over(masters, known.statuses, unfit, chosen)

    def _busy(self) -> set[str]:
        """The masters that are failed over themselves, and about to be fenced or to hand over.

        Not those whose switchover waits for a candidate: masters that wait for one another would
        wait for ever.
        """
        moving = (f for f in self._failovers.active if not (f.planned and f.state == WAITING))
        return {failover.master for failover in moving}
