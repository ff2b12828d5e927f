"""The driver: runs the control plane under SimPy, owns its one timer, keeps the journal.

What any driver has to do: ARCHITECTURE.md, "A machine and its driver" and "Written before sent".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol, cast

from hasim.events import Effect, Event, Input, Output, Restart, TakeSnapshot, WakeUp
from hasim.journal import EVENT_TYPES, Journal, Lane, Record, new_record
from hasim.services.control_plane import ControlPlane
from hasim.services.door import take
from hasim.simulation.clock import INPUT, Call, Clock, Timer
from hasim.simulation.control.answers import Answers
from hasim.simulation.settings.tiers import Memory

WOKEN = WakeUp()
"""There is nothing in one, so that one is enough."""


class Deputy(Protocol):
    """Takes over something that the control plane would do, and hands it back in time."""

    @property
    def active(self) -> bool:
        """Whether anything is taken over."""
        ...

    def before(self, item: Input) -> None:
        """The control plane is about to be told something."""
        ...

    def after(self, item: Input) -> None:
        """It was told."""
        ...

    def settle(self) -> None:
        """Hand everything back, now."""
        ...


class Driver:
    """Feeds inputs, journals them with what comes out, performs effects, sets the timer.

    What performs the effects hands its answers to this driver, so it is built later: `perform`
    is set before the start.
    """

    perform: Callable[[Effect], None]

    def __init__(
        self, env: Clock, observer: str, control_plane: ControlPlane, journal: Journal
    ) -> None:
        self.env = env
        self.observer = observer
        self.deputy: Deputy | None = None
        """Who takes over the probing of masters, if anybody does: set before the start."""
        self._control_plane = control_plane
        self._journal = journal
        self._timer = Timer(env, partial(self.feed, WOKEN))
        self.listener: Callable[[Event], None] | None = None
        """Is told of every event, if somebody wants to know: set before the start."""
        self._stalls = self._deaths = 0
        self.remembers: Memory = "everything"
        """What is left of the control plane's state when its process is killed."""
        self._unheard: list[Input] = []
        self.answers = Answers()
        """What becomes of answers on their way to this control plane."""

    @property
    def control_plane(self) -> ControlPlane:
        """The control plane, for somebody who asks it: it knows all that has happened by now."""
        self.settle()
        return self._control_plane

    def settle(self) -> None:
        """Bring the control plane up to date: nothing is taken over from it any more."""
        if self.deputy is not None:
            self.deputy.settle()

    def start(self) -> None:
        """Start the control plane."""
        now = self.env.now
        self._take(now, self._control_plane.start(now))
        self._timer.set(self._control_plane.next_wakeup())

    def feed(self, item: Input) -> None:
        """Hand one input to the control plane, now, or when it stands still no longer.

        A dead one hears nothing.
        """
        if self.answers.struck and self.answers.concern(item):
            for later_ns in self.answers.again_ns:
                Call(self.env, later_ns, INPUT, self._receive_again, item)
            if self.answers.lost:
                return
        self._hear(item)

    def _receive_again(self, call: Call) -> None:
        if not self.answers.lost:
            self._hear(call.load)

    def _hear(self, item: Input) -> None:
        if self._deaths:
            return
        if self._stalls:
            self._unheard.append(item)
            return
        if self.deputy is None:
            self.tell(item)
            return
        self.deputy.before(item)
        self.tell(item)
        self.deputy.after(item)

    def tell(self, item: Input) -> None:
        """The same, past the deputy."""
        now, control_plane = self.env.now, self._control_plane
        self._journal.records.append(new_record(Record, (now, "input", item, self.observer)))
        outputs = take(control_plane, now, item)
        if outputs:
            self._take(now, outputs)
        self._journal.keep_up()
        self.wait()

    def wait(self) -> None:
        """Have the control plane woken when it wants to be."""
        at = self._control_plane.next_wakeup()
        if at == self._timer.at:
            return
        if at is None and self.deputy is not None and self.deputy.active:
            self._timer.stop()  # it would want to be, but for what is taken over
        else:
            self._timer.set(at)

    def stall(self) -> None:
        """The control plane stands still: it hears nothing, and is not woken."""
        self.settle()
        self._stalls += 1

    def resume(self) -> None:
        """As often as it was stalled: it hears what has come meanwhile, in that order."""
        self._stalls -= 1
        if self._stalls:
            return
        unheard, self._unheard = self._unheard, []
        for item in unheard:
            if type(item) is not WakeUp:  # inputs come before wake-ups
                self._hear(item)
        if any(type(item) is WakeUp for item in unheard):
            self._hear(WOKEN)

    @property
    def stalled(self) -> bool:
        """Whether it stands still, or is dead."""
        return self._stalls > 0 or self._deaths > 0

    @property
    def id(self) -> str:
        """The observer's name."""
        return self.observer

    def kill(self) -> None:
        """The process dies; several reasons to be dead may overlap."""
        self.settle()
        if not self._deaths and self.remembers == "everything":
            self.tell(TakeSnapshot())
        self._deaths += 1
        self._timer.stop()

    def revive(self) -> None:
        """One reason is gone; with the last one another process starts."""
        self._deaths -= 1
        if not self._deaths:
            self.tell(Restart(self.remembers != "nothing"))

    def keep_snapshots(self, interval_ns: int) -> None:
        """Write the state away every so often."""
        Call(self.env, interval_ns, INPUT, self._snapshot, interval_ns)

    def _snapshot(self, call: Call) -> None:
        if not self.stalled:
            self.settle()
            self.tell(TakeSnapshot())
        self.keep_snapshots(call.load)

    def receive(self, call: Call) -> None:
        """The input that a call carries has arrived."""
        self.feed(call.load)

    def _take(self, now: int, outputs: list[Output]) -> None:
        append, observer = self._journal.records.append, self.observer
        for output in outputs:
            lane: Lane = "event" if type(output) in EVENT_TYPES else "effect"
            append(new_record(Record, (now, lane, output, observer)))
        listener = self.listener
        for output in outputs:
            if type(output) in EVENT_TYPES:
                if listener is not None:
                    listener(cast(Event, output))
            else:
                # By type it is an effect, which the checker of types cannot follow.
                self.perform(cast(Effect, output))
