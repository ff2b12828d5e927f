"""Settings of probes: their rhythm, how long an answer may take, and what ends them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from hasim.services.detection.evidence.source import SourceSettings
from hasim.settings import duration, settings, share
from hasim.units import MILLISECOND, SECOND, format_duration

Ending = Literal["refused", "reset", "error", "rejected"]
"""How a probe can fail by its answer."""


@settings
class ProbeSettings(SourceSettings):
    """Answers of the health endpoint."""

    WITH_NAME: ClassVar[tuple[str, ...]] = ("when",)
    """Goes with the choice of evidence, not with the settings beside it."""

    interval_ns: Annotated[
        int,
        duration(
            "Time between probes of a master whose verdict is settled.",
            source="HAProxy inter (default 2 s); 30 s as AWS ALB",
            above=0,
        ),
    ] = 30 * SECOND
    fast_interval_ns: Annotated[
        int | None,
        duration(
            "Time between probes while a change of the verdict is pending; null: the interval.",
            source="HAProxy fastinter; Envoy unhealthy_edge_interval",
            above=0,
        ),
    ] = 500 * MILLISECOND
    down_interval_ns: Annotated[
        int | None,
        duration(
            "Time between probes of a master that is failed; null: the interval.",
            source="HAProxy downinter; Envoy unhealthy_interval",
            above=0,
        ),
    ] = None
    timeout_ns: Annotated[
        int | None,
        duration(
            "A probe without an answer after this time has failed; null: the interval.",
            source="HAProxy timeout check (unset: inter)",
            above=0,
        ),
    ] = 500 * MILLISECOND
    connect_timeout_ns: Annotated[
        int | None,
        duration(
            "A probe whose connection no host has accepted after this time has failed; the timeout "
            "counts from the connection then. Null: the timeout is for both.",
            source="HAProxy timeout connect with timeout check; Route 53 (4 s)",
            above=0,
        ),
    ] = None
    rhythm: Literal["end", "clock"] = "end"
    """From when to when the interval is: from the `end` of a probe to the next one (HAProxy,
    Envoy), or from one to the next by the `clock`, however long it took (kubelet, ALB, Route 53).
    A tick at which a probe is still under way is left out."""
    initial_delay_ns: Annotated[
        int,
        duration(
            "Time before the first probe of a master.",
            source="Kubernetes initialDelaySeconds (0)",
        ),
    ] = 0
    phase: Literal["drawn", "none"] = "drawn"
    """What passes between a master's first probe and its second: a part of the interval that is
    `drawn`, so that checks do not come in herds and nothing at a set time meets a set phase; or the
    whole of it (a monitor that begins with what it watches)."""
    spread_checks: Annotated[
        float,
        share(
            "Each wait is longer or shorter by up to this share of it, drawn evenly.",
            source="HAProxy spread-checks (0; 2 to 5 % suggested)",
        ),
    ] = 0.0
    interval_jitter_ns: Annotated[
        int,
        duration(
            "Each wait is longer by up to this time, drawn evenly.",
            source="Envoy interval_jitter (0)",
        ),
    ] = 0
    interval_jitter_percent: Annotated[
        float,
        share(
            "Each wait is longer by up to this share of it, drawn evenly.",
            source="Envoy interval_jitter_percent (0)",
        ),
    ] = 0.0
    fatal: tuple[Ending, ...] = ()
    """Answers after which a master is failed at once, whatever the detector counts. Source: Envoy
    (an unexpected HTTP status), Elasticsearch (a closed connection)."""
    on_close: Literal["nothing", "check", "fail"] = "nothing"
    """A connection to each master is kept open beside the probes, and what happens when the master
    closes it, as a process does that dies: a `check` at once, or it is declared failed at once
    (Elasticsearch: a node that disconnects). `nothing`: each probe has a connection of its own."""
    when: Literal["always", "in-doubt"] = "always"
    """`in-doubt`: a master that is declared healthy is not probed, other evidence watches it."""

    @property
    def fast_ns(self) -> int:
        """The fast interval, given or not."""
        return self.interval_ns if self.fast_interval_ns is None else self.fast_interval_ns

    @property
    def down_ns(self) -> int:
        """The interval of failed masters, given or not."""
        return self.interval_ns if self.down_interval_ns is None else self.down_interval_ns

    @property
    def patience_ns(self) -> int:
        """The longest time until a probe has ended."""
        return self.answer_ns + (self.connect_timeout_ns or 0)

    @property
    def answer_ns(self) -> int:
        """The timeout, given or not."""
        return self.interval_ns if self.timeout_ns is None else self.timeout_ns

    @property
    def period_ns(self) -> int:
        """The interval."""
        return self.interval_ns

    @property
    def connected(self) -> bool:
        """If it matters that a connection is closed."""
        return self.on_close != "nothing"

    @property
    def news_ns(self) -> int:
        """One interval, with all jitter, and one probe that was sent just before the cure."""
        wait_ns = max(self.interval_ns, self.down_ns)
        spread = self.spread_checks + self.interval_jitter_percent
        return wait_ns + round(wait_ns * spread) + self.interval_jitter_ns + self.patience_ns

    def problems(self) -> Iterator[tuple[str, str]]:
        """A fast interval that is longer than the interval; a clock that a timeout overruns."""
        shown = format_duration(self.interval_ns)
        if self.fast_ns > self.interval_ns:
            yield "fast_interval", f"is longer than the interval, {shown}"
        if self.rhythm == "clock" and self.spread_checks:
            yield "spread_checks", "is of probes that follow the end of the last one (rhythm: end)"
        if self.rhythm == "clock" and self.patience_ns > self.interval_ns:
            yield "timeout", f"is longer than the interval, {shown}, which goes by the clock"
