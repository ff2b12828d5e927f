"""Leases at the masters: they ask for them, and stop accepting writes when one runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hasim.events import GrantLease, LeaseAsked
from hasim.services.failover.fencing.lease import LeaseFencingSettings
from hasim.simulation.clock import ARRIVAL, COMPLETION, Call, Clock
from hasim.simulation.control.observer import Observer
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.network import master_endpoint
from hasim.simulation.streams import Stream


class Leases:
    """The lease of each master, by its own clock; nobody renews one while its process is stuck.

    Who runs when its lease is over steps down at once, and closes its connections: orders that
    are under way to it never arrive. Who hangs then is reset by its watchdog (`reset`), or, without
    one, sleeps through it, and steps down when it asks for the next one.
    """

    def __init__(
        self,
        env: Clock,
        settings: LeaseFencingSettings,
        masters: Iterable[SimMaster],
        observers: Sequence[Observer],
        reset: Callable[[SimMaster], None],
        changed: Callable[[], None],
        *,
        seed: int,
        replication: int,
    ) -> None:
        self._env, self._settings = env, settings
        self._masters, self._posts = list(masters), [one.post for one in observers]
        for observer in observers:
            observer.commands.granted = self.granted
        self._reset, self._changed = reset, changed
        self._source = (seed, replication)
        self._over_ns = dict.fromkeys((m.id for m in self._masters), settings.ttl_ns)
        self._asked_ns: dict[str, dict[int, int]] = {m.id: {} for m in self._masters}
        self._lapses = dict.fromkeys(self._over_ns, 0)
        self._overdue: set[str] = set()

    def start(self) -> None:
        """Everybody has a lease from the start, and asks for the next one within an interval."""
        for rank, master in enumerate(self._masters):
            # Who beats as often renews its lease by that (`Heartbeats`).
            phase = Stream(*self._source, f"heartbeats:{master.id}").uniform()
            first = (master, rank, 1)
            Call(self._env, int(phase * self._settings.renew_ns), ARRIVAL, self._ask, first, rank)
            self._watch(master)

    def granted(self, master: SimMaster, effect: GrantLease) -> None:
        """The answer to a question has come; it counts from when that was asked."""
        asked_ns = self._asked_ns[master.id].pop(effect.number, None)
        if asked_ns is None or not master.beating or not master.obeys(effect.term):
            return
        over_ns = asked_ns + self._settings.ttl_ns
        if over_ns > max(self._env.now, self._over_ns[master.id]):
            self._over_ns[master.id] = over_ns
            if not master.may_lead:
                master.may_lead = True
                self._watch(master)

    def _ask(self, call: Call) -> None:
        master, rank, number = call.load
        if master.beating:
            if master.id in self._overdue:
                self._step_down(master)
            pending = self._asked_ns[master.id]
            pending[number] = self._env.now
            pending.pop(number - self._settings.ttl_ns // self._settings.renew_ns - 1, None)
            question = LeaseAsked(master.id, number, self._lapses[master.id])
            for post in self._posts:
                post.bring(master_endpoint(master.id), question)
        following = (master, rank, number + 1)
        Call(self._env, self._settings.renew_ns, ARRIVAL, self._ask, following, rank)

    def _watch(self, master: SimMaster) -> None:
        delay_ns = self._over_ns[master.id] - self._env.now
        Call(self._env, delay_ns, COMPLETION, self._over, master)

    def _over(self, call: Call) -> None:
        master: SimMaster = call.load
        if self._over_ns[master.id] > self._env.now:
            self._watch(master)  # it was renewed
        elif not master.stuck or master.dead:
            self._step_down(master)
        elif self._settings.watchdog:
            self._lapse(master)
            self._reset(master)
        else:
            self._overdue.add(master.id)

    def _step_down(self, master: SimMaster) -> None:
        self._lapse(master)
        master.forget_roles()
        master.life += 1
        self._changed()

    def _lapse(self, master: SimMaster) -> None:
        self._overdue.discard(master.id)
        self._lapses[master.id] += 1
        master.may_lead = False
