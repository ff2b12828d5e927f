"""A search through random worlds and fault schedules for one that breaks an invariant."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hasim.events import FailoverChanged, ServiceFailed
from hasim.oracle import check
from hasim.services.failover import (
    ConfirmedSettings,
    FailoverSettings,
    LeaseFencingSettings,
    NoFencingSettings,
    TokenSettings,
)
from hasim.services.failover.lifecycle import TERMINAL
from hasim.simulation.laws import Constant
from hasim.simulation.settings import (
    FencingDeviceSettings,
    MasterSettings,
    PromotionSettings,
    ReplicationSettings,
    WorldSettings,
)
from hasim.simulation.settings.faults import (
    BackupDies,
    Crash,
    Deadlock,
    DiskStall,
    GatewayCrash,
    Hang,
    LatencySpike,
    LinkStall,
    LyingHealth,
    NetworkPartition,
    ObserverStall,
    PacketLoss,
    PowerOff,
    Slow,
    Stall,
    TransferFailure,
)
from hasim.truth import PartitionServed, Writers
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation.worlds import after, lasting, run, traffic, world

FAULTS_END_S = 30
SETTLED_S = 200
"""Within this after the last cure: restarts, retries of fencing and transfer timeouts included."""


@st.composite
def faults(draw, masters: int, *, owned: bool):
    """Any kind at any target, over by `FAULTS_END_S`."""
    names = [f"m{i}" for i in range(1, masters + 1)]
    start = draw(st.sampled_from([0.0, 3.0, 3.5, 5.25, 8.0, 13.0, 21.0, 27.5]))
    length = draw(st.sampled_from([0.001, 0.4, 2.0, 9.0, 30.0]))
    common = {
        "target": draw(st.sampled_from([*names, "all", "random", *["owner-of:p1"] * owned])),
        "at": after(start),
        "for_": lasting(min(length, FAULTS_END_S - start)),
    }
    kinds = [
        lambda: Crash(kind="crash", **common),
        lambda: PowerOff(kind="power-off", **common),
        lambda: Hang(kind="hang", **common),
        lambda: Slow(kind="slow", **common),
        lambda: BackupDies(kind="backup-dies", **{**common, "target": "all"}),
        lambda: GatewayCrash(kind="gateway-crash", **{**common, "target": "all"}),
        lambda: DiskStall(kind="disk-stall", **common),
        lambda: Deadlock(kind="deadlock", **common),
        lambda: LyingHealth(kind="lying-health", **common),
        lambda: Stall(kind="stall", **common),
        lambda: LinkStall(kind="link-stall", **common),
        lambda: ObserverStall(kind="observer-stall", **{**common, "target": "random"}),
        lambda: TransferFailure(kind="transfer-failure", **common),
        lambda: PacketLoss(kind="packet-loss", loss=0.5, **common),
        lambda: LatencySpike(kind="latency-spike", extra_ns=4 * SECOND, **common),
        lambda: NetworkPartition(
            kind="partition",
            scope=draw(st.sampled_from(["all", "clients", "monitor"])),
            direction=draw(st.sampled_from(["both", "to", "from"])),
            **common,
        ),
    ]
    return draw(st.sampled_from(kinds))()


def milliseconds(*values: int) -> st.SearchStrategy[int]:
    return st.sampled_from([value * MILLISECOND for value in values])


@st.composite
def worlds(draw) -> WorldSettings:
    count, owned = draw(st.integers(1, 4)), draw(st.sampled_from([0.0, 0.5, 1.0]))
    masters = tuple(
        MasterSettings(
            id=f"m{i}",
            priority=draw(st.integers(1, 2)),
            workers=draw(st.sampled_from([1, 8])),
            queue=draw(st.sampled_from([20, 200])),
            health=draw(st.sampled_from(["shallow", "deep"])),
        )
        for i in range(1, count + 1)
    )
    confirmed = ConfirmedSettings(attempts=draw(st.sampled_from([1, 3])))
    lease = LeaseFencingSettings(ttl_ns=3 * SECOND, renew_ns=SECOND)
    ways = [confirmed, confirmed, NoFencingSettings(), lease, TokenSettings()]
    fencing = draw(st.sampled_from(ways))
    return world(
        FAULTS_END_S + SETTLED_S,
        masters=masters,
        traffic=traffic(3, owned=owned),
        faults=tuple(draw(st.lists(faults(count, owned=owned > 0), min_size=1, max_size=5))),
        replication=ReplicationSettings(
            copies=draw(st.integers(0, 3)), lag_ns=draw(milliseconds(0, 20, 3000))
        ),
        fencing_device=FencingDeviceSettings(
            latency=Constant(mean_ns=draw(milliseconds(0, 2000, 8000))),
            fails=draw(st.sampled_from([0.0, 0.3])),
            restart=Constant(mean_ns=draw(milliseconds(0, 300, 20_000))),
        ),
        promotion=PromotionSettings(duration=Constant(mean_ns=draw(milliseconds(0, 100, 2500)))),
        detection=detection(interval_ns=5 * SECOND, fall=draw(st.integers(1, 3))),
        failover=FailoverSettings(fencing=fencing),
    )


@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(worlds(), st.integers(0, 5))
def test_no_schedule_of_faults_breaks_an_invariant(made: WorldSettings, seed: int) -> None:
    journal = run(made, seed=seed)
    assert check(journal) == []
    assert list(journal.of(ServiceFailed)) == []
    if made.failover.fencing.one_primary:
        # A tier whose only master owns nothing has no writers.
        assert max((len(e.masters) for _, e in journal.of(Writers)), default=1) == 1
    # The faults are over, nothing is lost on the network: all is served, nothing is under way.
    down = {e.partition: e for _, e in journal.of(PartitionServed)}
    assert [e for e in down.values() if not e.up] == []
    state = {e.failover: e.new for _, e in journal.of(FailoverChanged)}
    assert set(state.values()) <= TERMINAL
