"""The compiled data plane: takes the place of `MessagePlane` in a world."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from heapq import heappop
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from hasim.model import Cause
from hasim.simulation.clients.blocks import Division
from hasim.simulation.clients.compiled import stops
from hasim.simulation.clients.compiled.arrays import allocate
from hasim.simulation.clients.compiled.chain import (
    AT_ONCE,
    NEXT_NS,
    NEXT_PRIORITY,
    place_of,
    run_all,
)
from hasim.simulation.clients.compiled.configuration import Configuration
from hasim.simulation.clients.compiled.counting import Counting
from hasim.simulation.clients.compiled.delays import Collected
from hasim.simulation.clients.compiled.gateway import CompiledGateway
from hasim.simulation.clients.compiled.growth import Growth
from hasim.simulation.clients.compiled.jit import fingerprint, sources
from hasim.simulation.clients.compiled.kernel import build
from hasim.simulation.clients.compiled.layout import CAUSES
from hasim.simulation.clients.compiled.ledger import Ledger
from hasim.simulation.clients.compiled.master import CompiledMaster
from hasim.simulation.clients.compiled.optional import (
    PROBING,
    write_addresses,
    write_late_addresses,
)
from hasim.simulation.clients.compiled.window import Window, what_matters
from hasim.simulation.clients.delays import Delays
from hasim.simulation.clients.gateway import SimGateway
from hasim.simulation.clients.plane import Rollup
from hasim.simulation.clients.results import Counts, Results
from hasim.simulation.clients.traffic import Traffic
from hasim.simulation.clients.users import UserTime
from hasim.simulation.clock import ANSWER, COMPLETION, FIRST, KEY_BITS, Call, Clock, cancelled
from hasim.simulation.masters.job import UNWRITTEN, Job
from hasim.simulation.masters.master import SimMaster, Work
from hasim.simulation.masters.partitions import Partitions
from hasim.simulation.network import Network
from hasim.simulation.oracle import Oracle

KERNEL = build(fingerprint(*sources()))
SILENCE = -1
FORESEEN = place_of("foreseen")


class CompiledPlane:
    """Advances all messages in compiled batches between SimPy's events.

    The arrays are the state of the messages, the masters' queues and the gateways'
    counts. What control code and faults change is written into them before the next
    batch (`changed`); what they read is written back first: acknowledged writes
    (`settle`), and loads when a gateway reports.
    """

    def __init__(
        self,
        env: Clock,
        traffic: Traffic,
        partitions: Partitions,
        gateways: Sequence[SimGateway],
        masters: dict[str, SimMaster],
        network: Network,
        oracle: Oracle,
        division: Division,
        *,
        keep_messages: bool,
    ) -> None:
        self.env = env
        self._gateways = [cast(CompiledGateway, gateway) for gateway in gateways]
        self._masters = [cast(CompiledMaster, master) for master in masters.values()]
        self._number_of = {master: number for number, master in enumerate(masters)}
        self._partitions = partitions.names
        self._states = [partitions.unsettled[name] for name in partitions.names]
        self._oracle = oracle
        settings = [master.settings for master in masters.values()]
        self._memory = allocate(settings, len(self._partitions), gateways, traffic)
        self._collected = Collected(self._memory, list(masters), self._partitions, self._gateways)
        self._configuration = Configuration(
            self._memory,
            masters,
            self._partitions,
            self._gateways,
            network,
            oracle,
            self._collected,
            horizon_ns=traffic.horizon_ns,
        )
        self._state = self._memory["state"][0]
        self._window = Window(self._memory, traffic)
        self._counting = Counting(
            self._memory,
            len(self._masters),
            division,
            deadline_ns=traffic.settings.deadline_ns,
            horizon_ns=traffic.horizon_ns,
            keep=keep_messages,
            users=UserTime(traffic),
        )
        self._growth = Growth(self._memory)
        self._ledger = Ledger(self._memory, self._gateways, len(self._masters))
        self.table = self._memory.table
        self.behind: CompiledPlane | None = None
        self.fields = memoryview(cast(Any, self._memory["state"].view(np.int64)))
        self._probes: dict[int, Job] = {}
        self.next_ns, self.next_priority = AT_ONCE, 0
        self._dirty = True
        self._rerouted = False
        for number, gateway in enumerate(self._gateways):
            gateway.attach(self._ledger, number)
            own = self._ledger.routes_of(number)
            gateway.share_fleet(self._memory["takes"][own], self._memory["in_flight"][own])
        for number, master in enumerate(self._masters):
            master.attach(self, number, self._memory)

    # -- running -----------------------------------------------------------------

    def run(self, until: int) -> None:
        """Run the world up to (and without) `until` nanoseconds."""
        if self.behind is not None:
            run_all(self, KERNEL.advance_all, until)
            self.conclude()
            self.env.run(until=until)
            return
        table, advance, fields = self._memory.table, KERNEL.advance, self.fields
        env = self.env
        queue, reached = env.queue, env.now
        end = Call(env, until - env.now, FIRST, lambda _: None)
        while True:
            time, priority, _, event = queue[0]
            if event.callbacks is cancelled:
                heappop(queue)  # no reason to stop the messages
                continue
            if self.next_ns <= time and (self.next_ns < time or self.next_priority < priority):
                self.prepare()
                stop = advance(table, time, priority)
                if stop:
                    self.handle(stop)
                    self.next_ns = AT_ONCE  # whatever comes next now: it may rank before the stop
                    reached = env.now
                    continue
                self.next_ns, self.next_priority = fields[NEXT_NS], fields[NEXT_PRIORITY]
            if time > reached or priority > env.reached:
                env.reached = priority
            if event is end:
                break
            reached = time
            if type(event) is Call:  # as `Clock.step` does, for this is most of a run
                heappop(queue)
                env.now = time
                event.callbacks(event)
            else:
                env.step()
        self.conclude()
        self.env.run(until=until)

    def conclude(self) -> None:
        """The run is over: hand over and count what there is."""
        if self.behind is not None:
            self.behind.conclude()
        self.settle()
        self._counting.roll(KERNEL.roll, everything=True)

    def prepare(self) -> None:
        """Before a batch: what has changed is written into the arrays."""
        if not (self._dirty or self._rerouted):
            return
        if self._dirty:
            self._configuration.write()
            self._window.need(**what_matters(self._memory))
        else:
            self._configuration.write_routing()
        self._dirty = self._rerouted = False
        if self._configuration.probed:
            self._growth.begin_gauging(len(self._masters))
            write_addresses(self._state, PROBING)
        write_late_addresses(self._state, self._memory["masters"])

    # -- what the world tells --------------------------------------------------------

    def changed(self) -> None:
        """Routing, links, masters' conditions or roles are not what they were."""
        self._take_back()
        self._dirty = True

    def rerouted(self) -> None:
        """A gateway uses another routing table."""
        self._take_back()
        self._ledger.rerouted()
        self._rerouted = True
        if self._memory["gateways"]["waiting"].any():
            self.next_ns = AT_ONCE
            count = len(self._gateways)
            self._growth.make_heap_room(count)
            KERNEL.call_lines(self._memory.table, self.env.now, count)

    def _take_back(self) -> None:
        """What was foreseen for later may turn out otherwise from now on."""
        if self.fields[FORESEEN]:
            self.next_ns = AT_ONCE  # what comes by events now may come before what came next
            self._growth.make_room_for_all()
            KERNEL.take_back(self._memory.table, self.env.now, self.env.reached)

    def handle(self, stop: int) -> None:
        """The kernel has stopped: do what the reference does at this place."""
        if stop == stops.GROW:
            self.grow()
            return
        state = self._state
        now = int(state["now"])
        # Nothing but completions comes before an answer, and some stops before a completion.
        before = stop & (stops.OVERLOAD | stops.IN_VAIN)
        priority = (COMPLETION if before else ANSWER) << KEY_BITS
        env = self.env
        env.reached = max(priority, env.reached) if now == env.now else priority
        env.now = now
        if stop & stops.RETRY:
            self._window.draw_retries(int(state["to_retry"]))
            KERNEL.retry(self._memory.table)
        if stop & stops.ARM:
            self._ledger.expect(now, int(state["gateway"]))
        if stop & stops.REPORT:
            self._ledger.report(int(state["gateway"]), int(state["master"]))
        if stop & stops.ANSWERED:
            partition = self._partitions[state["partition"]]
            by = self._masters[int(state["master"])].id
            self._oracle.answered(partition, by, int(state["served_ns"]))
            self._configuration.write_unanswered([partition])
        if stop & stops.OVERLOAD:
            number = int(state["master"])
            self._masters[number].overloaded = bool(self._memory["masters"]["overloaded"][number])
            # Neither replication nor writers depend on it.
            concerned = self._oracle.update_overload(self._masters[number])
            self._configuration.write_unanswered(concerned)
        if stop & stops.IN_VAIN:
            self._masters[int(state["master"])].in_vain()
        if stop & stops.PROBED:
            self._answer_probe(int(state["slot"]), CAUSES[state["cause"]])

    def grow(self) -> None:
        """Some array is full, or all messages in memory have arrived."""
        self.settle()
        self._growth.make_room()
        state = self._state
        known = state["called"] if state["before"] else state["message"]
        if known == state["count"] and state["more"]:
            self._counting.roll(KERNEL.roll)
            self._window.extend()

    def sent_and_lost(self) -> tuple[tuple[int, ...], int]:
        """Attempts sent to each master so far, and messages that ended without an answer."""
        return self._ledger.sent(), int(self._state["lost"])

    # -- masters -----------------------------------------------------------------

    def lose(self, master: int, cause: Cause | None) -> None:
        """All work of a master is lost."""
        self._prepare()
        code = SILENCE if cause is None else CAUSES.index(cause)
        attempts = self._memory["attempts"]
        probes = [slot for slot in self._probes if attempts["master"][slot] == master]
        # In the order of the reference: those being served, then the queue.
        probes.sort(key=lambda s: (attempts["seat"][s] < 0, attempts["order"][s]))
        KERNEL.lose(self._memory.table, self.env.now, master, code)
        for slot in probes:
            if cause is None:
                self._release_probe(slot)
            else:
                self._answer_probe(slot, cause)

    def work(self, master: int) -> Work:
        """What a master has done up to now."""
        self._take_back()
        row = self._memory["masters"][master]
        since_ns = self.env.now - int(row["metered_ns"])
        busy_ns = int(row["busy_ns"]) + int(row["busy"]) * since_ns
        return Work(int(row["done"]), int(row["errors"]), busy_ns)

    def change_rate(self, master: int, speed: float, disk: bool) -> None:
        """A master works at another speed from now on; `disk`: not on what writes.

        At the same: writes wait for their copies longer than they did, or not as long.
        """
        self._dirty = True
        self._prepare()
        KERNEL.change_rate(self._memory.table, self.env.now, master, speed, disk)

    def _prepare(self) -> None:
        """Before anything happens outside of a batch: arrays up to date, and with room."""
        self.next_ns = AT_ONCE  # what happens may bring the messages' next event forward
        self._take_back()
        self.prepare()
        self._growth.make_room()
        self._growth.make_room_for_all()

    # -- deep probes -------------------------------------------------------------

    def accept_probe(self, master: int, probe: Job) -> None:
        """A deep probe arrives at a master, where it takes its turn among the messages."""
        self._prepare()
        slot = int(self._state["free"])
        attempt = self._memory["attempts"][slot]
        self._state["free"] = attempt["next"]
        attempt["used"] = attempt["awaited"] = attempt["served"] = 1
        attempt["pooled"] = attempt["parked"] = 0
        attempt["draw"], attempt["partition"], attempt["master"] = -probe.key, -1, master
        attempt["remaining_ns"], attempt["error"] = probe.demand_ns, probe.error_draw
        attempt["seat"] = attempt["due_ns"] = -1
        attempt["asked"] = 0
        attempt["written_ns"] = UNWRITTEN
        self._probes[slot] = probe
        stop = KERNEL.accept(self._memory.table, self.env.now, slot)
        if stop & stops.PROBED:
            self._answer_probe(slot, CAUSES[self._state["cause"]])
        elif not attempt["served"]:
            self._release_probe(slot)

    def _answer_probe(self, slot: int, cause: Cause) -> None:
        self._release_probe(slot).reply(cause)

    def _release_probe(self, slot: int) -> Job:
        attempt = self._memory["attempts"][slot]
        attempt["used"], attempt["next"] = 0, self._state["free"]
        self._state["free"] = slot
        return self._probes.pop(slot)

    # -- results -----------------------------------------------------------------

    def settle(self) -> None:
        """Hand the acknowledged writes up to now to the state of the partitions."""
        if self.fields[FORESEEN]:
            KERNEL.catch_up(self._memory.table, self.env.now, self.env.reached)
        count = int(self._state["writes"])
        if not count:
            return
        self._state["writes"] = 0
        writes = self._memory["writes"][:count]
        # Numbers of one or two bytes are sorted by numpy in linear time.
        narrow = np.min_scalar_type(len(self._states))
        partitions = writes["partition"].astype(narrow)
        order = np.argsort(partitions, kind="stable")
        times, masters = writes["time"][order], writes["master"][order]
        ends = np.cumsum(np.bincount(partitions, minlength=len(self._states)))
        for state, begin, end in zip(self._states, (0, *ends), ends, strict=False):
            if begin < end:
                by_owner = masters[begin:end] == self._number_of[state.owner]
                of_it = times[begin:end]
                state.acknowledge_all(_array(of_it[by_owner]), _array(of_it[~by_owner]))

    @property
    def attempt_causes(self) -> dict[tuple[str, Cause], int]:
        """Attempts by master and how they ended."""
        by_master = self._memory["causes"].reshape(len(self._masters), -1)
        answered = self._memory["routes"]["answered"].reshape(len(self._gateways), -1)
        wrong = by_master[:, CAUSES.index(Cause.CLIENT_ERROR)]
        by_master[:, CAUSES.index(Cause.OK)] = answered.sum(axis=0) - wrong
        counts = by_master.tolist()
        return {
            (master.id, cause): count
            for master, row in zip(self._masters, counts, strict=True)
            for cause, count in zip(CAUSES, row, strict=True)
            if count
        }

    @property
    def retries_cut(self) -> tuple[int, ...]:
        """Retries that the budget of each gateway did not allow."""
        return tuple(self._memory["budgets"]["cut"].reshape(-1, 2)[:, 0].tolist())

    def delays(self) -> Delays:
        """How long clients took to follow the routing, and messages were held that were sent."""
        return self._collected.delays()

    def counts(self) -> Counts:
        """The messages, counted."""
        return self._counting.counts()

    def rollups(self) -> Iterator[Rollup]:
        """The messages by block, if a warm-up is to be left out; the users' time, if there are."""
        return self._counting.rollups()

    def results(self) -> Results:
        """Every message by itself; only if they were to be kept."""
        return self._counting.results()


def _array(times: NDArray[np.int64]) -> array[int]:
    return array("q", times.tobytes())
