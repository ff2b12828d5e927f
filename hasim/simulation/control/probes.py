"""Health checks on their way to the masters and back: of all that crosses, they are the most."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hasim.events import ProbeReply, SendProbe
from hasim.model import Cause
from hasim.simulation.clock import ARRIVAL, INPUT, KEY_BITS, Call
from hasim.simulation.control.deadlines import Deadlines
from hasim.simulation.control.deep_probes import DeepProbe, ProbeDraws
from hasim.simulation.control.dependency import Dependency
from hasim.simulation.control.post import Post
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.network import Link, master_endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

OK = Cause.OK
Journey = tuple[SendProbe, int, int, int]
"""A probe, the number of its crossing back, its own number, and when it was sent (ns)."""
DEEP = ("deep", "write")
"""Checks that a worker has to look at."""
RANK_BITS = 14
"""So many bits of an answer's key tell masters apart."""
Condition = tuple[Cause | None, bool, bool, int, float, bool, int, float]
"""All that how probes end depends on, but chance (see `Probes.condition`)."""
LONGEST_NS = (1 << KEY_BITS - RANK_BITS) - 1
"""Answers that took longer (17 s) are not told apart by how long they took."""


class Probes:
    """Carries out an observer's `SendProbe`; the answer comes back as an input, if it does.

    `place` is which of so many `observers` it is, from 0.

    When a shallow probe is sent to a master that answers, it is known that it will be
    answered, and when, unless something changes: then there is no event at the master. If
    the world changes before the probe is there (`changed`), it arrives by an event after
    all, and meets what is there by then. Probes and answers that come at one instant come
    last, and in the order in which the probes were sent (at one instant: in that of the masters),
    so that nothing depends on which of them were foreseen.
    """

    def __init__(
        self,
        post: Post,
        masters: dict[str, SimMaster],
        draws: dict[str, ProbeDraws],
        *,
        deadlines: Deadlines,
        place: int = 0,
        observers: int = 1,
    ) -> None:
        self.env = post.env
        self._receive = post.receive
        self._masters = masters
        self._draws = draws
        self._deadlines = deadlines
        links, endpoints = post.network.links, {m: master_endpoint(m) for m in masters}
        self._there = {m: links[post.endpoint, endpoint] for m, endpoint in endpoints.items()}
        self._back = {m: links[endpoint, post.endpoint] for m, endpoint in endpoints.items()}
        self._depths = {m: s.settings.health for m, s in masters.items()}
        # By master: the latest probe that a stuck process has not looked at yet, and those that
        # wait for the disk.
        self._held: dict[str, Journey] = {}
        self._writing: dict[str, list[Journey]] = {m: [] for m in masters}
        self.unanswered: Callable[[str], None] | None = None
        """Is told the master if it is known, when a probe is sent, that nobody will answer it."""
        self.behind: Dependency | None = None
        """Who is asked by checks that depend on the tier behind."""
        # By master: when the probe arrives, its journey, the event of its answer.
        self._foreseen: dict[str, tuple[int, Journey, Call]] = {}
        last = (1 << RANK_BITS) - 1
        self._ranks = {m: min(rank * observers + place, last) for rank, m in enumerate(masters)}
        # Observers number their probes in turn: no two that meet at a master are alike.
        self._step = observers
        self._sent = self._deep = place + 1 - observers

    def send(self, probe: SendProbe) -> None:
        """Put a probe on its way. What it meets there and back does not shift others' luck."""
        name, env, back = probe.master, self.env, self._back[probe.master]
        self._sent = number = self._sent + self._step
        there_ns, way = self._there[name].draw(env.now), back.take()
        self._deadlines.sent(probe, env.now)
        if self.unanswered is not None and (there_ns < 0 or self.outlook(name) is Cause.TIMEOUT):
            self.unanswered(name)
        if there_ns < 0:
            return
        if self._is_answered_at_once(name):
            now, before = env.now, self._foreseen.get(name)
            # Only one is kept in mind, so the one before must have arrived.
            foreseen = before is None or before[0] <= now
            back_ns = back.cross(way, now + there_ns) if foreseen else -1
            if back_ns >= 0:
                reply, took_ns = ProbeReply(name, probe.probe, OK), there_ns + back_ns
                key = self.key(name, took_ns)
                answer = Call(env, took_ns, INPUT, self._foreseen_answer, reply, key)
                self._deadlines.foreseen(probe, now, there_ns, took_ns)
                self._foreseen[name] = (now + there_ns, (probe, way, number, now), answer)
                return
        Call(env, there_ns, ARRIVAL, self._arrive, (probe, way, number, env.now), number)

    # -- foresight -----------------------------------------------------------------

    def links(self, master: str) -> tuple[Link, Link]:
        """The links to a master and back."""
        return self._there[master], self._back[master]

    def outlook(self, master: str) -> Cause | None:
        """How probes of a master end as it is now, chance aside; None if that is not known."""
        here = self._masters[master]
        if self.env.now < max(self._there[master].held_ns, self._back[master].held_ns):
            return None
        if not self._there[master].up:
            return self._deadlines.outlook(Cause.TIMEOUT)
        at_once = self._is_answered_at_once(master)
        if not at_once and not here.dead and self._depths[master] in DEEP:
            return None  # they queue and are served there, whether or not an answer comes back
        if at_once and self._back[master].up:
            return OK
        cause = here.health if self._back[master].up else Cause.TIMEOUT
        return self._deadlines.outlook(cause or Cause.TIMEOUT)

    @property
    def nearest_ns(self) -> int:
        """The shortest median crossing between the observer and a master."""
        links = (*self._there.values(), *self._back.values())
        return min(link.base_ns for link in links)

    def condition(self, master: str) -> Condition:
        """The state of a master and its links, to see whether they have changed."""
        there, back = self._there[master], self._back[master]
        ways = (there.drops, there.extra_ns, there.passes, back.drops, back.extra_ns, back.passes)
        return (self.outlook(master), self.holds(master), *ways)

    def holds(self, master: str) -> bool:
        """Whether a stuck process holds the probes that come in, to answer when it goes on."""
        here = self._masters[master]
        return not here.dead and self._depths[master] == "shallow" and here.health is None

    def hold(self, probe: SendProbe, way: int, sent_ns: int) -> None:
        """A probe that was foreseen is held by its master; its crossing back has this number."""
        self._held[probe.master] = (probe, way, 0, sent_ns)

    def go_on(
        self,
        probe: SendProbe,
        way: int,
        cause: Cause,
        *,
        sent_ns: int,
        there_ns: int,
        took_ns: int,
    ) -> None:
        """A probe that was foreseen is under way: from now on it goes on as any other.

        It was sent at `sent_ns` and takes `there_ns` (-1: lost) to the master; its crossing back
        has the number `way`, and as things were it would have ended so after `took_ns`.
        """
        env = self.env
        self._sent = number = self._sent + self._step
        if cause is OK:
            self._deadlines.sent(probe, sent_ns)
        if there_ns < 0:
            return
        if sent_ns + there_ns >= env.now:
            delay_ns = sent_ns + there_ns - env.now
            Call(env, delay_ns, ARRIVAL, self._arrive, (probe, way, number, sent_ns), number)
        elif cause is not Cause.TIMEOUT:
            reply, key = (
                ProbeReply(probe.master, probe.probe, cause),
                self.key(probe.master, took_ns),
            )
            if cause is OK:
                self._deadlines.foreseen(probe, sent_ns, there_ns, took_ns)
            Call(env, sent_ns + took_ns - env.now, INPUT, self._receive, reply, key)

    def key(self, master: str, took_ns: int) -> int:
        """The key of an answer that took so long since its probe was sent."""
        return max(0, LONGEST_NS - took_ns) << RANK_BITS | self._ranks[master]

    def changed(self) -> None:
        """Masters or links are not what they were: what is foreseen has to be seen."""
        now = self.env.now
        for arrival_ns, journey, answer in self._foreseen.values():
            if arrival_ns >= now:
                answer.cancel()
                self._deadlines.sent(journey[0], journey[3])
                Call(self.env, arrival_ns - now, ARRIVAL, self._arrive, journey, journey[2])
        self._foreseen.clear()
        for name in [name for name in self._held if not self.holds(name)]:
            self._let_go(self._held.pop(name))
        for name, waiting in self._writing.items():
            if waiting and (self._masters[name].dead or not self._masters[name].writes_wait):
                self._writing[name] = []
                for journey in waiting:
                    self._let_go(journey)

    def _let_go(self, journey: Journey) -> None:
        """Somebody who waited at a master is answered, or his connection is gone with it."""
        here = self._masters[journey[0].master]
        if not here.silent:
            self._answer(journey, Cause.RESET if here.refusing else OK)

    def _arrive(self, event: Call) -> None:
        journey: Journey = event.load
        master = self._masters[journey[0].master]
        if not master.silent:
            self._deadlines.connected(journey[0])
        if self._is_answered_at_once(master.id):
            self._answer(journey, OK)
        elif master.dead:
            if master.refusing:
                self._answer(journey, Cause.REFUSED)
        elif self._depths[master.id] in DEEP:
            self._deep += self._step
            demand_ns, error_draw = self._draws[master.id].take()
            answer = partial(self._worked, journey)
            master.accept(DeepProbe(self._deep, demand_ns, error_draw, answer))
        else:
            self._held[master.id] = journey

    def _worked(self, journey: Journey, cause: Cause) -> None:
        """A worker is done with a probe; what writes still waits for the disk."""
        master = self._masters[journey[0].master]
        if cause is OK and master.writes_wait and self._depths[master.id] == "write":
            self._writing[master.id].append(journey)
        elif cause is OK and self.behind is not None and master.settings.health_asks:
            self._deep += self._step
            self.behind.ask(master.id, self._deep, partial(self._told, journey, master.life))
        else:
            self._answer(journey, cause)

    def _told(self, journey: Journey, life: int, cause: Cause) -> None:
        """The tier behind has answered; what a master asked before it died is of no use to it."""
        master = self._masters[journey[0].master]
        if master.life == life and not master.dead:
            self._answer(journey, cause if cause is OK else Cause.ERROR)

    def _is_answered_at_once(self, master: str) -> bool:
        """Whether a probe passes that arrives now, without a worker that has a look at it."""
        here, depth = self._masters[master], self._depths[master]
        if depth == "tcp":
            return not here.dead or here.health is OK
        return here.health is OK and (depth == "shallow" or here.lies > 0)

    def _foreseen_answer(self, event: Call) -> None:
        """What was foreseen has happened: a change at the same instant comes too late for it."""
        master = event.load.master
        latest = self._foreseen.get(master)
        if latest is not None and latest[2] is event:
            del self._foreseen[master]
        self._receive(event)

    def _answer(self, journey: Journey, cause: Cause) -> None:
        probe, way, _, sent_ns = journey
        delay_ns = self._back[probe.master].cross(way, self.env.now)
        if delay_ns >= 0:
            reply = ProbeReply(probe.master, probe.probe, cause)
            key = self.key(probe.master, self.env.now + delay_ns - sent_ns)
            self._deadlines.answered(probe, delay_ns)
            Call(self.env, delay_ns, INPUT, self._receive, reply, key)
