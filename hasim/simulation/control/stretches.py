"""Quiet stretches: the probing of a master is taken over as long as it is known how it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hasim.events import Input, ProbeReply, ProbeStretch, SendProbe, WakeUp
from hasim.model import Cause
from hasim.services.control_plane import ControlPlane
from hasim.services.detection.rhythm import Rhythm
from hasim.simulation.clock import HANDOVER, INPUT, KEY_BITS, WAKE_UP, Call
from hasim.simulation.control.driver import Driver
from hasim.simulation.control.probes import Condition, Probes
from hasim.simulation.control.wakes import Wakes
from hasim.times import Times

FEWEST = 4
"""Fewer probes than this are sooner taken one by one than handed over."""
LEAST, MOST = 64, 1024
"""So many probes are looked at ahead at first and at most; twice as many each time all passed."""
AHEAD = 1 << 19
"""So many are looked at ahead of all masters together."""
PATIENCE = 63
"""So many probes at most are taken one by one after stretches that came to nothing."""
NEAREST_NS = 1000
"""Where any master is nearer than this, an answer can be there before the wake-up that asks for it
is over, and the order at one instant follows from more than the times."""
Nanoseconds = NDArray[np.int64]


@dataclass(slots=True, eq=False)
class Stretch:
    """Probes of one master whose end is known; times in nanoseconds, arrays of shape (count,).

    `rank`: the master's among all. `probe`: the number of the first. `there_ns`: the crossings to
    the master (-1: lost). The one after the last is due at `next_ns`; `broken`: that one ends
    otherwise.
    """

    master: str
    rank: int
    probe: int
    cause: Cause
    condition: Condition
    sent_ns: Nanoseconds
    there_ns: Nanoseconds
    took_ns: Nanoseconds
    next_ns: int
    broken: bool
    end: Call | None = None
    over: bool = False

    def wakes_ns(self) -> Nanoseconds:
        """When the control plane would be woken, in any order."""
        if self.cause is Cause.TIMEOUT:
            return np.concatenate([self.sent_ns, self.sent_ns + self.took_ns])
        return self.sent_ns


class Stretches:
    """Takes the probing of masters over from a control plane, and hands it back.

    A stretch is foreseen along the links' own streams, of which nothing is taken. It ends
    before all that could make it come otherwise: the first crossing that is lost or late, a
    change of its master or links, another draw on its links, an input that concerns its master's
    verdict, a wake-up at the same instant, a question to the control plane, the end of the run.
    By then it is known, by time and rank, how many of its probes were sent and have ended. These
    are told as one `ProbeStretch`; one that is under way goes on as any other. What happens
    is, to the nanosecond, what single probes would have brought about.
    """

    def __init__(
        self,
        control_plane: ControlPlane,
        probes: Probes,
        driver: Driver,
        *,
        masters: Sequence[str],
        horizon_ns: int,
    ) -> None:
        self._control_plane = control_plane
        self._probes = probes
        self._driver = driver
        self._env = probes.env
        self._horizon_ns = horizon_ns
        self._ranks = {master: rank for rank, master in enumerate(masters)}
        self._most = max(LEAST, min(MOST, AHEAD // len(masters)))
        self._of: dict[str, Stretch] = {}
        self._wakes: Wakes[Stretch] = Wakes()
        # By master: how many probes to look at ahead; how many to take one by one before
        # that, and how many after the last stretch that came to nothing.
        self._size: dict[str, int] = {}
        self._skips: dict[str, int] = {}
        self._patience: dict[str, int] = {}
        probes.unanswered = self._expect

    @property
    def active(self) -> bool:
        """Whether any probing is taken over."""
        return bool(self._of)

    # -- when they begin and end -------------------------------------------------

    def before(self, item: Input) -> None:
        """The control plane is about to be told: what it has to know before is told before."""
        if not self._of or type(item) is ProbeReply:  # of another master, or too late to count
            return
        if type(item) is WakeUp:
            # All that is due at one instant is done at one wake-up, in the order of the masters.
            self._end(self._wakes.at(self._env.now))
        concerned = self._control_plane.concerns(self._env.now, item)
        self._end(self._of[master] for master in concerned if master in self._of)

    def after(self, item: Input) -> None:
        """The control plane was told."""
        if type(item) is ProbeReply:
            self._consider(item.master)

    def changed(self) -> None:
        """Masters or links are not what they were."""
        condition = self._probes.condition
        self._end(s for s in list(self._of.values()) if condition(s.master) != s.condition)

    def settle(self) -> None:
        """Somebody wants to know the state of the control plane as it is now."""
        self._end(list(self._of.values()))

    def _expect(self, master: str) -> None:
        """A probe will not be answered. Where that is as it was, the next ones may go over."""
        rhythm = self._control_plane.detection.rhythm(master)
        if rhythm is not None and rhythm.under_way and not rhythm.passing:
            delay_ns = rhythm.next_ns - self._env.now
            Call(self._env, delay_ns, HANDOVER, lambda _: self._consider(master))

    def _consider(self, master: str) -> None:
        skips = self._skips.get(master, 0)
        if self._driver.stalled:
            return
        if skips:
            self._skips[master] = skips - 1
        elif master not in self._of:
            self._begin(master)

    # -- looking ahead -----------------------------------------------------------

    def _begin(self, master: str) -> None:
        """Take over the probing of a master, if it is known how it goes on."""
        rhythm = self._control_plane.detection.rhythm(master)
        if rhythm is None or rhythm.under_way or rhythm.next_ns < self._env.now:
            return  # late, after the control plane stood still
        cause = self._probes.outlook(master)
        if cause is None or (cause is Cause.OK) != rhythm.passing:
            return
        stretch = self._foresee(master, rhythm, cause)
        if len(stretch.took_ns) < FEWEST:
            self._skips[master] = len(stretch.took_ns)
            return
        self._of[master] = stretch
        self._wakes.add(stretch)
        for link in self._probes.links(master):
            link.foreseen_by = partial(self._end, (stretch,))
        delay_ns = stretch.next_ns - self._env.now
        stretch.end = Call(self._env, delay_ns, HANDOVER, self._ended, stretch)
        self._control_plane.hand_over_probing(master)
        self._driver.wait()

    def _foresee(self, master: str, rhythm: Rhythm, cause: Cause) -> Stretch:
        there, back = self._probes.links(master)
        left = max(0, (self._horizon_ns - rhythm.next_ns) // rhythm.wait_ns + 1)
        count = min(left, self._size.get(master, LEAST))
        there_ns = there.look_ahead(count)
        if cause is Cause.TIMEOUT:
            took_ns = np.full(count, rhythm.timeout_ns)
        else:
            back_ns = back.look_ahead(count)
            took_ns = there_ns + back_ns
            off = (there_ns < 0) | (back_ns < 0) | (took_ns < 1) | (took_ns > rhythm.timeout_ns)
            if off.any():
                took_ns = took_ns[: int(off.argmax())]
        due_ns, kept = _due(rhythm, took_ns)
        took_ns = took_ns[:kept]
        sent_ns, there_ns = due_ns[:kept], there_ns[:kept]
        lost = there.lost_in_bursts(sent_ns)
        if cause is Cause.TIMEOUT:
            there_ns = np.where(lost, -1, there_ns)
        else:
            lost |= back.lost_in_bursts(sent_ns + there_ns)
            if lost.any():
                took_ns = took_ns[: int(lost.argmax())]
        known = min(len(took_ns), int(due_ns.searchsorted(self._horizon_ns)))
        return Stretch(
            master,
            self._ranks[master],
            rhythm.probe,
            cause,
            self._probes.condition(master),
            due_ns[:known],
            there_ns[:known],
            took_ns[:known],
            next_ns=int(due_ns[known]),
            broken=known < count,
        )

    # -- handing back ------------------------------------------------------------

    def _ended(self, event: Call) -> None:
        """The next probe is due of which nothing is known."""
        stretch: Stretch = event.load
        master, count = stretch.master, len(stretch.took_ns)
        self._hand_back(stretch, count, count)
        if not stretch.broken:
            self._size[master] = min(self._most, 2 * self._size.get(master, LEAST))
            self._begin(master)

    def _end(self, stretches: Iterable[Stretch]) -> None:
        """End stretches here and now."""
        for stretch in stretches:
            if not stretch.over:
                sent = self._sent(stretch)
                ended = sent if sent and self._has_ended(stretch, sent - 1) else max(0, sent - 1)
                self._hand_back(stretch, sent, ended)

    def _sent(self, stretch: Stretch) -> int:
        """How many of the probes were sent by now."""
        now, sent_ns = self._env.now, stretch.sent_ns
        sent = int(sent_ns.searchsorted(now))
        if sent < len(sent_ns) and sent_ns[sent] == now:
            sent += self._env.reached > WAKE_UP << KEY_BITS
        return sent

    def _has_ended(self, stretch: Stretch, place: int) -> bool:
        """Whether one of the probes has ended by now."""
        env, took_ns = self._env, int(stretch.took_ns[place])
        ended_ns = int(stretch.sent_ns[place]) + took_ns
        if ended_ns != env.now:
            return ended_ns < env.now
        if stretch.cause is Cause.TIMEOUT:
            return env.reached > WAKE_UP << KEY_BITS
        return env.reached > INPUT << KEY_BITS | self._probes.key(stretch.master, took_ns)

    def _hand_back(self, stretch: Stretch, sent: int, ended: int) -> None:
        """So many of the probes were sent and have ended, or all but the last."""
        master, probes, stretch.over = stretch.master, self._probes, True
        del self._of[master]
        del self._wakes[stretch.rank]
        assert stretch.end is not None
        stretch.end.cancel()
        links = probes.links(master)
        first_way = links[1].taken
        for link in links:
            link.foreseen_by = None
            link.skip(sent)
        self._be_patient(master, ended)
        if not sent:
            self._control_plane.take_back_probing(master)
            self._driver.wait()
            return
        ended_ns, took_ns = (
            stretch.sent_ns[:ended] + stretch.took_ns[:ended],
            stretch.took_ns[:ended],
        )
        since_ns = int(stretch.sent_ns[ended]) if ended < sent else None
        times = Times(ended_ns.tobytes()), Times(took_ns.tobytes())
        self._driver.tell(ProbeStretch(master, stretch.probe, stretch.cause, *times, since_ns))
        for place in self._out(stretch, sent, ended):
            probes.go_on(
                SendProbe(master, stretch.probe + place),
                first_way + place,
                stretch.cause,
                sent_ns=int(stretch.sent_ns[place]),
                there_ns=int(stretch.there_ns[place]),
                took_ns=int(stretch.took_ns[place]),
            )
        self._hold(stretch, first_way, sent)

    def _hold(self, stretch: Stretch, first_way: int, sent: int) -> None:
        """A stuck process holds the latest of the probes that have come in."""
        _, holds, *_ = stretch.condition
        there_ns, sent_ns = stretch.there_ns[:sent], stretch.sent_ns[:sent]
        arrived = np.flatnonzero((there_ns >= 0) & (sent_ns + there_ns < self._env.now))
        if holds and len(arrived):
            place = int(arrived[-1])
            probe = SendProbe(stretch.master, stretch.probe + place)
            self._probes.hold(probe, first_way + place, int(sent_ns[place]))

    def _out(self, stretch: Stretch, sent: int, ended: int) -> Iterable[int]:
        """Which probes are out: one that is waited for, and those that are on their way in vain."""
        if stretch.cause is not Cause.TIMEOUT:
            return range(ended, sent)
        there_ns, sent_ns = stretch.there_ns[:sent], stretch.sent_ns[:sent]
        out = (there_ns >= 0) & (sent_ns + there_ns >= self._env.now)
        return np.flatnonzero(out).tolist()

    def _be_patient(self, master: str, ended: int) -> None:
        """A stretch that came to next to nothing was not worth while: wait before the next one."""
        patience = 0
        if ended < FEWEST:
            patience = min(2 * self._patience.get(master, 0) + 1, PATIENCE)
        self._patience[master] = self._skips[master] = patience


def _due(rhythm: Rhythm, took_ns: Nanoseconds) -> tuple[Nanoseconds, int]:
    """When probes that take so long are sent, and the one after them, and how many that holds for.

    By the clock it holds up to a probe that is still under way at the next tick.
    """
    count = len(took_ns)
    waits_ns = np.full(count, rhythm.wait_ns)
    jitter_ns = np.zeros(count, dtype=np.int64)
    if rhythm.jitter_ns is not None:
        numbers = range(rhythm.probe, rhythm.probe + count)
        jitter_ns += np.array(list(map(rhythm.jitter_ns, numbers)), dtype=np.int64)
    due_ns = np.full(count + 1, rhythm.next_ns)
    if rhythm.tick_ns is None:
        np.cumsum(took_ns + np.maximum(0, waits_ns + jitter_ns), out=due_ns[1:])
        due_ns[1:] += rhythm.next_ns
        return due_ns, count
    ticks_ns = rhythm.tick_ns + np.cumsum(waits_ns)
    due_ns[1:] = ticks_ns + jitter_ns
    late = due_ns[:-1] + took_ns >= ticks_ns
    kept = int(late.argmax()) if late.any() else count
    return due_ns[: kept + 1], kept
