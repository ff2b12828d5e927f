"""How the control planes of a random world are set: algorithms, times, policies, extremes."""

from __future__ import annotations

from typing import Any

from hasim.hunt.drawing.anything import choices, law
from hasim.hunt.drawing.dice import Dice
from hasim.hunt.drawing.swarm import Swarm
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.detection.registry import DETECTORS, FLAPPINGS
from hasim.services.failover.registry import FENCINGS


def control(dice: Dice, may: Swarm, region: str) -> dict[str, Any]:
    """All that is set about detection, failover, balancing, monitor, observers."""
    slow = "slow-promotion" in may and "tight-timeouts" not in may
    made = {
        "detection": detection(dice, may),
        "failover": failover(dice, may),
        "fencing_device": device(dice, may),
        "promotion": {
            "duration": dice.one("900ms", law(dice, "300ms")) if slow else dice.one("0s", "20ms")
        },
        "replication": replication(dice, may),
        "balancing": balancing(dice, may),
        "monitor": {"hold": dice.one("0s", "2s", "10s")},
        "observer": observer(dice, may, region),
        "accession": {
            "ask_interval": dice.one("500ms", "1s"),
            "patience": dice.one("0s", "2s", "5s"),
            "majority": "before-failover" if "majority" in may else "at-start",
        },
    }
    if "leadership" in may:
        made["leadership"] = leadership(dice)
        made["observer"]["witnesses"] = [region] * dice.one(1, 2, 2)
    if "presets" in may:
        for group in ("detection", "failover"):
            if dice.happens(0.5):
                made[group] = _like_a_system(dice, group, made[group])
    return made


def leadership(dice: Dice) -> dict[str, Any]:
    """Any observer may act; times that are short beside the run."""
    if dice.happens(0.4):
        return {"preset": dice.of(choices("leadership.preset"))}
    leader = dice.of(choices("leadership.leader"))
    times = {"election_timeout": dice.time(800, 5000)}
    if leader == "by-failover":
        times["failover_timeout"] = dice.time(800, 8000)
    return {"leader": leader, **(times if leader != "fixed" else {})}


def _like_a_system(dice: Dice, group: str, own: dict[str, Any]) -> dict[str, Any]:
    """A preset, and one of the settings that were drawn in place of its own."""
    made = {"preset": dice.of(choices(f"{group}.preset"))}
    names = sorted({*own} - {"fall", "rise", "detector"})
    return made | {name: own[name] for name in dice.some(names, 0.1)}


def replication(dice: Dice, may: Swarm) -> dict[str, Any]:
    """Copies, and whether acknowledgements wait for them: for no more than there are."""
    copies = dice.one(0, 1, 2, 2)
    made: dict[str, Any] = {"copies": copies, "lag": dice.one("0s", "20ms", "2s")}
    if "waiting-writes" in may and copies:
        made["acknowledge"] = dice.one(
            {
                "kind": "semi-synchronous",
                "replicas": dice.count(1, copies),
                "timeout": dice.one("300ms", "2s", "10s"),
                "wait_no_replica": dice.one(True, False),
            },
            {
                "kind": "synchronous",
                "any": dice.count(0, copies),
                "level": dice.one("received", "flushed", "applied"),
                "if_missing": dice.one("hang", "shrink"),
                "shrink_after": dice.one("0s", "2s", "10s"),
            },
        )
    return made


def detection(dice: Dice, may: Swarm) -> dict[str, Any]:
    """Mostly probes and the threshold, whose rules the oracle knows; others now and then."""
    interval = dice.one("500ms", "1s", "1s", "3s", "10s")
    timeout = dice.one("200ms", "500ms", "500ms")
    made: dict[str, Any] = {
        "evidence": ["probe"],
        "interval": interval,
        "fast_interval": dice.one("200ms", "500ms"),
        "timeout": timeout,
        "fall": dice.one(1, 2, 2, 3, 3),
        "rise": dice.one(1, 2, 2, 3),
    }
    if "messages-evidence" in may:
        made["evidence"] = dice.one(["probe", "messages"], ["messages"], ["probe", "messages"])
        made["error_limit"] = dice.one(1, 2, 5)
        made["error_window"] = dice.one("1s", "10s")
        if dice.happens(0.2):
            made["count_by"] = dice.of(choices("detection.count_by"))
            made["on_error"] = dice.of(choices("detection.on_error"))
    if "heartbeats" in may and dice.happens(0.7):
        made["evidence"] = [*made["evidence"], "heartbeat"]
        made["heartbeat_interval"] = dice.one("500ms", "1s")
    if "other-detectors" in may:
        beats = "heartbeat" in made["evidence"]
        if dice.happens(0.4):
            made["evidence"] = [*made["evidence"], dice.of(choices("detection.evidence"))]
            made["evidence"] = list(dict.fromkeys(made["evidence"]))
            beats = "heartbeat" in made["evidence"]
        named = [name for name, own in DETECTORS.settings().items() if beats or not _numbered(own)]
        made["detector"] = dice.of(sorted({*named} & {*DETECTORS.shipped}))
        for name in ("fall", "rise"):
            if made["detector"] != "threshold":
                made.pop(name, None)
    if "flapping" in may:
        made["flapping"] = dice.of(sorted(FLAPPINGS.shipped))
    if "witnesses" in may and dice.happens(0.5):
        made["confirm"] = dice.of(choices("detection.confirm"))
    if "extremes" in may:
        made["spread_checks"] = dice.one("0%", "50%", "100%")
        made["initial_delay"] = dice.one("0s", "5s")
    return made


def _numbered(own: type[Any]) -> bool:
    """Whether a detector reckons with the numbers of heartbeats."""
    return bool(getattr(own, "NUMBERED", False))


def failover(dice: Dice, may: Swarm) -> dict[str, Any]:
    """Times that are short beside the run, so that every one of them runs out now and then."""
    tight = "tight-timeouts" in may
    made: dict[str, Any] = {
        "fencing": fencing(dice, may, tight=tight),
        "transfer_timeout": "300ms" if tight else dice.one("3s", "10s"),
        "promote_timeout": "200ms" if tight else dice.one("1s", "3s"),
        "demote_timeout": dice.one("500ms", "3s"),
        "demote_retry": dice.one("200ms", "1s"),
        "redirect_timeout": dice.one("500ms", "3s"),
        "verify_timeout": dice.one("500ms", "3s"),
        "retry_interval": dice.one("500ms", "2s"),
        "limit": dice.one("20s", "2m", "10m"),
        "selection": dice.one(["priority"], [dice.of(choices("failover.selection"))]),
    }
    if "other-failover" in may:
        for name in ("if_none", "transfer", "promotion", "retry"):
            if dice.happens(0.4):
                made[name] = dice.of(choices(f"failover.{name}"))
        if dice.happens(0.3):
            made["wait"] = dice.one("1s", "5s")
    if "policy" in may:
        made["delay"] = dice.one("0s", "3s")
        made["block"] = dice.one("0s", "20s")
        made["parallel"] = dice.one(1, 10)
    if "failback" in may:
        made["failback"] = "automatic"
        made["failback_after"] = dice.one("0s", "5s")
    if "lag-limit" in may:
        made["max_lag"] = dice.one("0s", "100ms", "3s")
    return made


def fencing(dice: Dice, may: Swarm, *, tight: bool) -> dict[str, Any]:
    """A mode, with the settings that it has."""
    mode = dice.of(sorted(FENCINGS.shipped)) if "other-fencing" in may else "confirmed"
    made: dict[str, Any] = {"kind": mode}
    if mode in ("confirmed", "best-effort"):
        made["timeout"] = "300ms" if tight else dice.one("2s", "5s")
    if mode == "confirmed":
        made |= {"attempts": dice.one(1, 2, 3, 10), "backoff": dice.one("100ms", "1s")}
    if mode in ("lease", "step-down"):  # short beside the run
        made |= {"ttl": dice.one("2s", "5s", "10s"), "renew": dice.one("500ms", "1s")}
    if mode == "step-down":
        made["wait"] = dice.one("1s", "5s", "12s")
    return made


def device(dice: Dice, may: Swarm) -> dict[str, Any]:
    """The fencing device."""
    return {
        "latency": "100ms" if "tight-timeouts" in may else dice.one("0s", "200ms", "1500ms"),
        "fails": dice.one("20%", "60%", "100%") if "sick-device" in may else "0%",
        "restart": dice.one("0s", "300ms", "3s", "15s", law(dice, "2s")),
    }


def balancing(dice: Dice, may: Swarm) -> dict[str, Any]:
    """An algorithm, and guards now and then."""
    named = dice.of(sorted(ALGORITHMS)) if "other-balancing" in may else "round-robin"
    made: dict[str, Any] = {
        "algorithm": named,
        "report_interval": dice.one("1s", "5s", "10s"),
        "resend_interval": dice.one("200ms", "1s"),
        "ring_size": 64,
        "table_size": 251,
    }
    if "guards" in may:
        made["outliers"] = {
            "consecutive_failures": dice.one(1, 5),
            "interval": "1s",
            "base_ejection": dice.one("1s", "10s"),
            "max_ejected": dice.one("10%", "50%", "100%"),
        }
        made["panic_threshold"] = dice.one("0%", "50%")
        made["limits"] = {"max_concurrency": dice.one(0, 1, 4), "max_queue": dice.one(0, 10)}
        made["slow_start"] = {"window": dice.one("2s", "10s")}
    return made


def observer(dice: Dice, may: Swarm, region: str) -> dict[str, Any]:
    """The control plane itself, and witnesses beside it."""
    made: dict[str, Any] = {"region": region}
    if "witnesses" in may:
        made["witnesses"] = [region] * dice.one(1, 2)
    if "memory-loss" in may:
        made["remembers"] = dice.one("nothing", "snapshots")
        made["snapshot_interval"] = dice.one("3s", "20s")
    return made
