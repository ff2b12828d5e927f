"""The out-of-band power switch."""

from __future__ import annotations

from collections.abc import Callable

from hasim.events import CancelFence, Fence, FenceResult
from hasim.simulation.clock import COMPLETION, Call, Clock
from hasim.simulation.control.post import Post
from hasim.simulation.durations import Durations
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.network import master_endpoint
from hasim.simulation.settings import FencingDeviceSettings
from hasim.simulation.streams import Stream
from hasim.truth import MasterFenced, MasterRestarted, Truth


class FencingDevice:
    """Cuts a master's power, beside the network, and gives it back after a stated time.

    `first_fails` is the outcome of the first order of the run, where it is not left to chance.
    """

    def __init__(
        self,
        env: Clock,
        settings: FencingDeviceSettings,
        masters: dict[str, SimMaster],
        record: Callable[[Truth], None],
        *,
        seed: int,
        replication: int,
    ) -> None:
        self._env = env
        self._settings = settings
        self._masters = masters
        self._record = record
        # A stream per master: what one of them needs does not shift the others' luck.
        self._draws = {m: Stream(seed, replication, f"fencing:{m}") for m in masters}
        source = {"seed": seed, "replication": replication}
        self._latency = Durations(settings.latency, "fencing-latency", masters, **source)
        self._restarts = Durations(settings.restart, "fencing-restart", masters, **source)
        self._orders: dict[tuple[str, str], dict[tuple[int, int], Call]] = {}
        """By observer and master, the orders that are under way, by term and number: a control
        plane that has been started anew counts anew."""
        self.first_fails: bool | None = None
        self._cycled = dict.fromkeys(masters, 0)
        """By master, how often it is off since its power was cut here."""

    def take(self, effect: Fence | CancelFence, post: Post) -> None:
        """An observer wants a master powered off, or not any more."""
        if isinstance(effect, Fence):
            self.order(effect, post)
        else:
            self.cancel(effect, post)

    def order(self, effect: Fence, post: Post) -> None:
        """Fence a master for an observer, who gets the answer over the device's own line.

        A device that is as dead as what it shall fence answers nothing.
        """
        if self._dead(effect.master, post):
            return
        latency_ns = self._latency.next_ns(effect.master)
        call = Call(self._env, latency_ns, COMPLETION, self._fence, (effect, post))
        self._orders.setdefault((post.observer, effect.master), {})[effect.term, effect.order] = (
            call
        )

    def cancel(self, effect: CancelFence, post: Post) -> None:
        """An observer takes its orders back: those under way are not carried out, and have failed.

        Up to the order that it names: one that was given up may be under way still. With them
        whatever was ordered under an older term, by whomever.
        """
        for (observer, master), under_way in self._orders.items():
            last = effect.order if observer == post.observer else 0
            taken = [key for key in under_way if key <= (effect.term, last)]
            for key in taken if master == effect.master else ():
                call = under_way.pop(key)
                call.cancel()
                Call(self._env, 0, COMPLETION, self._cancelled, call.load)

    def _cancelled(self, event: Call) -> None:
        self._answer(*event.load, confirmed=False)

    def _fence(self, event: Call) -> None:
        effect: Fence
        post: Post
        effect, post = event.load
        del self._orders[post.observer, effect.master][effect.term, effect.order]
        if self._dead(effect.master, post):
            return
        if self._fails(effect.master):
            self._answer(effect, post, confirmed=False)
            return
        # Before the answer: what the control plane does next comes after it at the same instant.
        self._cycle(self._masters[effect.master], effect.failover, post.observer)
        self._answer(effect, post, confirmed=True)

    def reset(self, master: SimMaster) -> None:
        """A master's own watchdog resets it, by nobody's order; it restarts like a fenced one."""
        self._cycle(master, 0, "")

    def _cycle(self, master: SimMaster, failover: int, observer: str) -> None:
        """Off, and on again after its restart, as a standby."""
        master.forget_roles()
        master.offs += 1
        self._cycled[master.id] += 1
        self._record(MasterFenced(master.id, failover, observer))
        master.update_condition()
        Call(self._env, self._restarts.next_ns(master.id), COMPLETION, self._restart, master)

    def _dead(self, master: str, post: Post) -> bool:
        """Whether the device shares the present fate of the master."""
        shares = self._settings.shares_fate
        if shares == "nothing":
            return False
        struck = self._masters[master]
        if struck.offs > self._cycled[master]:
            return True  # not by the device itself
        ends = post.endpoint, master_endpoint(master)
        return shares == "place" and not post.network.connected(*ends)

    def _answer(self, effect: Fence, post: Post, *, confirmed: bool) -> None:
        numbers = {"order": effect.order, "term": effect.term}
        post.hand_in(FenceResult(effect.failover, effect.master, confirmed=confirmed, **numbers))

    def _fails(self, master: str) -> bool:
        # Drawn in any case, so that a given outcome does not shift the luck of later orders.
        drawn = self._draws[master].uniform() < self._settings.fails
        given, self.first_fails = self.first_fails, None
        return drawn if given is None else given

    def _restart(self, event: Call) -> None:
        master: SimMaster = event.load
        master.offs -= 1
        self._cycled[master.id] -= 1
        self._record(MasterRestarted(master.id))
        master.update_condition()
