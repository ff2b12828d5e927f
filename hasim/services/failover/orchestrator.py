"""The failover orchestrator: fence, transfer, promote, redirect; roll back."""

from __future__ import annotations

from typing import Any, ClassVar

from hasim.events import (
    Demote,
    DemoteResult,
    DiscardTransfer,
    Event,
    FailoverChanged,
    Fence,
    FenceResult,
    Input,
    Output,
    OwnerChanged,
    Promote,
    PromoteResult,
    RemoveMaster,
    RoutingConverged,
    StatusChanged,
    TransferResult,
    TransferState,
    WakeUp,
)
from hasim.model import Cause, Cluster, Status
from hasim.services.failover import lifecycle
from hasim.services.failover.failover import AuditEntry, Failover
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.owners import Owners
from hasim.services.failover.selection import select
from hasim.services.failover.settings import FailoverSettings
from hasim.services.failover.transfer import torn_because
from hasim.services.failover.writers import Writers
from hasim.services.frozen import freeze, thaw


class FailoverOrchestrator:
    """Moves the partitions of a master that was declared failed to a backup.

    One failover per failed master at a time; the next candidate after a torn
    transfer or a refused promotion belongs to the same failover. With confirmed
    fencing nothing is promoted before every master that may accept writes for a
    partition (its owner, and whoever was told to promote itself and neither refused
    nor confirmed a demotion) is known to be off.
    """

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset(
        {FenceResult, TransferResult, PromoteResult, DemoteResult, RemoveMaster, WakeUp}
    )

    def __init__(self, settings: FailoverSettings, cluster: Cluster) -> None:
        self.settings = settings
        self._masters = {master.id: master for master in cluster.masters}
        self._statuses = dict.fromkeys(self._masters, Status.UNKNOWN)
        self._owners = Owners({p.id: p.owner for p in cluster.partitions})
        self._epochs = {p.id: 1 for p in cluster.partitions}
        self._writers = Writers.at_start(cluster.partitions)
        # By master: until when the answer to a power-off under way is awaited.
        self._fence_due_ns: dict[str, int] = {}
        # By master that came back: when to tell it once more to step down.
        self._demote_ns: dict[str, int] = {}
        self._retry_ns: dict[str, int] = {}
        self._failovers = Failovers()
        self._audit: list[AuditEntry] = []

    # -- asking ----------------------------------------------------------------

    def select_backup_master(self, failed: str, exclude: tuple[str, ...] = ()) -> str | None:
        """The backup that would take over from `failed`, or None if nobody is eligible.

        Eligible: declared healthy, not in `exclude`, not itself being failed over.
        """
        busy = {f.master for f in self.get_active_failovers() if f.master != failed}
        candidates = [
            master
            for master in self._masters.values()
            if self._statuses[master.id] is Status.HEALTHY
            and master.id not in exclude
            and master.id not in busy
        ]
        chosen = select(candidates, self.settings.selection, self._owners.counts())
        return None if chosen is None else chosen.id

    def get_active_failovers(self) -> list[Failover]:
        """The failovers that have not ended, oldest first."""
        return list(self._failovers.active)

    def get_failover_history(self) -> list[AuditEntry]:
        """The audit trail of every step, oldest first; it only grows."""
        return list(self._audit)

    def owner_of(self, partition: str) -> str:
        """The owner that the orchestrator last confirmed. KeyError for an unknown partition."""
        return self._owners.of(partition)

    def next_wakeup(self) -> int | None:
        """The earliest deadline of a step, or time of a retry (nanoseconds)."""
        if not (self._failovers.active or self._retry_ns or self._demote_ns):
            return None
        times = [f.deadline_ns for f in self.get_active_failovers() if f.deadline_ns is not None]
        return min([*times, *self._retry_ns.values(), *self._demote_ns.values()], default=None)

    def healthy(self) -> bool:
        """Whether this service itself is at work: it keeps no failover without a way on."""
        return all(f.deadline_ns is not None for f in self.get_active_failovers())

    # -- acting ----------------------------------------------------------------

    def execute_failover(self, now: int, master: str, reason: str = "operator") -> list[Output]:
        """Start to move the partitions of `master`.

        Nothing happens if it owns none or is being failed over already.
        Raises KeyError for an unknown master.
        """
        if master not in self._masters:
            raise KeyError(f"unknown master {master!r}; known: {', '.join(self._masters)}")
        partitions = self._owners.owned(master)
        if not partitions or any(f.master == master for f in self.get_active_failovers()):
            return []
        self._retry_ns.pop(master, None)
        failover = self._failovers.start(now, master, partitions)
        out = self.update_failover_status(now, failover, "declare", reason)
        dangerous = self._to_fence(failover)
        if not dangerous:
            none = self.settings.fencing.mode == "none"
            why = "fencing mode is none" if none else f"{master} is off or a standby already"
            out += self.update_failover_status(now, failover, "no-fencing", why)
            return out + self._select(now, failover)
        out += self.update_failover_status(now, failover, "fence", f"power off {dangerous[0]}")
        return out + self._fence(now, failover, dangerous[0])

    def rollback_failover(self, now: int, failover_id: int, reason: str) -> list[Output]:
        """Take back a transfer or promotion under way and try the next candidate.

        Raises KeyError for an unknown failover and IllegalTransitionError in a state
        in which there is nothing to take back.
        """
        return self._roll_back(now, self._failovers.get(failover_id), "operator", reason)

    def transfer_state(self, now: int, failover: Failover) -> list[Output]:
        """Order the transfer of all partitions to the candidate, from whoever may hold a copy."""
        failover.deadline_ns = now + self.settings.transfer_timeout_ns
        sources = tuple(
            master
            for master, status in self._statuses.items()
            if master not in (failover.candidate, failover.master) and status is not Status.FAILED
        )
        return [TransferState(failover.id, failover.partitions, failover.candidate, sources)]

    def update_failover_status(
        self, now: int, failover: Failover, trigger: str, reason: str
    ) -> list[Output]:
        """Take one step of the lifecycle; an illegal one raises and changes nothing."""
        old, new = failover.state, lifecycle.advance(failover.state, trigger)
        failover.state = new
        failover.deadline_ns = None
        if not failover.active:
            failover.ended_ns = now
            self._failovers.end(failover)
        self.log_failover_attempt(now, failover, old, trigger, reason)
        changed = FailoverChanged(
            failover.id,
            failover.master,
            failover.partitions,
            old,
            new,
            trigger,
            failover.candidate,
            reason,
        )
        return [changed]

    def log_failover_attempt(
        self, now: int, failover: Failover, old: str, trigger: str, reason: str
    ) -> None:
        """Append one line to the audit trail."""
        entry = AuditEntry(
            now, failover.id, old, failover.state, trigger, failover.candidate, reason
        )
        self._audit.append(entry)

    def handle_failover_event(self, now: int, event: Event) -> list[Output]:
        """Take an event of another service: verdicts on masters, routing that has converged."""
        match event:
            case StatusChanged():
                self._statuses[event.master] = event.new
                return self._on_status(now, event)
            case RoutingConverged():
                redirecting = [
                    f for f in self.get_active_failovers() if f.state == lifecycle.REDIRECTING
                ]
                return [
                    out
                    for failover in redirecting
                    for out in self.update_failover_status(
                        now, failover, "redirected", f"every gateway has routing {event.version}"
                    )
                ]
            case _:
                return []

    def step(self, now: int, item: Input) -> list[Output]:
        """Take one input at `now` (nanoseconds)."""
        match item:
            case FenceResult():
                return self._on_fence_result(now, item)
            case TransferResult():
                return self._on_transfer_result(now, item)
            case PromoteResult():
                return self._on_promote_result(now, item)
            case DemoteResult():
                return self._on_demote_result(now, item)
            case RemoveMaster():
                return self.execute_failover(now, item.master, "operator: removed")
            case WakeUp():
                return self._on_wakeup(now)
            case _:
                return []

    # -- freezing --------------------------------------------------------------

    def freeze(self) -> dict[str, Any]:
        """The whole state as plain data (JSON), from which `restore` goes on."""
        return {
            "statuses": freeze(self._statuses),
            "owners": freeze(self._owners.by_partition),
            "epochs": freeze(self._epochs),
            "writers": freeze(self._writers),
            "fence_due_ns": freeze(self._fence_due_ns),
            "demote_ns": freeze(self._demote_ns),
            "retry_ns": freeze(self._retry_ns),
            "failovers": freeze(self._failovers.known),
            "audit": freeze(self._audit),
        }

    @classmethod
    def restore(
        cls, settings: FailoverSettings, cluster: Cluster, data: dict[str, Any]
    ) -> FailoverOrchestrator:
        """The orchestrator that `freeze` was called on, in the middle of whatever it did."""
        service = cls(settings, cluster)
        service._statuses = thaw(dict[str, Status], data["statuses"])
        service._owners = Owners(thaw(dict[str, str], data["owners"]))
        service._epochs = thaw(dict[str, int], data["epochs"])
        service._writers = thaw(Writers, data["writers"])
        service._fence_due_ns = thaw(dict[str, int], data["fence_due_ns"])
        service._demote_ns = thaw(dict[str, int], data["demote_ns"])
        service._retry_ns = thaw(dict[str, int], data["retry_ns"])
        service._failovers = Failovers(thaw(list[Failover], data["failovers"]))
        service._audit = thaw(list[AuditEntry], data["audit"])
        return service

    # -- events and results --------------------------------------------------------

    def _on_status(self, now: int, event: StatusChanged) -> list[Output]:
        if event.new is Status.FAILED:
            out = self.execute_failover(now, event.master, f"declared failed: {event.reason}")
            for failover in self.get_active_failovers():
                if failover.candidate == event.master and failover.state in (
                    lifecycle.TRANSFERRING,
                    lifecycle.PROMOTING,
                ):
                    out += self._roll_back(now, failover, "candidate-failed", event.reason)
            return out
        if event.new is not Status.HEALTHY:
            return []
        if event.master in self._retry_ns and self._still_owns(event.master):
            del self._retry_ns[event.master]  # else it came back as a standby
        out = self._demote_returned(now, event.master)
        for failover in self.get_active_failovers():
            if failover.state == lifecycle.WAITING:
                out += self._wait_over(now, failover, event.master)
        return out

    def _wait_over(self, now: int, failover: Failover, healthy: str) -> list[Output]:
        if healthy == failover.master and self._still_owns(healthy):
            return self.update_failover_status(
                now, failover, "owner-recovered", f"{healthy} is healthy again and still owns"
            )
        failover.tried.clear()
        out = self.update_failover_status(
            now, failover, "candidate-appeared", f"{healthy} is healthy"
        )
        return out + self._select(now, failover)

    def _demote_returned(self, now: int, master: str) -> list[Output]:
        """Without fencing an old owner may come back and still accept writes: tell it.

        Again and again, since packets get lost, until it confirms or is no longer healthy.
        """
        orders: list[Output] = [
            Demote(f.id, f.partitions, master, f.epoch)
            for f in self._failovers.completed(master)
            if any(
                self._writers.accepts(master, p) and self._owners.of(p) != master
                for p in f.partitions
            )
        ]
        if orders:
            self._demote_ns[master] = now + self.settings.demote_timeout_ns
        return orders

    def _on_fence_result(self, now: int, result: FenceResult) -> list[Output]:
        fencing = [f for f in self.get_active_failovers() if f.fencing == result.master]
        self._fence_due_ns.pop(result.master, None)
        if not result.confirmed:
            failure = "the fencing device reports failure"
            return [out for f in fencing for out in self._fence_again(now, f, failure)]
        self._writers.powered_off(result.master)
        out = self._interrupted(now, result.master)
        for failover in fencing:
            out += self._fenced(now, failover, result)
        # It may have been fenced as a candidate, or by an order that came late, and own something.
        return out + self.execute_failover(now, result.master, "powered off: a standby now")

    def _interrupted(self, now: int, master: str) -> list[Output]:
        """`master` is off: what it was to do as a candidate is lost, and nothing is promoted."""
        out: list[Output] = []
        for failover in self.get_active_failovers():
            if failover.candidate != master:
                continue
            reason = f"{master} was powered off"
            if failover.state == lifecycle.ROLLING_BACK:
                out += self._rolled_back(now, failover, reason)
            elif failover.state in (lifecycle.TRANSFERRING, lifecycle.PROMOTING):
                failover.promotion_sent = False
                out += self._roll_back(now, failover, "candidate-failed", reason)
        return out

    def _fenced(self, now: int, failover: Failover, result: FenceResult) -> list[Output]:
        failover.fencing, failover.fence_orders = "", 0
        if result.master not in failover.tried:
            failover.tried.append(result.master)  # it is off, whatever its status still says
        reason, left = f"{result.master} is off", self._to_fence(failover)
        if left:
            out = self.update_failover_status(now, failover, "one-fenced", reason)
            return out + self._fence(now, failover, left[0])
        out = self.update_failover_status(now, failover, "fenced", reason)
        return out + self._select(now, failover)

    def _on_transfer_result(self, now: int, result: TransferResult) -> list[Output]:
        failover = self._failovers.in_state(result.failover, lifecycle.TRANSFERRING)
        if failover is None or failover.candidate != result.target:
            return []
        if result.cause is not Cause.OK:
            return self._roll_back(now, failover, "refused", f"transfer: {result.cause}")
        torn = torn_because(result.copies, failover.partitions)
        if torn:
            return self._roll_back(now, failover, "torn", torn)
        held = ", ".join(f"{c.partition} at write {c.position}" for c in result.copies)
        out = self.update_failover_status(now, failover, "transferred", f"verified: {held}")
        return out + self._promote(now, failover)

    def _on_promote_result(self, now: int, result: PromoteResult) -> list[Output]:
        failover = self._failovers.in_state(result.failover, lifecycle.PROMOTING)
        if failover is None or (failover.candidate, failover.epoch) != (
            result.target,
            result.epoch,
        ):
            return []  # of an earlier promotion
        if result.cause is not Cause.OK:
            # A refusal says that nothing was promoted; a connection that broke says nothing.
            failover.promotion_sent = result.cause is Cause.RESET
            if not failover.promotion_sent:
                self._writers.stopped(result.target, failover.partitions, failover.epoch + 1)
            return self._roll_back(now, failover, "refused", f"promotion: {result.cause}")
        out = self.update_failover_status(
            now, failover, "promoted", f"{failover.candidate} accepts writes"
        )
        failover.deadline_ns = now + self.settings.redirect_timeout_ns
        for partition in failover.partitions:
            self._owners.change(partition, failover.candidate)
            out.append(OwnerChanged(partition, failover.candidate, failover.epoch, failover.id))
        return out

    def _on_demote_result(self, now: int, result: DemoteResult) -> list[Output]:
        if result.cause is Cause.OK:
            told = self._failovers.get(result.failover)
            self._writers.stopped(result.target, told.partitions, result.epoch)
        failover = self._failovers.in_state(result.failover, lifecycle.ROLLING_BACK)
        if failover is None or (failover.candidate, failover.epoch + 1) != (
            result.target,
            result.epoch,
        ):
            return []  # of an earlier demotion
        if result.cause is Cause.OK:
            return self._rolled_back(now, failover, f"{result.target} confirms its demotion")
        return self._unconfirmed(now, failover, f"demotion: {result.cause}")

    def _on_wakeup(self, now: int) -> list[Output]:
        out: list[Output] = []
        for failover in self.get_active_failovers():
            if failover.deadline_ns is not None and now >= failover.deadline_ns:
                out += self._timed_out(now, failover)
        for master in [m for m, t in self._retry_ns.items() if now >= t]:
            del self._retry_ns[master]
            out += self.execute_failover(now, master, "retry: still failed")
        for master in [m for m, t in self._demote_ns.items() if now >= t]:
            del self._demote_ns[master]
            if self._statuses[master] is Status.HEALTHY:
                out += self._demote_returned(now, master)
        return out

    def _timed_out(self, now: int, failover: Failover) -> list[Output]:
        match failover.state:
            case lifecycle.FENCING:
                return self._fence_again(now, failover, "no answer from the fencing device")
            case lifecycle.TRANSFERRING | lifecycle.PROMOTING:
                return self._roll_back(now, failover, "timed-out", f"{failover.state}: no answer")
            case lifecycle.ROLLING_BACK:
                return self._unconfirmed(now, failover, "demotion: no answer")
            case lifecycle.REDIRECTING:
                return self.update_failover_status(
                    now, failover, "timed-out", "a gateway has not acknowledged the routing"
                )
            case _:  # waiting: look again
                return self._look_again(now, failover)

    # -- steps ---------------------------------------------------------------------

    def _fence(self, now: int, failover: Failover, master: str) -> list[Output]:
        """Order a power-off, unless one of the same master is under way for another failover."""
        failover.fencing = master
        failover.fence_orders += 1
        if now < self._fence_due_ns.get(master, now):
            failover.deadline_ns = self._fence_due_ns[master]
            return []
        failover.deadline_ns = now + self.settings.fencing.timeout_ns
        self._fence_due_ns[master] = failover.deadline_ns
        return [Fence(failover.id, master)]

    def _fence_again(self, now: int, failover: Failover, reason: str) -> list[Output]:
        if failover.fence_orders >= self.settings.fencing.attempts:
            self._retry_ns[failover.master] = now + self.settings.retry_interval_ns
            failover.fencing = ""
            return self.update_failover_status(
                now, failover, "give-up", f"{failover.fence_orders} fencing orders failed"
            )
        out = self.update_failover_status(now, failover, "not-fenced", reason)
        return out + self._fence(now, failover, failover.fencing)

    def _select(self, now: int, failover: Failover) -> list[Output]:
        chosen = self.select_backup_master(failover.master, tuple(failover.tried))
        if chosen is None:
            failover.candidate = ""
            reason = "no eligible backup"
            if failover.tried:
                reason += f" besides {', '.join(failover.tried)}, which failed"
            out = self.update_failover_status(now, failover, "no-candidate", reason)
            failover.deadline_ns = now + self.settings.retry_interval_ns
            return out
        failover.candidate = chosen
        failover.tried.append(chosen)
        rules = ", ".join(self.settings.selection)
        out = self.update_failover_status(now, failover, "selected", f"{chosen} by {rules}")
        return out + self.transfer_state(now, failover)

    def _look_again(self, now: int, failover: Failover) -> list[Output]:
        """Waiting goes on until somebody is eligible; those that failed get another chance."""
        chosen = self.select_backup_master(failover.master)
        if chosen is None:
            failover.deadline_ns = now + self.settings.retry_interval_ns
            return []
        return self._wait_over(now, failover, chosen)

    def _promote(self, now: int, failover: Failover) -> list[Output]:
        for partition in failover.partitions:
            self._epochs[partition] += 1
        failover.epoch = max(self._epochs[p] for p in failover.partitions)
        for partition in failover.partitions:
            self._epochs[partition] = failover.epoch
            self._writers.told_to_promote(failover.candidate, partition, failover.epoch)
        failover.promotion_sent = True
        failover.deadline_ns = now + self.settings.promote_timeout_ns
        return [Promote(failover.id, failover.partitions, failover.candidate, failover.epoch)]

    def _roll_back(self, now: int, failover: Failover, trigger: str, reason: str) -> list[Output]:
        out = self.update_failover_status(now, failover, trigger, reason)
        if not failover.promotion_sent:
            out.append(DiscardTransfer(failover.id, failover.partitions, failover.candidate))
            return out + self._rolled_back(now, failover, "nothing was promoted")
        failover.deadline_ns = now + self.settings.demote_timeout_ns
        # The epoch after the promoted one: the demotion overrides it, a late promotion loses.
        demote = Demote(failover.id, failover.partitions, failover.candidate, failover.epoch + 1)
        return [*out, demote]

    def _rolled_back(self, now: int, failover: Failover, reason: str) -> list[Output]:
        failover.promotion_sent = False
        out = self.update_failover_status(now, failover, "rolled-back", reason)
        return out + self._select(now, failover)

    def _unconfirmed(self, now: int, failover: Failover, reason: str) -> list[Output]:
        failover.promotion_sent = False
        if self.settings.fencing.mode == "none":
            return self._rolled_back(now, failover, f"{reason}; no fencing to make sure")
        out = self.update_failover_status(now, failover, "unconfirmed", reason)
        return out + self._fence(now, failover, failover.candidate)

    def _to_fence(self, failover: Failover) -> list[str]:
        """Whoever must be off before somebody is promoted."""
        none = self.settings.fencing.mode == "none"
        return [] if none else self._writers.of(failover.partitions)

    def _still_owns(self, master: str) -> bool:
        """Whether `master`, if it lives, accepts writes for all that it is the owner of."""
        return all(self._writers.accepts(master, p) for p in self._owners.owned(master))
