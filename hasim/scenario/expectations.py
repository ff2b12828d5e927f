"""What a scenario promises: ``detection_time.p99: < 5s``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hasim import units

MEASURES: dict[str, tuple[str, str]] = {
    **{
        f"detection_time.{q}": ("s", f"Start of an incident to the declaration: {q}.")
        for q in ("mean", "p50", "p95", "p99")
    },
    "detected": ("ratio", "Share of incidents that were declared before their cure."),
    "late": ("ratio", "Share of incidents that were declared just after their cure."),
    **{
        f"failover_time.{q}": ("s", f"Declaration to the last affected partition up again: {q}.")
        for q in ("mean", "p50", "p95", "p99")
    },
    **{
        f"outage.{q}": ("s", f"Fault to service restored: {q}.")
        for q in ("mean", "p50", "p95", "p99")
    },
    **{
        f"first_ok.{q}": ("s", f"Fault to the first message answered again: {q}.")
        for q in ("p50", "p95", "p99")
    },
    "uptime": ("ratio", "Share of time in which every partition is up."),
    "uptime.mean": ("ratio", "Share of time in which a partition is up, mean of the partitions."),
    "uptime.stateless": ("ratio", "Share of time in which a working eligible master exists."),
    "uptime.renewal_reward": ("ratio", "Uptime projected to the stated time between failures."),
    "success": ("ratio", "Messages answered by their deadline, of those offered."),
    "mistakes": ("per_hour", "Declarations of a healthy master, per master and hour."),
    "query_accuracy": ("ratio", "Probability that a healthy master is not declared failed."),
    "rpo.writes": ("count", "Acknowledged writes lost."),
    **{
        f"latency.{q}": ("s", f"Latency of answered messages: {q}.")
        for q in ("p50", "p95", "p99", "p99.9")
    },
    "attempts": ("count", "Attempts per message."),
    "offered": ("count", "Messages offered per second."),
    "attempt_rate": ("count", "Attempts on masters per second."),
    "throughput": ("count", "Attempts answered per second, in time or not."),
    "goodput": ("count", "Messages answered by their deadline, per second."),
    "jain": ("ratio", "Jain's index of attempts per worker, of all masters: 1 is even."),
    "peak_to_mean": ("count", "Attempts per worker: the largest of all masters over the mean."),
    "least_to_mean": ("ratio", "Attempts per worker: the smallest of all masters over the mean."),
    "cv": ("count", "Coefficient of variation of attempts per worker, of all masters."),
    **{
        f"balance.{name}": (unit, f"{index}; each at the last master tried, of available masters.")
        for name, unit, index in (
            ("jain", "ratio", "Jain's index of messages per worker"),
            ("peak_to_mean", "count", "Messages per worker, the largest number over the mean"),
            ("least_to_mean", "ratio", "Messages per worker, the smallest number over the mean"),
            ("cv", "count", "Coefficient of variation of messages per worker"),
        )
    },
    "switches_per_min": ("count", "Changes of the routing per minute."),
    "churn": ("ratio", "Keys whose master a change of routing changed, of those seen before."),
    "churn.needless": ("ratio", "Keys moved between masters that were there before and after."),
    "churn.ideal": ("ratio", "Keys that had to move: 1/N for one of N equal masters."),
    "probes": ("count", "Probes sent per second."),
    "dual_primary": ("s", "Time with two masters that accept writes of one partition."),
}
"""Unit (as in `hasim.study.estimates.estimate.Estimate`) and meaning of each measure's name."""

_BOUND = re.compile(r"\s*(<=|>=|<|>)\s*(\S.*?)\s*")


@dataclass(frozen=True)
class Expectation:
    """A limit that a measure shall keep.

    `bound` is in the measure's unit: seconds, a ratio, events per hour or a
    plain number; `op` is one of ``<``, ``<=``, ``>``, ``>=``; `text` is what the user wrote.
    """

    measure: str
    op: str
    bound: float
    text: str

    @classmethod
    def parse(cls, measure: str, text: object) -> Expectation:
        """Read ``"< 5s"``. Raises ValueError that names what was expected."""
        unit, _ = MEASURES[measure]
        read, example = _READERS[unit]
        match = _BOUND.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise ValueError(f'expected a limit such as "{example}", got {text!r}')
        try:
            bound = read(match.group(2))
        except ValueError:
            raise ValueError(f'expected a limit such as "{example}", got {text!r}') from None
        return cls(measure, match.group(1), bound, match.group(0).strip())

    def __str__(self) -> str:
        return f"{self.measure} {self.text}"


def _number(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError(f"expected a number, got {text!r}")
    return number


def _ratio(text: str) -> float:
    ratio = units.parse_percent(text) if text.endswith("%") else _number(text)
    if ratio > 1:
        raise ValueError(f"more than 100%: {text!r}")
    return ratio


_READERS: dict[str, tuple[Callable[[str], float], str]] = {
    "s": (lambda text: units.seconds(units.parse_duration(text)), "< 5s"),
    "ratio": (_ratio, ">= 99.99%"),
    "per_hour": (lambda text: units.parse_rate(text) * 3600, "<= 0.1/h"),
    "count": (_number, "<= 3"),
}


class Expectations:
    """The annotation that reads ``{measure: limit, ...}`` to a tuple of `Expectation`."""

    def keys(self) -> Iterable[str]:
        """The measures that exist."""
        return MEASURES

    def write(self, expectations: tuple[Expectation, ...]) -> dict[str, str]:
        """What a user would write."""
        return {item.measure: item.text for item in expectations}

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        def reader(measure: str) -> Any:
            return core_schema.no_info_plain_validator_function(
                lambda text: Expectation.parse(measure, text)
            )

        fields = {
            measure: core_schema.typed_dict_field(reader(measure), required=False)
            for measure in MEASURES
        }
        mapping = core_schema.typed_dict_schema(fields, extra_behavior="forbid")
        return core_schema.no_info_after_validator_function(
            lambda found: tuple(found.values()), mapping
        )

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                measure: {
                    "type": "string",
                    "description": meaning,
                    "examples": [_READERS[unit][1]],
                    "pattern": r"^\s*(<=|>=|<|>)\s*\S.*$",
                }
                for measure, (unit, meaning) in MEASURES.items()
            },
        }
