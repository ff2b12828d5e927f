"""Settings of the failover orchestrator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from hasim.services.failover.fencing.confirmed import ConfirmedSettings
from hasim.services.failover.fencing.fencing import FencingSettings
from hasim.services.failover.registry import FENCINGS, PRESETS
from hasim.services.failover.selection.rules import RULES
from hasim.settings import Name, count, duration, settings
from hasim.settings.parts import Part, PartsBeside
from hasim.settings.presets import Preset
from hasim.settings.registry import Named
from hasim.units import MILLISECOND, MINUTE, SECOND, format_duration


@settings
class FailoverSettings(PartsBeside):
    """Selection, fencing and the time that each step may take.

    In a scenario fencing is its name, and its settings stand with it:
    ``{fencing: {kind: confirmed, timeout: 5s}}``. A preset is a system's own settings, and what
    stands beside it overrides it: ``{preset: sentinel, limit: 1m}``.
    """

    PRESETS: ClassVar[Named[Preset]] = PRESETS

    selection: tuple[Annotated[str, Name(RULES.names)], ...] = ("priority",)
    """The rules that choose the backup among the eligible masters, applied in this order; before
    them, those that are to be preferred by their `promotion_rule`."""
    region_guard: bool = False
    """Whether only masters of the failed one's region may take over. Source: orchestrator
    PreventCrossRegionMasterFailover."""
    report_interval_ns: Annotated[
        int,
        duration(
            "Masters tell how far their copies are this often, where anything goes by it.",
            source="Redis Sentinel: INFO each second while a master is down (10 s otherwise)",
            above=0,
        ),
    ] = SECOND
    report_age_ns: Annotated[
        int | None,
        duration(
            "A candidate that has told nothing for longer is not reachable, and is passed over; "
            "null: whoever is declared healthy may take over.",
            source="Redis Sentinel: INFO older than 5 s or 3 periods disqualifies a replica",
        ),
    ] = None
    if_none: Literal["wait", "fail", "promote"] = "wait"
    """What is done when nobody passes: `wait` for somebody, `fail` (and begin again after
    `retry_interval`), or `promote` the best of those that the lag, the region guard or the age of
    their report has kept back, though never one that must not."""
    wait_ns: Annotated[
        int,
        duration(
            "So long is waited for a candidate before the failover fails. 0: as long as it takes.",
        ),
    ] = 0
    fencing: Annotated[FencingSettings, Part(FENCINGS)] = ConfirmedSettings()
    """How it is made sure that a failed owner accepts no writes when a backup is promoted. Only
    owners of state are ever fenced: a master that owns nothing is marked down by the routing."""
    delay_ns: Annotated[
        int,
        duration(
            "Time between the verdict and the failover; routing avoids the master at once. Who "
            "returns within it stays the owner.",
            source="Kubernetes tolerationSeconds of not-ready (300 s); CloudNativePG "
            "failoverDelay (0)",
        ),
    ] = 0
    block_ns: Annotated[
        int,
        duration(
            "After a failover, its partitions are not failed over again for this long "
            "(anti-flapping): a failover that is declared meanwhile is held, and counted as "
            "suppressed if it never begins. An operator's `acknowledge` ends it. 0: no block.",
            source="orchestrator RecoveryPeriodBlockSeconds (1 h)",
        ),
    ] = 0
    blocks: Literal["same-fault", "any-fault"] = "same-fault"
    """What is blocked: the `same-fault`, that is one with the same diagnosis as before, which a
    failover did not help against; or, as orchestrator has it, `any-fault`."""
    failback: Literal["manual", "automatic"] = "manual"
    """`manual`: never, unless an operator moves a partition back. `automatic`: its first owner
    takes it back by a planned switchover, a second short interruption (keepalived: preempt)."""
    failback_after_ns: Annotated[
        int,
        duration(
            "The first owner must have been declared healthy for this long before it takes back.",
            source="keepalived preempt_delay; 10 min against flapping",
        ),
    ] = 10 * MINUTE
    stickiness: Annotated[
        int | None,
        count(
            "With `failback: automatic`, the first owner takes back only if its priority number is "
            "lower than that of the present one by more than this; null: whatever they are.",
            source="Pacemaker resource-stickiness (0; 1 for clones), here in priority numbers",
            least=0,
        ),
    ] = None
    migration_threshold: Annotated[
        int,
        count(
            "Who has been declared failed so many times is not promoted until that is forgotten "
            "(`failure_timeout`). 0: however often.",
            source="Pacemaker migration-threshold (INFINITY)",
            least=0,
        ),
    ] = 0
    failure_timeout_ns: Annotated[
        int,
        duration(
            "So long after the last failure of a master, all of them are forgotten; 0: never.",
            source="Pacemaker failure-timeout (0)",
        ),
    ] = 0
    max_lag_ns: Annotated[
        int | None,
        duration(
            "A candidate whose copy is further behind the owner is not promoted, but the next one "
            "tried: by what it tells before it is chosen, and by what it holds after the transfer; "
            "null: whoever is chosen is promoted.",
            source="Patroni maximum_lag_on_failover, in time",
        ),
    ] = None
    synchronous_only: bool = False
    """Whether only standbys may take over for whose copies the owner has waited before it
    acknowledged writes (`replication.acknowledge`), by its last word on that: they lack nothing
    that was acknowledged. Source: Patroni synchronous_mode (false)."""
    parallel: Annotated[
        int,
        count(
            "Failovers that run at the same time; others are held until one has ended. 0: as many "
            "as there are.",
            least=0,
        ),
    ] = 10
    limit_ns: Annotated[
        int,
        duration(
            "A failover that has promoted nobody after this time, waiting aside, is taken back and "
            "given up.",
            source="Redis Sentinel failover-timeout (3 min); more, as fencing may be slow",
            above=0,
        ),
    ] = 10 * MINUTE
    most_candidates: Annotated[
        int,
        count(
            "So many are tried before a failover is given up, which it is as well if nobody is "
            "eligible; it is begun anew later. 0: all, and it waits for one that is.",
            least=0,
        ),
    ] = 0
    transfer: Literal["freshest", "none"] = "freshest"
    """What a candidate fetches before it is promoted for a failed owner: the `freshest` copy that
    can be reached, or nothing (`none`): it is promoted with what it has."""
    unapplied: Literal["apply", "fail", "discard"] = "apply"
    """What becomes of writes that a candidate has received, and not applied yet, when its owner has
    failed: it applies them before it is promoted (`apply`), it is passed over if it says that there
    are any (`fail`), or it is promoted at once and they are lost (`discard`). Source: orchestrator
    DelayMasterPromotionIfSQLThreadNotUpToDate, FailMasterPromotionIfSQLThreadNotUpToDate, neither;
    PostgreSQL and Redis apply."""
    promotion: Literal["by-answer", "by-role"] = "by-answer"
    """When a promotion is known: by the answer to the order, or by the role that the candidate
    says it has when it is asked (`role_interval`)."""
    role_interval_ns: Annotated[
        int,
        duration(
            "While a failover is under way, masters are asked for their role this often, reckoned "
            "from the verdict on the owner.",
            source="Redis Sentinel's INFO to replicas in a failover (1 s)",
            above=0,
        ),
    ] = SECOND
    role_idle_interval_ns: Annotated[
        int,
        duration(
            "At other times they are asked this often.",
            source="Redis SENTINEL_INFO_PERIOD (10 s)",
            above=0,
        ),
    ] = 10 * SECOND
    role_jitter_ns: Annotated[
        int,
        duration(
            "Up to so much later, as questions go out at the ticks of a timer.",
            source="Redis sentinelTimer: 10 to 19 Hz, drawn at each tick; 37 ms late in the mean",
        ),
    ] = 75 * MILLISECOND
    role_grace_ns: Annotated[
        int,
        duration(
            "An old owner that returns is told to step down when it is first asked for its role "
            "after this time; 0: at once.",
            source="Redis Sentinel: 4 x SENTINEL_PUBLISH_PERIOD (8 s)",
        ),
    ] = 0
    transfer_timeout_ns: Annotated[
        int,
        duration(
            "A state transfer without a result after this time is torn and rolled back.",
            source="Vitess wait-replicas-timeout (30 s)",
            above=0,
        ),
    ] = 30 * SECOND
    promote_timeout_ns: Annotated[
        int,
        duration(
            "A promotion without an answer after this time is rolled back.",
            source="Patroni retry_timeout (10 s); one command here",
            above=0,
        ),
    ] = 3 * SECOND
    demote_timeout_ns: Annotated[
        int,
        duration(
            "A demotion without an answer after this time makes the candidate be fenced.", above=0
        ),
    ] = 3 * SECOND
    demote_retry_ns: Annotated[
        int,
        duration(
            "Time until a master is told again to step down; while it is not declared healthy, "
            "pauses grow to eight times as much.",
            above=0,
        ),
    ] = 1 * SECOND
    redirect_timeout_ns: Annotated[
        int,
        duration(
            "The redirection ends after this time even if a gateway has not acknowledged the "
            "routing.",
            above=0,
        ),
    ] = 10 * SECOND
    verify_timeout_ns: Annotated[
        int,
        duration("So long is waited for the new owner to be declared healthy.", above=0),
    ] = 10 * SECOND
    retry: Literal["after-interval", "by-election"] = "after-interval"
    """Who begins a failover anew that could not finish: the same control plane, after
    `retry_interval`, or whoever is elected for it (`leadership`)."""
    retry_interval_ns: Annotated[
        int,
        duration(
            "Time until the next failover of a master whose failover could not finish.", above=0
        ),
    ] = 5 * SECOND

    def problems(self) -> Iterator[tuple[str, str]]:
        """What does not fit together: (setting, message)."""
        asked_ns = self.role_interval_ns + self.role_jitter_ns
        if self.promotion == "by-role" and self.promote_timeout_ns <= asked_ns:
            why = "the role is asked for, or no promotion is ever known"
            yield "promote_timeout", f"must be longer than {format_duration(asked_ns)}, until {why}"

    @property
    def wants_reports(self) -> bool:
        """Whether anything goes by what masters tell of their copies."""
        told = self.report_age_ns is not None or self.max_lag_ns is not None
        told = told or self.synchronous_only
        return told or self.unapplied == "fail" or "freshest" in self.selection
