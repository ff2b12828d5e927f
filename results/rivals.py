"""The same queueing system in three other ways, for `results/data-plane.py` to be compared with.

Five masters with one worker each, first come first served, exponential service of 20 ms,
Poisson arrivals of 150/s; the first master is down in the middle third and refuses what it is
sent; each master is probed, and takes no messages from three probes that failed in a row to two
that passed. Beside latencies nothing is collected: no network, timeouts, evidence or journal.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import cimba
import numba
import numpy as np
import simpy

RATE, SERVICE_S, MASTERS = 150.0, 0.02, 5
FALL, RISE = 3, 2


class Watch:
    """What probes say of the masters."""

    def __init__(self, env: simpy.Environment, down: tuple[float, float], interval_s: float):
        self.env, self.down, self.interval_s = env, down, interval_s
        self.eligible = [True] * MASTERS

    def is_down(self, master: int) -> bool:
        """Whether a master refuses."""
        return master == 0 and self.down[0] <= self.env.now < self.down[1]

    def probe(self, master: int) -> Iterator[simpy.Event]:
        """Probe one master for ever."""
        failed = passed = 0
        while True:
            yield self.env.timeout(self.interval_s)
            if self.is_down(master):
                failed, passed = failed + 1, 0
            else:
                failed, passed = 0, passed + 1
            if failed >= FALL:
                self.eligible[master] = False
            elif passed >= RISE:
                self.eligible[master] = True


def idiomatic_simpy(messages: int, interval_s: float, algorithm: str) -> float:
    """A process for each message and a Resource for each master; returns the mean latency."""
    env, luck = simpy.Environment(), random.Random(1)
    horizon = messages / RATE
    watch = Watch(env, (horizon / 3, 2 * horizon / 3), interval_s)
    masters = [simpy.Resource(env) for _ in range(MASTERS)]
    latencies: list[float] = []
    failed = [0]
    cursor = [0]

    def choose() -> int:
        eligible = [m for m in range(MASTERS) if watch.eligible[m]]
        if algorithm == "round-robin":
            cursor[0] += 1
            return eligible[cursor[0] % len(eligible)]
        return min(eligible, key=lambda m: masters[m].count + len(masters[m].queue))

    def message() -> Iterator[simpy.Event]:
        arrived, master = env.now, choose()
        if watch.is_down(master):
            failed[0] += 1
            return
        with masters[master].request() as turn:
            yield turn
            yield env.timeout(luck.expovariate(1 / SERVICE_S))
        latencies.append(env.now - arrived)

    def arrivals() -> Iterator[simpy.Event]:
        for _ in range(messages):
            yield env.timeout(luck.expovariate(RATE))
            env.process(message())

    for master in range(MASTERS):
        env.process(watch.probe(master))
    env.process(arrivals())
    env.run(until=horizon + 10)
    return float(np.mean(latencies))


@numba.njit(cache=True)
def choose(eligible: Any, in_flight: Any, cursor: int, least_loaded: bool) -> int:
    """The next eligible master, or the one with the least in flight."""
    best = -1
    if least_loaded:
        for m in range(MASTERS):
            if eligible[m] and (best < 0 or in_flight[m] < in_flight[best]):
                best = m
        return best
    while best < 0:
        cursor = cursor + 1 if cursor + 1 < MASTERS else 0
        if eligible[cursor]:
            best = cursor
    return best


@numba.njit(cache=True)
def bare_loop(messages: int, interval_s: float, least_loaded: bool, seed: int) -> Any:
    """Arrivals one by one, a ring of completion times for each master; the mean latency.

    The practical limit: draws, choice, queues that a crash empties, a histogram of latencies.
    """
    np.random.seed(seed)
    down, up = messages / RATE / 3, 2 * messages / RATE / 3
    size = 1 << 14
    ends, begun = np.zeros((MASTERS, size)), np.zeros((MASTERS, size))
    head, in_flight = np.zeros(MASTERS, np.int64), np.zeros(MASTERS, np.int64)
    free = np.zeros(MASTERS)
    eligible = np.ones(MASTERS, np.bool_)
    histogram = np.zeros(2048, np.int64)
    now, probe_at, cursor, crashed = 0.0, interval_s, 0, False
    bad = good = failed = answered = 0
    total = 0.0
    for _ in range(messages):
        now += np.random.exponential(1.0 / RATE)
        while probe_at <= now:
            refused = down <= probe_at < up
            bad, good = (bad + 1, 0) if refused else (0, good + 1)
            eligible[0] = bad < FALL and (eligible[0] or good >= RISE)
            probe_at += interval_s
        for m in range(MASTERS):
            while in_flight[m] and ends[m, head[m] & (size - 1)] <= now:
                latency = ends[m, head[m] & (size - 1)] - begun[m, head[m] & (size - 1)]
                answered += 1
                total += latency
                histogram[min(2047, int(np.log(latency * 1e9 + 1.0) * 50.0))] += 1
                head[m] += 1
                in_flight[m] -= 1
        if not crashed and now >= down:
            crashed = True
            failed += in_flight[0]
            in_flight[0], free[0] = 0, 0.0
        best = cursor = choose(eligible, in_flight, cursor, least_loaded)
        if best == 0 and down <= now < up:
            failed += 1
            continue
        free[best] = max(now, free[best]) + np.random.exponential(SERVICE_S)
        place = (head[best] + in_flight[best]) & (size - 1)
        ends[best, place], begun[best, place] = free[best], now
        in_flight[best] += 1
    return total / answered


class Cluster(cimba.Model):  # type: ignore[misc]
    """Processes on cimba's engine: arrivals, a server with a store for each master, a prober.

    An array of stores is not to be had there, so the masters are written out.
    """

    gap: cimba.Input[float] = cimba.inputs.dist.exponential(mean=1 / RATE)
    service: cimba.Input[float] = cimba.inputs.dist.exponential(mean=SERVICE_S)
    queue_0: cimba.Store[float]
    queue_1: cimba.Store[float]
    queue_2: cimba.Store[float]
    queue_3: cimba.Store[float]
    queue_4: cimba.Store[float]
    load: cimba.Array[int] = cimba.Array(5)
    eligible: cimba.Array[int] = cimba.Array([1, 1, 1, 1, 1])
    least_loaded: cimba.Param[int] = 0
    interval_s: cimba.Param[float] = 1.0
    down_s: cimba.Param[float] = 0.0
    up_s: cimba.Param[float] = 0.0
    latencies: cimba.Dataset
    mean_latency: cimba.Output[float]
    failed: cimba.Output[int]

    @cimba.function
    def choose(self, cursor: int) -> int:
        """The next eligible master, or the one with the least in flight."""
        best = -1
        if self.least_loaded == 1:
            for m in range(5):
                if self.eligible[m] == 1 and (best < 0 or self.load[m] < self.load[best]):
                    best = m
        else:
            while best < 0:
                cursor = cursor + 1 if cursor < 4 else 0
                if self.eligible[cursor] == 1:
                    best = cursor
        return best

    @cimba.process
    def arrivals(self) -> None:
        """Send each message to a master."""
        best = 0
        while True:
            cimba.hold(self.gap.next())
            best = self.choose(best)
            now = cimba.now()
            if best == 0 and now >= self.down_s and now < self.up_s:
                self.failed += 1
            else:
                self.load[best] += 1
                if best == 0:
                    self.queue_0.put(now)
                elif best == 1:
                    self.queue_1.put(now)
                elif best == 2:
                    self.queue_2.put(now)
                elif best == 3:
                    self.queue_3.put(now)
                else:
                    self.queue_4.put(now)

    @cimba.process
    def prober(self) -> None:
        """Probe the master that fails; the others always pass."""
        failed = 0
        passed = 0
        while True:
            cimba.hold(self.interval_s)
            now = cimba.now()
            if now >= self.down_s and now < self.up_s:
                failed += 1
                passed = 0
            else:
                failed = 0
                passed += 1
            if failed >= 3:
                self.eligible[0] = 0
            elif passed >= 2:
                self.eligible[0] = 1

    @cimba.process
    def server_0(self) -> None:
        """Serve the queue of one master."""
        while True:
            arrived = self.queue_0.get()
            cimba.hold(self.service.next())
            self.load[0] -= 1
            self.latencies.record(cimba.now() - arrived)

    @cimba.process
    def server_1(self) -> None:
        """Serve the queue of one master."""
        while True:
            arrived = self.queue_1.get()
            cimba.hold(self.service.next())
            self.load[1] -= 1
            self.latencies.record(cimba.now() - arrived)

    @cimba.process
    def server_2(self) -> None:
        """Serve the queue of one master."""
        while True:
            arrived = self.queue_2.get()
            cimba.hold(self.service.next())
            self.load[2] -= 1
            self.latencies.record(cimba.now() - arrived)

    @cimba.process
    def server_3(self) -> None:
        """Serve the queue of one master."""
        while True:
            arrived = self.queue_3.get()
            cimba.hold(self.service.next())
            self.load[3] -= 1
            self.latencies.record(cimba.now() - arrived)

    @cimba.process
    def server_4(self) -> None:
        """Serve the queue of one master."""
        while True:
            arrived = self.queue_4.get()
            cimba.hold(self.service.next())
            self.load[4] -= 1
            self.latencies.record(cimba.now() - arrived)

    @cimba.on_end
    def measure(self) -> None:
        """Leave the mean."""
        self.mean_latency = self.latencies.sample_mean()


def on_cimba(messages: int, interval_s: float, algorithm: str) -> float:
    """The same on cimba; returns the mean latency."""
    model, horizon = Cluster(), messages / RATE
    model.least_loaded = int(algorithm == "least-loaded")
    model.interval_s, model.down_s, model.up_s = interval_s, horizon / 3, 2 * horizon / 3
    window = cimba.Window(warmup=0, duration=horizon)
    results = cimba.Experiment(model, replications=1, window=window, seed=1).run()
    return float(results[model].mean_latency.values[0, 0])
