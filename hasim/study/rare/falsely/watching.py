"""The real detection service of one healthy master, crossing by crossing, and back again."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from hasim.events import Heartbeat, Input, Output, ProbeReply, SendProbe, StatusChanged, WakeUp
from hasim.model import Cause, Cluster, Master, Status
from hasim.services.agenda import NEVER
from hasim.services.detection.rewinding import Memory, Rewindable
from hasim.services.detection.settings import DetectionSettings
from hasim.study.rare.falsely.noise import LOST, Fate, Noise, Weather, pick

MASTER = "master"
Arrival = tuple[int, int, Input]
"""When something arrives, its rank among others of that time, and what it is."""


@dataclass(frozen=True, slots=True)
class Moment:
    """All there is at the time of a crossing whose fate is not decided yet.

    `bad_in_row` counts bad crossings since the last one that was not, those in flight included:
    the score of the splitting. `probe` is the number of the probe that is sent, 0 for a heartbeat.
    """

    now: int
    memory: Memory
    arrivals: tuple[Arrival, ...]
    weather: Weather
    beats: int
    bad_in_row: int
    probe: int
    status: Status

    @property
    def quiet(self) -> bool:
        """Whether nothing speaks against the master, and nothing bad is under way."""
        return self.bad_in_row == 0 and self.status is Status.HEALTHY


class Watching:
    """Runs from crossing to crossing, from wherever it is put."""

    def __init__(
        self, detection: DetectionSettings, noise: Noise, draws: np.random.Generator
    ) -> None:
        self.noise, self._draws = noise, draws
        self._patience_ns = max(
            (getattr(source, "patience_ns", 0) for source in detection.evidence), default=0
        )
        self._interval_ns = max(source.heartbeat_ns for source in detection.evidence)
        cluster = Cluster((Master(MASTER, ""),), (), (), ())
        self._service = Rewindable(detection, cluster, seed=int(draws.integers(2**63)))
        self._arrivals: list[Arrival] = []
        self._weather = noise.begin(draws.random())
        self._now, self._beats, self._bad_in_row, self._rank = 0, 0, 0, 0
        self._sent: list[int] = []
        phase_ns = int(draws.random() * self._interval_ns)
        self._first_beat_ns = phase_ns if self._interval_ns else NEVER
        self.declared = False
        self._hear(self._service.start_monitoring(0))

    # -- where it is -------------------------------------------------------------

    def here(self) -> Moment:
        """At a crossing, before its fate."""
        return Moment(
            self._now,
            self._service.save(),
            tuple(self._arrivals),
            self._weather,
            self._beats,
            self._bad_in_row,
            self._sent[0] if self._sent else 0,
            self._status,
        )

    def put(self, moment: Moment) -> None:
        """Go (back) there."""
        self._service.load(moment.memory)
        self._arrivals = list(moment.arrivals)
        self._weather, self._now = moment.weather, moment.now
        self._beats, self._bad_in_row = moment.beats, moment.bad_in_row
        self._sent = [moment.probe] if moment.probe else []
        self.declared = False

    @property
    def quiet(self) -> bool:
        """As of `Moment`."""
        return self._bad_in_row == 0 and self._status is Status.HEALTHY

    @property
    def bad_in_row(self) -> int:
        """As of `Moment`."""
        return self._bad_in_row

    @property
    def now(self) -> int:
        """The time, in nanoseconds."""
        return self._now

    @property
    def _status(self) -> Status:
        return self._service.get_all_master_statuses()[MASTER]

    # -- onward --------------------------------------------------------------------

    def fates(self) -> list[Fate]:
        """What may become of the crossing that it stands at."""
        u = (float(self._draws.random()), float(self._draws.random()))
        if self._sent:
            return self.noise.probe(self._now, self._weather, self._patience_ns, u)
        return self.noise.heartbeat(self._now, self._weather, u)

    def pick(self, fates: list[Fate], *, bad: bool | None = None) -> tuple[Fate, float]:
        """One of the fates (None: any; else bad ones, or good ones), and the chance of such."""
        return pick(fates, self._draws.random(), bad=bad)

    def pick_bad(self) -> tuple[Fate | None, float]:
        """A bad fate and the chance of any such; None if there is none."""
        fates = self.fates()
        if not any(fate.bad for fate in fates):
            return None, 0.0
        return self.pick(fates, bad=True)

    def suffer(self, fate: Fate) -> None:
        """The crossing ends so."""
        self._weather = fate.weather
        self._bad_in_row = self._bad_in_row + 1 if fate.bad else 0
        if self._sent:
            number = self._sent.pop(0)
            item: Input = ProbeReply(MASTER, number, Cause.OK)
        else:
            self._beats += 1
            item = Heartbeat(MASTER, self._beats, self._now)
        if fate.taken_ns != LOST:
            self._rank += 1
            heapq.heappush(self._arrivals, (self._now + fate.taken_ns, self._rank, item))

    def run(self) -> bool:
        """On to the next crossing, or to a declaration: then False."""
        service = self._service
        while not self._sent and not self.declared:
            wake_ns = service.next_wakeup()
            beat_ns = self._first_beat_ns + self._beats * self._interval_ns
            arrival_ns = self._arrivals[0][0] if self._arrivals else NEVER
            self._now = min(NEVER if wake_ns is None else wake_ns, beat_ns, arrival_ns)
            if arrival_ns == self._now:  # inputs before wake-ups
                item = heapq.heappop(self._arrivals)[2]
                self._hear(service.take(self._now, item))
            elif beat_ns == self._now:
                return True
            else:
                self._hear(service.take(self._now, WakeUp()))
        return not self.declared

    def _hear(self, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, SendProbe):
                self._sent.append(output.probe)
            elif isinstance(output, StatusChanged) and output.new is Status.FAILED:
                self.declared = True
