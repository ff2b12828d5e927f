"""A simulated master: workers, a bounded queue, roles, and what faults do to it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from hasim.model import Cause
from hasim.services.balancing.gauge import GAUGE, latency_at, level_of, note_latency
from hasim.simulation.clock import COMPLETION, Call, Clock
from hasim.simulation.masters.cold import Cold
from hasim.simulation.masters.commits import FOREVER, Commits
from hasim.simulation.masters.condition import Condition
from hasim.simulation.masters.job import ANSWERED, ASKING, FAILED, UNWRITTEN, Job
from hasim.simulation.masters.primaries import Primaries
from hasim.simulation.masters.waits import Waits
from hasim.simulation.service import law_of
from hasim.simulation.settings import MasterSettings


class Work(NamedTuple):
    """What a master has done since the start of the run."""

    done: int
    """Answers after service, errors included."""
    errors: int
    busy_ns: int
    """Time for which workers were busy, summed over them (nanoseconds)."""


class SimMaster(Condition, Primaries, Commits):
    """Serves jobs first come, first served, with as many workers as its settings say.

    `life` counts the deaths of the process: what one life was told, the next does not know.
    """

    def __init__(
        self,
        env: Clock,
        settings: MasterSettings,
        client_timeout_ns: int,
        changed: Callable[[], None],
        acknowledge: Callable[[str, str], None],
    ) -> None:
        self.env = env
        self.settings = settings
        self.id = settings.id
        Condition.__init__(self)
        Primaries.__init__(self, changed)
        Commits.__init__(self)
        self.life = 0
        self.overloaded = False
        self._patience_ns = client_timeout_ns
        self.law = law_of(settings)
        self._acknowledge = acknowledge
        self._queue: deque[Job] = deque()
        # A dict keeps the order in which service began; a set would not.
        self._serving: dict[Job, None] = {}
        self._done = self._errors = self._busy_ns = self._metered_ns = 0
        self.waits = Waits()
        self._gauge: list[int] | None = None
        self._entered: dict[Job, tuple[int, int]] = {}
        self.ask: Callable[[SimMaster, Job], None] | None = None
        """Makes a request to the next tier, if there is one: `answered` is called at its end."""
        self._dead = False
        self.cold = Cold(env, settings.cold_start)
        self.died_ns = -1
        """When its process died last; -1: never."""
        self._speed = self._own_speed = self._rate = 1.0
        self._disk = False
        self._delay_ns = 0
        self._error_rate = 0.0

    # -- condition ---------------------------------------------------------------

    def impairment(self) -> str:
        """Why it would not answer a message in time, or an empty text."""
        if self.offs:
            return "power-off"
        if self.crashes:
            return "crash"
        if self.hangs:
            return "hang"
        if self.deadlocks:
            return "deadlock"
        if self.stalls and max(self.stalls) > self._patience_ns:
            return "stall"
        if self._error_rate >= 0.5:
            return "error-rate"
        if self.service_ns > self._patience_ns:
            return "slow"
        return "overloaded" if self.overloaded else ""

    @property
    def service_ns(self) -> float:
        """Mean time that a worker needs for a message at the present speed, if it is alone."""
        # Standing still for a moment is no speed.
        stands = self.hangs or self.deadlocks or not self._speed
        return math.inf if stands else (self.law.mean_ns + self._delay_ns) / self._speed

    @property
    def mean_ns(self) -> float:
        """Mean service time at full speed, in nanoseconds."""
        return float(self.law.mean_ns)

    @property
    def error_rate(self) -> float:
        """Share of answers that are errors: independent causes combined."""
        return self._error_rate

    def update_condition(self) -> None:
        """Take the faults' counts into account: lost work, speed, errors. Call after any change."""
        if self.offs or self.crashes:
            self._lose_everything(Cause.RESET if not self.offs else None)
        self._note_death(dead=self.offs > 0 or self.crashes > 0)
        self._delay_ns = sum(self.delays)
        self._speed = self.cold.speed
        for speed in self.speeds:
            self._speed *= speed
        passes = 1.0
        for share in self.error_rates:
            passes *= 1.0 - share
        self._error_rate = 1.0 - passes
        self._set_speed(0.0 if self.blocked else self._speed, disk=self.writes_wait)
        self._changed()

    def hold_writes(self, partitions: frozenset[str]) -> None:
        """Writes of these partitions do not go on, and with them no others; those after it do."""
        if partitions != self.held:
            self.held = partitions
            self._set_speed(0.0 if self.blocked else self._speed, disk=self.writes_wait)

    def _note_death(self, *, dead: bool) -> None:
        if dead and not self._dead:
            self.life += 1
            self.died_ns = self.env.now
            self.cold.forget()
        elif self._dead and not dead:
            self.cold.begin(self.update_condition)
        self._dead = dead

    def _lose_everything(self, cause: Cause | None) -> None:
        """A dead process loses what is queued and in service; a dead host does not even say so."""
        lost = [*self._serving, *self._queue]
        self._meter()
        self._serving.clear()
        self.waits.lose(self.env.now)
        self._queue.clear()
        self._entered.clear()
        self.overloaded = False
        for job in lost:
            job.completion = None
            if cause is not None:
                job.reply(cause)

    def _set_speed(self, speed: float, *, disk: bool) -> None:
        """Work so fast from now on; `disk`: only on what writes nothing."""
        self._own_speed = speed
        self._pace(disk)

    def _pace(self, disk: bool) -> None:
        """Look at how fast everybody who is being served goes on: with load, all get slower."""
        rate = self._own_speed
        if self.settings.capacity is not None:
            rate /= 1.0 + (len(self._serving) + len(self._queue)) / self.settings.capacity
        if rate == self._rate and disk == self._disk:
            return
        now = self.env.now
        busy = [job for job in self._serving if job.asked != ASKING]
        for job in busy:
            job.remaining_ns -= int((now - job.resumed_ns) * self._rate_of(job))
        self._rate, self._disk = rate, disk
        for job in busy:
            self._run(job)

    def _rate_of(self, job: Job) -> float:
        return 0.0 if self._disk and job.partition is not None else self._rate

    # -- work done -------------------------------------------------------------

    def work(self) -> Work:
        """What it has done up to now."""
        self._meter()
        return Work(self._done, self._errors, self._busy_ns)

    def _meter(self) -> None:
        """Count the time of the workers that have been busy; call before their number changes."""
        self._busy_ns += len(self._serving) * (self.env.now - self._metered_ns)
        self._metered_ns = self.env.now

    # -- load probes -------------------------------------------------------------

    def begin_gauge(self) -> None:
        """Remember latencies from now on, for load probes."""
        if self._gauge is None:
            self._gauge = [0] * GAUGE

    def load(self) -> tuple[int, int]:
        """What a load probe is told: requests here, and the latency to expect (nanoseconds)."""
        here, gauge = len(self._serving) + len(self._queue), self._gauge or [0] * GAUGE
        return here, latency_at(gauge, 0, level_of(here, self.settings.workers))

    def _enter(self, job: Job) -> None:
        if self._gauge is not None:
            self._entered[job] = (self.env.now, len(self._serving) + len(self._queue))

    def _note_done(self, job: Job) -> None:
        if self._gauge is not None and job in self._entered:
            entered_ns, found = self._entered.pop(job)
            level = level_of(found, self.settings.workers)
            note_latency(self._gauge, 0, level, self.env.now - entered_ns)

    # -- jobs ------------------------------------------------------------------

    def accept(self, job: Job) -> None:
        """A request arrives at the host."""
        if self.offs:
            return
        if self.crashes:
            job.reply(Cause.REFUSED)
        elif job.partition is not None and job.partition not in self.primaries:
            if not self.blocked:
                job.reply(Cause.NOT_OWNER)
        elif len(self._serving) < self.settings.workers:
            self._enter(job)
            self._start(job)
            self._pace(self._disk)
        elif len(self._queue) < self.settings.queue:
            self._enter(job)
            job.queued_ns = self.env.now
            self.waits.queue(self.env.now)
            self._queue.append(job)
            self._pace(self._disk)
        elif not self.blocked:
            job.reply(Cause.REJECTED)

    def _start(self, job: Job) -> None:
        self._meter()
        self.waits.start()
        self._serving[job] = None
        fails_early = self.error_times and job.error_draw < self._error_rate
        takes_ns = min(self.error_times) if fails_early else job.demand_ns
        job.remaining_ns = takes_ns + self._delay_ns
        self._run(job)

    def _run(self, job: Job) -> None:
        job.resumed_ns = self.env.now
        job.completion = None
        if (rate := self._rate_of(job)) > 0.0:
            delay = max(0, int(job.remaining_ns / rate))
            if job.written_ns != UNWRITTEN:
                delay = self._left_ns(job)
            if delay < FOREVER // 2:
                job.completion = Call(self.env, delay, COMPLETION, self._complete, job, job.key)

    def _complete(self, event: Call) -> None:
        job: Job = event.load
        if job.completion is not event:
            return  # a fault took this completion back
        if self._asks_for(job):
            return
        if self._waits(job) and not _fails(job, self._error_rate):
            self._wait(job)
            return
        self._meter()
        self._done += 1
        self._note_done(job)
        del self._serving[job]
        if self._queue:
            waiting = self._queue.popleft()
            self.waits.leave(self.env.now, waiting.queued_ns)
            self._mark_overload(self.env.now - waiting.queued_ns > self._patience_ns)
            self._start(waiting)
        else:
            self._mark_overload(False)
        self._pace(self._disk)
        if _fails(job, self._error_rate):
            self._errors += 1
            job.reply(Cause.ERROR)
            return
        if job.partition is not None and job.partition not in self.primaries:
            job.reply(Cause.NOT_OWNER)  # it was demoted meanwhile
            return
        if job.faulty:
            job.reply(Cause.CLIENT_ERROR)
            return
        # What nobody hears of is not acknowledged, though it is written.
        if job.reply(Cause.OK) and job.partition is not None:
            self._acknowledge(job.partition, self.id)

    # -- the next tier ---------------------------------------------------------------

    def _asks_for(self, job: Job) -> bool:
        """Whether the next tier is asked now: the worker waits for the answer meanwhile."""
        if self.ask is None or not job.asks or job.asked or _fails(job, self._error_rate):
            return False
        job.asked, job.completion = ASKING, None
        self.ask(self, job)
        return True

    def answered(self, job: Job, *, well: bool) -> None:
        """What was asked of the next tier for a job has ended; nobody cares if the job is lost."""
        if job in self._serving and job.asked == ASKING:
            job.asked = ANSWERED if well else FAILED
            job.remaining_ns = 0
            self._run(job)

    def _mark_overload(self, overloaded: bool) -> None:
        """Overloaded: whoever gets a worker now has waited longer than clients wait."""
        if overloaded != self.overloaded:
            self.overloaded = overloaded
            self._changed()


def _fails(job: Job, error_rate: float) -> bool:
    """Whether the answer says that it failed: by itself, or since the next tier did."""
    return job.asked == FAILED if job.asked else job.error_draw < error_rate
