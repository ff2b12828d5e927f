"""The control plane: builds the four services, wires their events, contains their failures."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any, ClassVar, Protocol, cast, get_args

from hasim.events import (
    Event,
    Input,
    ObserverTold,
    Output,
    OwnerChanged,
    ProbeStretch,
    ReplicaReport,
    Restart,
    ServiceFailed,
    StatusChanged,
    SwitchAlgorithm,
    TakeSnapshot,
    TermBegun,
    TermEnded,
    WakeUp,
)
from hasim.model import Cluster, Diagnosis, Status
from hasim.services.accession import AccessionSettings, Heard
from hasim.services.agenda import NEVER
from hasim.services.assembly import Assembly, Four
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.detection import DetectionSettings
from hasim.services.door import Door, InputError
from hasim.services.failover import FailoverSettings
from hasim.services.leadership.settings import LeadershipSettings
from hasim.services.monitoring import MonitorSettings

EVENTS = frozenset(get_args(Event))
PAUSE_NS = 1_000_000_000
"""A service that raised at its own wake-up is woken again after a second, not at once."""
WATCHERS = ("detection", "monitor")
"""Those that give no orders: at work before a term begins."""
NOTED = (ReplicaReport,)
"""Inputs that are only noted: whoever acts later goes by what it has heard before."""
ASKING = "asking"
PROCESS = (TakeSnapshot, Restart)
"""Inputs that concern no service, but the process of them all."""
AMONG_OBSERVERS = (ObserverTold,)
"""Inputs that concern no service, but which of several control planes acts."""
TERMED = frozenset(
    kind for kind in get_args(Input) if "term" in {field.name for field in fields(kind)}
)
"""Inputs that say a term of those that sent them."""


class Service(Protocol):
    """What the control plane needs of a service."""

    INPUTS: ClassVar[frozenset[type[Input]]]
    """The kinds of input that concern it; it is not called for others, nor woken before time."""

    def take(self, now: int, item: Input) -> list[Output]:
        """Take one input that has been looked at (`Door`)."""
        ...

    def next_wakeup(self) -> int | None:
        """When to be called if nothing happens."""
        ...

    def healthy(self) -> bool:
        """Whether the service is at work."""
        ...


class ControlPlane:
    """One sans-IO machine of four: detection, failover, balancing, monitor.

    Every input goes to each of them that it concerns, in that order; every event that one of them
    emits goes to the others before the next input. Effects keep the order in
    which they were decided. A service that raises is reported by a
    `ServiceFailed` event; the others keep running. When a service wants to be
    woken is asked after each of its calls, so all calls that change it go through here.
    `observer` is its name, where there are several: dashboards and metrics say it. `seed`: 64 bits
    of chance from its driver, by which its checks begin somewhere in their interval. One that does
    not act (`acts`) only detects, and gives its opinion to the observer that does.

    It acts under a `term`. One that starts among masters at work, or is restored, first asks what
    they know (`Accession`): until a majority has answered, detection and the monitor
    are at work alone. If it hears of a later term it acts no more, and asks again.
    """

    def __init__(
        self,
        cluster: Cluster,
        detection: DetectionSettings | None = None,
        failover: FailoverSettings | None = None,
        balancing: BalancingSettings | None = None,
        monitor: MonitorSettings | None = None,
        accession: AccessionSettings | None = None,
        leadership: LeadershipSettings | None = None,
        *,
        observer: str = "",
        seed: int | None = None,
        acts: bool = True,
    ) -> None:
        self.observer = observer
        self.acts = acts
        self.cluster = cluster
        self._assembly = Assembly(
            cluster,
            detection or DetectionSettings(),
            failover or FailoverSettings(),
            balancing or BalancingSettings(),
            monitor or MonitorSettings(),
            accession or AccessionSettings(),
            leadership or LeadershipSettings(),
            observer,
            seed,
        )
        self._door = Door(cluster, ALGORITHMS)
        self._disk: str | None = None
        self._forget()

    def _forget(self) -> None:
        """As at the birth of the cluster."""
        self._reign = self._assembly.reign()
        self._acted = False
        """Whether it acted when its reign was looked at last."""
        self._install(self._assembly.services())

    def _install(self, four: Four) -> None:
        """Register the four by name and wire their events."""
        self._four = four
        self.detection, self.failover, self.balancing, self.monitor = four
        self.services: dict[str, Service] = dict(four._asdict())
        if not self.acts:
            self.services = {"detection": self.detection}
        self._due_ns = {
            name: NEVER if (time := service.next_wakeup()) is None else time
            for name, service in self.services.items()
        }
        self._next_ns = min(self._due_ns.values())
        self._takers = {
            kind: [(name, s) for name, s in self.services.items() if kind in s.INPUTS]
            for kind in get_args(Input)
        }
        self._at_rest = {
            kind: takers if kind in NOTED else [(n, s) for n, s in takers if n in WATCHERS]
            for kind, takers in self._takers.items()
        }
        self._listeners: dict[str, Callable[[int, Event], list[Output]]] = {
            "detection": self.detection.handle_event,
            "failover": self.failover.handle_failover_event,
            "balancing": self.balancing.handle_event,
            "monitor": self.monitor.handle_event,
        }
        self._listeners = {n: take for n, take in self._listeners.items() if n in self.services}

    def freeze(self) -> dict[str, Any]:
        """The state of all four services as plain data (JSON), and of which configuration it is."""
        configuration = {"configuration": self._assembly.fingerprint, "last_ns": self._door.last_ns}
        return configuration | self._reign.freeze() | self._four.freeze()

    def restore(self, data: dict[str, Any]) -> None:
        """Go on where the control plane stood that `freeze` was called on.

        ValueError, and nothing is changed, if that had another configuration, or was of a version
        of hasim that froze something else. To be followed by `resume`: what has happened since is
        learned by asking. It refuses any time before the last one that the other had seen.
        """
        four, reign, last_ns = self._assembly.read(data)
        self._door.go_on(last_ns)
        self._reign = reign
        self._install(four)

    @property
    def term(self) -> int:
        """Under which it acts, or has acted last."""
        return self._reign.term

    def reborn(self, frozen: dict[str, Any] | None = None) -> ControlPlane:
        """Another control plane of the same configuration, which remembers nothing, or this."""
        made = copy.copy(self)
        made._door, made._disk = Door(self.cluster, ALGORITHMS), None
        if frozen is None:
            made._forget()
        else:
            made._reign, made._acted = self._assembly.reign(), False
            made.restore(frozen)
        return made

    def resume(self, now: int) -> list[Output]:
        """Go on after `restore`, or begin without a memory among masters that are at work.

        Probes that were under way are sent anew; what was ordered is ordered again when a majority
        has said what it knows. InputError, and nothing is changed, for a time before the last that
        was seen: by it, answers would be awaited that are long overdue, and leases hold for ever.
        """
        self._door.check_time(now)
        return self._start(now, born=False)

    def start(self, now: int) -> list[Output]:
        """Start monitoring, at the birth of the cluster.

        Raises RuntimeError if a service is not healthy after that. All that the configuration says
        is taken to be so; one that is started later than the masters is to `resume`.
        """
        return self._start(now, born=True)

    def _start(self, now: int, *, born: bool) -> list[Output]:
        out = self._guarded(now, "monitor", self.monitor.initialize_monitoring) if self.acts else []
        out += self._guarded(now, "detection", self.detection.start_monitoring)
        sick = [name for name, service in self.services.items() if not service.healthy()]
        if sick:
            raise RuntimeError(f"not healthy after the start: {', '.join(sick)}")
        return out + self._reigned(self._reign.begin(now, born=born)) if self.acts else out

    def stop(self, now: int) -> list[Output]:
        """Stop probing and close the monitor's books."""
        out = self._guarded(now, "detection", self.detection.stop_monitoring)
        return out + self._guarded(now, "monitor", self.monitor.shutdown) if self.acts else out

    def step(self, now: int, item: Input) -> list[Output]:
        """Take one input at `now` (nanoseconds); effects and events in the order decided.

        Raises InputError, and changes nothing, for one that cannot be, and for a time that runs
        back: no service has failed by it, and drivers journal it (`door.take`).
        """
        self._door.check(now, item)
        if type(item) in PROCESS:
            return self._live(now, item)
        out: list[Output] = []
        if type(item) in TERMED and cast(Any, item).term > self.term and self._reign.acts:
            out = self._reigned(self._reign.outbid(now, cast(Any, item).term))
        woken, due_ns = type(item) is WakeUp, self._due_ns
        for name, service in (self._takers if self._reign.acts else self._at_rest)[type(item)]:
            if not woken or due_ns[name] <= now:
                made = self._guarded(now, name, service.take, item)
                out = out + made if out else made
        # Probes that are told at once ended before now: by nothing but a verdict a term may begin.
        if self._is_heard(now, item) and (out or type(item) is not ProbeStretch):
            out = out + self._hear(now, item)
        return out

    def next_wakeup(self) -> int | None:
        """The earliest time at which a service wants to be called (nanoseconds)."""
        return None if self._next_ns == NEVER else self._next_ns

    def _live(self, now: int, item: Input) -> list[Output]:
        """What befalls the process: its state is written away, or it is another one by now."""
        if isinstance(item, Restart):
            self._forget()
            if item.from_snapshot and self._disk is not None:
                self.restore(json.loads(self._disk))
            return self.resume(now)
        self._disk = json.dumps(self.freeze())
        return []

    # -- terms ---------------------------------------------------------------------

    def _reigned(self, out: Sequence[Output]) -> list[Output]:
        """What is asked, or told, by its reign; services that give orders rest if it rests.

        What was ordered outside of the masters, who obey the later term, is taken back first.
        """
        acted, self._acted = self._acted, self._reign.acts
        if not self._acted:
            for name in self.services:
                if name not in WATCHERS:
                    self._due(name, NEVER)
        self._due(ASKING, self._reign.next_wakeup())
        ends = acted and not self._acted
        return [*self.failover.resign(), TermEnded(self.term), *out] if ends else [*out]

    def _is_heard(self, now: int, item: Input) -> bool:
        due = type(item) is WakeUp and self._due_ns.get(ASKING, NEVER) <= now
        return due or (self._reign.concerns(item) and self.acts)

    def _hear(self, now: int, item: Input) -> list[Output]:
        """Take what may be an answer to what was asked of everybody, and act if it is enough."""
        reign, failed = self._reign, self.detection.get_failed_masters()
        out = self._reigned(reign.hear(now, item))
        accession = reign.granted(now, failed)
        if accession is not None:
            self._acted = True
            statuses = self.detection.get_all_master_statuses()
            heard = Heard(reign.term, accession.masters, accession.gateways, statuses)
            made = self._guarded(now, "failover", partial(self.failover.accede, heard=heard))
            begun = next((o for o in made if isinstance(o, TermBegun)), None)
            heard = replace(heard, owners=begun.owners if begun else ())
            out += made
            out += self._guarded(now, "balancing", partial(self.balancing.accede, heard=heard))
            why = "declared failed before the term began"
            reign.doubt(
                now,
                [
                    StatusChanged(m, Status.FAILED, Status.FAILED, Diagnosis.NONE, why)
                    for m in failed
                    if m in accession.masters
                ],
            )
        doubted = reign.doubted
        for event in (*reign.confirmed(now, failed), *reign.undoubted(now)):
            out += self._guarded(now, "failover", self.failover.handle_failover_event, event)
        for master in reign.doubted:
            if accession is not None or master not in doubted:
                check = partial(self.detection.check_master_health, master=master)
                out += self._guarded(now, "detection", check)
        self._due(ASKING, reign.next_wakeup())
        return out

    def concerns(self, now: int, item: Input) -> list[str]:
        """The masters whose verdict, or whose probing, may change by an input at `now`.

        Who probes a master instead tells before the input what became of the probes. What is due
        to be probed at a wake-up is known to it and not said here.
        """
        found = [] if type(item) is WakeUp else list(self.detection.concerns(item))
        if self._is_heard(now, item):
            found += self.detection.get_failed_masters()  # who answers others is asked at once
        return found

    def hand_over_probing(self, master: str) -> None:
        """Somebody else probes a master from now on, see `FailoverDetectionService.rhythm`."""
        self.detection.hand_over_probing(master)
        self._ask("detection")

    def take_back_probing(self, master: str) -> None:
        """Nothing came of that."""
        self.detection.take_back_probing(master)
        self._ask("detection")

    def switch_algorithm(self, now: int, algorithm: str) -> list[Output]:
        """Balance with another algorithm from now on."""
        return self.step(now, SwitchAlgorithm(algorithm))

    def _guarded(
        self,
        now: int,
        name: str,
        call: Callable[..., list[Output]],
        about: Input | Event | None = None,
    ) -> list[Output]:
        """What a service does, followed by what the others do about its events."""
        try:
            made = call(now) if about is None else call(now, about)
        except InputError:
            raise  # by the one service that it concerns, before anything was changed
        except Exception as error:  # whatever it is, the other services go on
            made = [ServiceFailed(name, f"{type(error).__name__}: {error}")]
        self._ask(name)
        if self._due_ns[name] <= now and made and type(made[0]) is ServiceFailed:
            self._due(name, now + PAUSE_NS)
        if not made or (len(made) == 1 and type(made[0]) not in EVENTS):
            return made
        out: list[Output] = []
        for output in made:
            out.append(output)
            if type(output) in EVENTS:
                out += self._tell(now, name, cast(Event, output))
        return out

    def _ask(self, name: str) -> None:
        """When a service wants to be called, now that it was; never while it rests."""
        at_work = name in WATCHERS or self._reign.acts
        time_ns = self.services[name].next_wakeup() if at_work else None
        self._due(name, NEVER if time_ns is None else time_ns)

    def _due(self, name: str, time_ns: int) -> None:
        if time_ns != self._due_ns.get(name):  # mostly it is what it was
            self._due_ns[name] = time_ns
            self._next_ns = min(self._due_ns.values())

    def _tell(self, now: int, origin: str, event: Event) -> list[Output]:
        out: list[Output] = []
        if isinstance(event, OwnerChanged | TermBegun):
            owning = self.failover.get_owning_masters()
            out += self._reigned(self._reign.leader.owns(now, owning))
        for name, listener in self._listeners.items():
            # The failure of a service concerns the monitor alone, so that failures
            # of several services cannot echo between them.
            told = name == "monitor" or not isinstance(event, ServiceFailed)
            if name == "failover" and isinstance(event, StatusChanged):
                self.failover.note_verdict(now, event)
                withheld, asked = self._reign.withhold(now, event)
                told = not withheld
                out += self._reigned(asked)
            if name != origin and told and (name in WATCHERS or self._reign.acts):
                out += self._guarded(now, name, listener, event)
        return out
