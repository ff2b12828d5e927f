"""Clients, gateways, masters and the observer of one tier, crossing by crossing, and back again.

The services are the real ones: of each gateway its choice, its dispatcher with timeouts and retries
and its reports; and the detection that hears them. What is between them is as in the simulation,
faults aside: arrivals, the network, workers and queues of the masters. Nobody fails over here: that
is what a declaration would begin, and where a path ends.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import Any

import numpy as np

from hasim.events import (
    GatewayReport,
    Heartbeat,
    Output,
    ProbeReply,
    SendProbe,
    SendReport,
    StatusChanged,
    WakeUp,
)
from hasim.model import Cause, Status
from hasim.services.agenda import NEVER
from hasim.services.detection.rewinding import Rewindable
from hasim.services.gateway.addresses import OPENS
from hasim.services.gateway.dispatcher import Dispatcher
from hasim.services.gateway.effects import Send
from hasim.services.gateway.service import GatewayService
from hasim.study.rare.falsely.carried import (
    BACK,
    BEAT,
    PROBE,
    TELL,
    THERE,
    UNDECIDED,
    Anew,
    Crossing,
    Job,
    Loss,
    Moment,
)
from hasim.study.rare.falsely.noise import LOST, Fate, pick
from hasim.study.rare.falsely.surroundings import Path, Surroundings

ARRIVE, DELIVER, DONE, ANSWER, CONNECT, HEAR, BEATS = range(7)
"""Kinds of what happens by itself."""


class Exchange:
    """Runs from crossing to crossing, from wherever it is put.

    With a `target`, it stops at crossings of that master alone; the others' fates are drawn.
    """

    def __init__(self, around: Surroundings, draws: np.random.Generator) -> None:
        self.around, self._draws = around, draws
        self._chance = Anew(draws)
        tier = around.tier
        self.service = Rewindable(
            tier.detection, around.cluster, seed=int(draws.integers(2**63)), observer=""
        )
        self._watch = self.service.watch()
        self.gateways = [
            GatewayService(tier.balancing, around.cluster, name, watch=self._watch)
            for name in around.cluster.gateways
        ]
        self._dispatchers = [
            Dispatcher(gateway, tier.traffic, self._chance, number=number)
            for number, gateway in enumerate(self.gateways)
        ]
        self.now, self.target, self.declared = 0, "", ""
        self._happenings: list[Any] = []
        self._crossings: deque[Crossing] = deque()
        self._busy = dict.fromkeys(around.workers, 0)
        self._queues: dict[str, deque[Job]] = {name: deque() for name in around.workers}
        self._weathers = {path: n.begin(draws.random()) for path, n in around.noises.items()}
        self._told_ns = dict.fromkeys(around.workers, -1)
        self.losses: list[Loss] = []
        self._serial = self._message = 0
        self._hear(self.service.start_monitoring(0))
        self._at(around.pause_ns(draws.random()), ARRIVE, None)
        if around.beat_ns:
            for name in around.workers:
                self._at(int(draws.random() * around.beat_ns), BEATS, (name, 1))

    # -- where it is ---------------------------------------------------------------

    def here(self) -> Moment:
        """At a crossing, before its fate."""
        return Moment(
            self.now,
            self.service.save(),
            tuple(gateway.freeze() for gateway in self.gateways),
            tuple(dispatcher.freeze() for dispatcher in self._dispatchers),
            tuple(self._happenings),
            tuple(self._crossings),
            tuple((self._busy[name], tuple(queue)) for name, queue in self._queues.items()),
            dict(self._weathers),
            tuple(self.losses),
            dict(self._told_ns),
            (self._serial, self._message),
            self.crossing.master,
        )

    def put(self, moment: Moment) -> None:
        """Go (back) there, and stop at that master's crossings from now on."""
        tier, cluster = self.around.tier, self.around.cluster
        self.service.load(moment.memory)
        self.gateways = [
            GatewayService.restore(
                tier.balancing, cluster, gateway.gateway, data, watch=self._watch
            )
            for gateway, data in zip(self.gateways, moment.gateways, strict=True)
        ]
        self._dispatchers = [
            Dispatcher.restore(gateway, tier.traffic, data, self._chance, number=number)
            for number, (gateway, data) in enumerate(
                zip(self.gateways, moment.dispatchers, strict=True)
            )
        ]
        self.now, self.target, self.declared = moment.now, moment.target, ""
        self._happenings, self._crossings = list(moment.happenings), deque(moment.crossings)
        for name, (busy, queue) in zip(self._queues, moment.queues, strict=True):
            self._busy[name], self._queues[name] = busy, deque(queue)
        self._weathers, self._told_ns = dict(moment.weathers), dict(moment.told_ns)
        self.losses = list(moment.losses)
        self._serial, self._message = moment.numbers

    @property
    def crossing(self) -> Crossing:
        """That at which it stands."""
        return self._crossings[0]

    def quiet(self, master: str) -> bool:
        """Whether nothing speaks against a master, and nothing that will is under way."""
        service, now, memory_ns = self.service, self.now, self.around.memory_ns
        if service.get_all_master_statuses()[master] is not Status.HEALTHY:
            return False
        if self._told_ns[master] >= now:
            return False
        if any(loss.master == master and loss.known_ns + memory_ns >= now for loss in self.losses):
            return False
        if memory_ns:
            return True
        return not service.messages_standing(master) and not self.streaks(master)

    def streaks(self, master: str) -> int:
        """Failed attempts in a row at a master, by the gateways' counts."""
        place = self.around.place[master]
        return sum(gateway.reports.loads[place].streak for gateway in self.gateways)

    # -- fates ---------------------------------------------------------------------

    def fates(self) -> list[Fate]:
        """What may become of the crossing that it stands at."""
        kind, master, load = self._crossings[0]
        path, u = self._path(kind, master, load), float(self._draws.random())
        noise, weather = self.around.noises[path], self._weathers[path]
        if kind == PROBE:
            pair = (u, float(self._draws.random()))
            return noise.probe(self.now, weather, self.around.patience_ns, pair)
        if kind == BEAT:
            return noise.heartbeat(self.now, weather, (u, 0.0))
        return noise.crossing(self.now, weather, max(1, load.expires_ns - self.now), u)

    def suffer(self, fate: Fate) -> None:
        """The crossing ends so."""
        kind, master, load = self._crossings.popleft()
        self._weathers[self._path(kind, master, load)] = fate.weather
        if fate.bad:
            self.losses.append(self.loss_of(kind, master, load))
        taken_ns = fate.taken_ns
        if kind == TELL:
            if taken_ns != LOST:
                self._at(self.now + taken_ns, CONNECT, load)
            self._serve(load._replace(back_ns=taken_ns))
        elif taken_ns == LOST:
            return
        elif kind == PROBE:
            self._at(self.now + taken_ns, HEAR, ProbeReply(master, load, Cause.OK))
        elif kind == BEAT:
            self._at(self.now + taken_ns, HEAR, Heartbeat(master, load, self.now))
        else:
            self._at(self.now + taken_ns, DELIVER if kind == THERE else ANSWER, load)

    def loss_of(self, kind: int, master: str, load: Any) -> Loss:
        """What is lost with a crossing, and when somebody will know."""
        if kind == PROBE:
            return Loss(self.now + self.around.patience_ns, master, -1)
        if kind == BEAT:
            return Loss(self.now + self.around.beat_ns, master, -1)
        connect_ns = self.around.tier.traffic.connect_timeout_ns
        if connect_ns and load.opens and kind in (THERE, TELL):
            return Loss(load.since_ns + connect_ns, master, load.gateway)
        return Loss(load.expires_ns, master, load.gateway)

    def _path(self, kind: int, master: str, load: Any) -> Path:
        around = self.around
        if kind in (PROBE, BEAT):
            return around.watching[master]
        return around.serving[load.gateway, master]

    def pick(self, fates: list[Fate], *, bad: bool | None = None) -> tuple[Fate, float]:
        """One of the fates (None: any; else bad ones, or good ones), and the chance of such."""
        return pick(fates, self._draws.random(), bad=bad)

    # -- onward --------------------------------------------------------------------

    def run(self) -> bool:
        """On to the next crossing (of the target, if there is one), or to a declaration: False.

        Without a target every declaration is noted, and the master acquitted at once.
        """
        while True:
            while self._crossings and not self.declared:
                if not self.target or self.crossing.master == self.target:
                    return True
                self.suffer(self.pick(self.fates())[0])
            if self.declared == self.target and self.target:
                return False
            self.declared = ""
            self._step()

    def _step(self) -> None:
        """The next thing that happens."""
        wake_ns = self.service.next_wakeup()
        times_ns = [NEVER if wake_ns is None else wake_ns]
        for gateway, dispatcher in zip(self.gateways, self._dispatchers, strict=True):
            wakeup, due_ns = dispatcher.next_wakeup(), gateway.reports.next_wakeup()
            times_ns.append(NEVER if wakeup is None else wakeup.time_ns)
            times_ns.append(NEVER if due_ns is None else due_ns)
        next_ns = self._happenings[0][0]
        self.now = now = min(next_ns, *times_ns)
        if next_ns == now:  # inputs before wake-ups
            _, _, kind, load = heapq.heappop(self._happenings)
            self._happen(kind, load)
        elif times_ns[0] == now:
            self._hear(self.service.take(now, WakeUp()))
        else:
            for number, dispatcher in enumerate(self._dispatchers):
                if times_ns[1 + 2 * number] == now:
                    self._perform(number, dispatcher.woken(now))
                elif times_ns[2 + 2 * number] == now:
                    self._perform(number, self.gateways[number].reports.regular(now))
                else:
                    continue
                return

    def _at(self, time_ns: int, kind: int, load: Any) -> None:
        self._serial += 1
        heapq.heappush(self._happenings, (time_ns, self._serial, kind, load))

    def _happen(self, kind: int, load: Any) -> None:
        now = self.now
        if kind == ARRIVE:
            self._arrive()
        elif kind == DELIVER:
            if load.opens and self.around.tier.traffic.connect_timeout_ns:
                self._crossings.append(Crossing(TELL, load.master, load))
            else:
                self._serve(load)
        elif kind == DONE:
            self._done(load)
        elif kind == ANSWER:
            effects = self._dispatchers[load.gateway].answered(now, load.attempt, load.cause)
            self._perform(load.gateway, effects)
        elif kind == CONNECT:
            self._perform(
                load.gateway, self._dispatchers[load.gateway].connected(now, load.attempt)
            )
        elif kind == HEAR:
            self._hear(self.service.take(now, load))
        else:
            name, number = load
            self._crossings.append(Crossing(BEAT, name, number))
            self._at(now + self.around.beat_ns, BEATS, (name, number + 1))

    def _arrive(self) -> None:
        """A message arrives at one of the gateways, which are as likely as each other."""
        around, draws = self.around, self._draws
        self._at(self.now + around.pause_ns(draws.random()), ARRIVE, None)
        self._message += 1
        number = int(draws.random() * len(self.gateways))
        traffic, partition = around.tier.traffic, None
        if draws.random() < traffic.owned:
            partition = around.partitions[int(draws.random() * len(around.partitions))]
        vip = traffic.vip > 0.0 and draws.random() < traffic.vip
        dispatcher = self._dispatchers[number]
        self._perform(number, dispatcher.arrived(self.now, self._message, partition, vip=vip))

    def _perform(self, number: int, effects: list[Any]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                opens = effect.opened_ns == OPENS
                job = Job(number, effect.attempt, effect.master, self.now, effect.expires_ns, opens)
                self._crossings.append(Crossing(THERE, effect.master, job))
            elif isinstance(effect, SendReport):
                self._report(number, effect.report)

    def _report(self, number: int, report: GatewayReport) -> None:
        """A report crosses to the observer, if it comes; what it tells against masters is noted."""
        path = self.around.reporting[number]
        noise = self.around.noises[path]
        fates = noise.crossing(self.now, self._weathers[path], NEVER, float(self._draws.random()))
        fate, _ = self.pick(fates)
        self._weathers[path] = fate.weather
        if fate.taken_ns == LOST:
            return
        heard_ns = self.now + fate.taken_ns
        for told in report.masters:
            if told.streak:
                self._told_ns[told.master] = max(self._told_ns[told.master], heard_ns)
        self._at(heard_ns, HEAR, report)

    # -- at the masters --------------------------------------------------------------

    def _serve(self, job: Job) -> None:
        name = job.master
        if self._busy[name] < self.around.workers[name]:
            self._begin(job)
        elif len(self._queues[name]) < self.around.rooms[name]:
            self._queues[name].append(job)
        else:
            self._answer(job._replace(cause=Cause.REJECTED))

    def _begin(self, job: Job) -> None:
        self._busy[job.master] += 1
        demand_ns = self.around.demand_ns(job.master, float(self._draws.random()))
        self._at(self.now + demand_ns, DONE, job)

    def _done(self, job: Job) -> None:
        self._busy[job.master] -= 1
        if self._queues[job.master]:
            self._begin(self._queues[job.master].popleft())
        self._answer(job)

    def _answer(self, job: Job) -> None:
        """The answer crosses back, if somebody waits for it still."""
        if job.back_ns == UNDECIDED and job.expires_ns > self.now:
            self._crossings.append(Crossing(BACK, job.master, job))
        elif job.back_ns >= 0:
            self._at(self.now + job.back_ns, ANSWER, job)

    # -- at the observer -------------------------------------------------------------

    def _hear(self, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, SendProbe):
                self._crossings.append(Crossing(PROBE, output.master, output.probe))
            elif isinstance(output, StatusChanged) and output.new is Status.FAILED:
                self.declared = output.master
                if output.master != self.target:
                    again = self.service.record_recovery(self.now, output.master, "as if")
                    self._hear(again)

    def forget(self) -> None:
        """Drop losses that nobody remembers."""
        least = self.now - self.around.memory_ns
        self.losses = [loss for loss in self.losses if loss.known_ns >= least]
