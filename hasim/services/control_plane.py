"""The control plane: builds the four services, wires their events, contains their failures."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, ClassVar, Protocol, cast, get_args

from hasim.events import Event, Input, Output, ServiceFailed, SwitchAlgorithm, WakeUp
from hasim.model import Cluster
from hasim.services.balancing.service import LoadBalancingService
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.detection import DetectionSettings, FailoverDetectionService
from hasim.services.door import Door, InputError
from hasim.services.failover import FailoverOrchestrator, FailoverSettings
from hasim.services.monitoring import HighAvailabilityMonitor, MonitorSettings

EVENTS = frozenset(get_args(Event))
NEVER = sys.maxsize


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
    of chance from its driver, by which its checks begin somewhere in their interval.
    """

    def __init__(
        self,
        cluster: Cluster,
        detection: DetectionSettings | None = None,
        failover: FailoverSettings | None = None,
        balancing: BalancingSettings | None = None,
        monitor: MonitorSettings | None = None,
        *,
        observer: str = "",
        seed: int | None = None,
    ) -> None:
        self.observer = observer
        self._seed = seed
        self._detection_settings = detection or DetectionSettings()
        self._failover_settings = failover or FailoverSettings()
        self._balancing_settings = balancing or BalancingSettings()
        self._monitor_settings = monitor or MonitorSettings()
        self.cluster = cluster
        self._door = Door(cluster)
        self._install(
            FailoverDetectionService(self._detection_settings, cluster, seed=seed),
            FailoverOrchestrator(self._failover_settings, cluster),
            LoadBalancingService(self._balancing_settings, cluster),
            HighAvailabilityMonitor(self._monitor_settings, cluster, observer=observer),
        )

    def _install(
        self,
        detection: FailoverDetectionService,
        failover: FailoverOrchestrator,
        balancing: LoadBalancingService,
        monitor: HighAvailabilityMonitor,
    ) -> None:
        """Register the four by name and wire their events."""
        self.detection, self.failover = detection, failover
        self.balancing, self.monitor = balancing, monitor
        self.services: dict[str, Service] = {
            "detection": self.detection,
            "failover": self.failover,
            "balancing": self.balancing,
            "monitor": self.monitor,
        }
        self._due_ns = {
            name: NEVER if (time := service.next_wakeup()) is None else time
            for name, service in self.services.items()
        }
        self._next_ns = min(self._due_ns.values())
        self._takers: dict[type[Input], list[tuple[str, Service]]] = {
            kind: [(name, s) for name, s in self.services.items() if kind in s.INPUTS]
            for kind in get_args(Input)
        }
        self._listeners: dict[str, Callable[[int, Event], list[Output]]] = {
            "failover": self.failover.handle_failover_event,
            "balancing": self.balancing.handle_event,
            "monitor": self.monitor.handle_event,
        }

    def freeze(self) -> dict[str, Any]:
        """The state of all four services as plain data (JSON)."""
        return {
            "detection": self.detection.freeze(),
            "failover": self.failover.freeze(),
            "balancing": self.balancing.freeze(),
            "monitor": self.monitor.freeze(),
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Go on where the control plane stood that `freeze` was called on.

        Its configuration must be the same; what happened since is learned from
        probes, reports and step timeouts.
        """
        self._install(
            FailoverDetectionService.restore(
                self._detection_settings, self.cluster, data["detection"], seed=self._seed
            ),
            FailoverOrchestrator.restore(self._failover_settings, self.cluster, data["failover"]),
            LoadBalancingService.restore(self._balancing_settings, self.cluster, data["balancing"]),
            HighAvailabilityMonitor.restore(
                self._monitor_settings, self.cluster, data["monitor"], observer=self.observer
            ),
        )

    def start(self, now: int) -> list[Output]:
        """Start monitoring; raises RuntimeError if a service is not healthy after that."""
        out = self._guarded(now, "monitor", self.monitor.initialize_monitoring)
        out += self._guarded(now, "detection", self.detection.start_monitoring)
        sick = [name for name, service in self.services.items() if not service.healthy()]
        if sick:
            raise RuntimeError(f"not healthy after the start: {', '.join(sick)}")
        return out

    def stop(self, now: int) -> list[Output]:
        """Stop probing and close the monitor's books."""
        out = self._guarded(now, "detection", self.detection.stop_monitoring)
        return out + self._guarded(now, "monitor", self.monitor.shutdown)

    def step(self, now: int, item: Input) -> list[Output]:
        """Take one input at `now` (nanoseconds); effects and events in the order decided.

        Raises InputError, and changes nothing, for one that cannot be, and for a time that runs
        back: no service has failed by it, and drivers journal it (`door.take`).
        """
        self._door.check(now, item)
        out: list[Output] = []
        woken, due_ns = type(item) is WakeUp, self._due_ns
        for name, service in self._takers[type(item)]:
            if not woken or due_ns[name] <= now:
                made = self._guarded(now, name, service.take, item)
                out = out + made if out else made
        return out

    def next_wakeup(self) -> int | None:
        """The earliest time at which a service wants to be called (nanoseconds)."""
        return None if self._next_ns == NEVER else self._next_ns

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
        if not made or (len(made) == 1 and type(made[0]) not in EVENTS):
            return made
        out: list[Output] = []
        for output in made:
            out.append(output)
            if type(output) in EVENTS:
                out += self._tell(now, name, cast(Event, output))
        return out

    def _ask(self, name: str) -> None:
        """When a service wants to be called, now that it was."""
        time = self.services[name].next_wakeup()
        if time != self._due_ns[name]:
            self._due_ns[name] = NEVER if time is None else time
            self._next_ns = min(self._due_ns.values())

    def _tell(self, now: int, origin: str, event: Event) -> list[Output]:
        out: list[Output] = []
        for name, listener in self._listeners.items():
            # The failure of a service concerns the monitor alone, so that failures
            # of several services cannot echo between them.
            if name != origin and (name == "monitor" or not isinstance(event, ServiceFailed)):
                out += self._guarded(now, name, listener, event)
        return out
