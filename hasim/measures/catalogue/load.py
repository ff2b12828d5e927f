"""How the load was served: latency, attempts, rates, and how evenly masters share it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hasim.measures.catalogue.definition import COMPARED, QUANTILES, Direction, Measure, Unit, View
from hasim.measures.catalogue.estimators import LatencyMean, LatencyQuantile, Mean, Ratio, Value

if TYPE_CHECKING:
    from hasim.measures.catalogue.estimators import Estimator

JAIN = "Jain, Chiu, Hawe, DEC-TR-301, 1984"
_WINDOWS = (
    "This and the indices below are means over windows of 10 s, weighted by their messages, so "
    "that a crash is no imbalance. Attempts that failed before are only in the indices of "
    "attempts: a black hole behind retries shows there, and master by master in `result.masters`."
)


def _load(
    name: str,
    meaning: str,
    estimator: Estimator,
    *,
    title: str = "",
    unit: Unit = "count",
    better: Direction = "less",
    neutral: bool = True,
    views: frozenset[View] = frozenset(),
    **more: str,
) -> Measure:
    """What every message tells something about, and an empty start biases."""
    return Measure(
        name=name,
        title=title or name.replace(".", " ").replace("_", " "),
        unit=unit,
        meaning=meaning,
        estimator=estimator,
        block="service",
        better=better,
        neutral=neutral,
        rests_on="messages",
        load=True,
        views=views,
        **more,
    )


def _balance(name: str, index: str, each: Value, unit: Unit, better: Direction) -> Measure:
    """An index of how evenly the available masters share the messages."""
    return _load(
        f"balance.{name}",
        f"{index}; each at the last master tried, of available masters.",
        Mean(each),
        unit=unit,
        better=better,
        source=JAIN if name == "jain" else "",
        detail=_WINDOWS if name == "jain" else "",
    )


MEASURES = (
    *(
        _load(
            f"latency.{name}",
            "Latency of answered messages.",
            LatencyQuantile(p),
            title=f"latency {name}",
            unit="s",
            neutral=False,
            statistic=name,
        )
        for name, p in QUANTILES.items()
    ),
    _load(
        "latency.mean",
        "Latency of answered messages.",
        LatencyMean(),
        title="latency mean",
        unit="s",
        neutral=False,
        statistic="mean",
    ),
    *(
        _load(
            f"response.{name}",
            "Latency of all messages, at their deadline if not answered by it.",
            LatencyQuantile(p, failed=True),
            title=f"response {name}",
            unit="s",
            neutral=False,
            statistic=name,
            detail="What `latency` leaves out: who answers nobody is not quick.",
        )
        for name, p in QUANTILES.items()
    ),
    _load(
        "attempts",
        "Attempts per message.",
        Ratio(lambda run: run.load.attempts, lambda run: run.load.messages),
        views=COMPARED,
    ),
    _load("offered", "Messages offered per second.", Mean(lambda run: run.balance.offered_per_s)),
    _load(
        "attempt_rate",
        "Attempts on masters per second.",
        Mean(lambda run: run.balance.attempts_per_s),
        title="attempts/s",
    ),
    _load(
        "throughput",
        "Attempts answered per second, in time or not.",
        Mean(lambda run: run.balance.throughput_per_s),
        better="more",
        neutral=False,
    ),
    _load(
        "goodput",
        "Messages answered by their deadline, per second.",
        Mean(lambda run: run.load.goodput_per_s),
        better="more",
        neutral=False,
    ),
    _load(
        "jain",
        "Jain's index of attempts per worker, of all masters: 1 is even.",
        Mean(lambda run: run.load.jain),
        title="Jain index",
        unit="ratio",
        better="more",
        views=COMPARED,
        detail="Of this and the indices below: failed attempts are included.",
        source=JAIN,
    ),
    _load(
        "peak_to_mean",
        "Attempts per worker: the largest of all masters over the mean.",
        Mean(lambda run: run.load.peak_to_mean),
    ),
    _load(
        "least_to_mean",
        "Attempts per worker: the smallest of all masters over the mean.",
        Mean(lambda run: run.load.least_to_mean),
        unit="ratio",
        better="more",
    ),
    _load(
        "cv",
        "Coefficient of variation of attempts per worker, of all masters.",
        Mean(lambda run: run.load.cv),
        title="CoV",
    ),
    _balance(
        "jain",
        "Jain's index of messages per worker",
        lambda run: run.balance.jain,
        "ratio",
        "more",
    ),
    _balance(
        "peak_to_mean",
        "Messages per worker, the largest number over the mean",
        lambda run: run.balance.peak_to_mean,
        "count",
        "less",
    ),
    _balance(
        "least_to_mean",
        "Messages per worker, the smallest number over the mean",
        lambda run: run.balance.least_to_mean,
        "ratio",
        "more",
    ),
    _balance(
        "cv",
        "Coefficient of variation of messages per worker",
        lambda run: run.balance.cv,
        "count",
        "less",
    ),
)
