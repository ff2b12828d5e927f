"""What happened to each master on one time axis: truth above, what the services did below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hasim import truth
from hasim.events import FailoverChanged, StatusChanged
from hasim.journal import Journal
from hasim.report import style
from hasim.report.format import tick
from hasim.report.picture import picture
from hasim.report.visible import visible
from hasim.units import seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = dict[str, Any]
KINDS: dict[str, tuple[str, int]] = {
    "fault": ("#555555", 0),
    "unserved": ("#D55E00", 1),
    "suspect": ("#F0E442", 2),
    "failed": ("#E69F00", 2),
    "held": ("#bbbbbb", 3),
    "fencing": ("#CC79A7", 3),
    "aborting": ("#CC79A7", 3),
    "waiting": ("#bbbbbb", 3),
    "selecting": ("#999933", 3),
    "catching-up": ("#56B4E9", 3),
    "handing-over": ("#56B4E9", 3),
    "transferring": ("#56B4E9", 3),
    "promoting": ("#0072B2", 3),
    "rolling-back": ("#882255", 3),
    "redirecting": ("#009E73", 3),
}
"""Colour and strip (fault, service, verdict, failover; from the top of a lane) of each kind."""
STRIPS = ("fault", "service", "verdict", "failover")
_HEIGHT = 0.19
_LONGEST = 25
"""Characters of a master's name that are drawn."""
_LEAST_WIDTH = 0.003
"""Shorter spans are drawn as this share of the axis, or they could not be seen."""


def timeline_rows(
    journal: Journal,
    start_ns: int = 0,
    end_ns: int | None = None,
    observer: str | None = None,
) -> list[Row]:
    """Spans of a journal that touch the given time, for `incident_timeline`.

    Each row has `lane` (a master), `kind` (one of `KINDS`), `start_s`, `end_s` in
    seconds since the start of the run, cut to the given time, and `label`. Verdicts and
    failovers are those of one observer (None: the first that the journal names).
    """
    spans = _Spans(start_ns, journal.horizon_ns if end_ns is None else end_ns)
    for record in journal.seen_by(journal.observer(observer)).records:
        body = record.body
        if isinstance(body, StatusChanged | FailoverChanged):
            _observe(spans, record.t_ns, body)
        elif isinstance(body, truth.FaultStarted | truth.FaultCured | truth.PartitionServed):
            _befall(spans, record.t_ns, body)
    return spans.rows()


class _Spans:
    """Spans that begin and end by a key, cut to the time from `start_ns` to `end_ns`."""

    def __init__(self, start_ns: int, end_ns: int) -> None:
        self.start_ns, self.end_ns = start_ns, end_ns
        self.running: dict[tuple[str, str], tuple[int, str, str, str]] = {}
        self.ended: list[Row] = []

    def begin(self, key: tuple[str, str], t_ns: int, lane: str, kind: str, label: str) -> None:
        self.running[key] = (t_ns, lane, kind, label)

    def end(self, key: tuple[str, str], t_ns: int) -> None:
        began = self.running.pop(key, None)
        if began is None:
            return
        since_ns, lane, kind, label = began
        first_ns, last_ns = max(since_ns, self.start_ns), min(t_ns, self.end_ns)
        if first_ns < last_ns:  # steps that take no time are nothing to see
            span = {"start_s": seconds(first_ns), "end_s": seconds(last_ns)}
            self.ended.append({"lane": lane, "kind": kind, **span, "label": label})

    def rows(self) -> list[Row]:
        for key in list(self.running):
            self.end(key, self.end_ns)
        return sorted(self.ended, key=lambda r: (r["start_s"], r["lane"], r["kind"]))


def _befall(
    spans: _Spans,
    t_ns: int,
    body: truth.FaultStarted | truth.FaultCured | truth.PartitionServed,
) -> None:
    match body:
        case truth.FaultStarted(number, kind, masters):
            for master in masters:
                spans.begin((f"fault {number}", master), t_ns, master, "fault", kind)
        case truth.FaultCured(number):
            for key in [key for key in spans.running if key[0] == f"fault {number}"]:
                spans.end(key, t_ns)
        case truth.PartitionServed(partition, up, owner):
            key = ("unserved", partition)
            if up:
                spans.end(key, t_ns)
            elif key not in spans.running:  # else only the reason changed
                spans.begin(key, t_ns, owner, "unserved", partition)


def _observe(spans: _Spans, t_ns: int, body: StatusChanged | FailoverChanged) -> None:
    if isinstance(body, StatusChanged):
        key, lane, kind, label = ("status", body.master), body.master, body.new.value, ""
    else:
        key, lane = ("failover", str(body.failover)), body.master
        kind, label = body.new, body.candidate
    spans.end(key, t_ns)
    if kind in KINDS:
        spans.begin(key, t_ns, lane, kind, label)


def incident_timeline(
    rows: Sequence[Mapping[str, Any]], *, origin_s: float = 0.0, title: str = ""
) -> Figure:
    """One lane per master with four strips: fault, service (unserved), verdict, failover.

    `rows` as `timeline_rows` gives them. Times are drawn since `origin_s`.
    """
    from matplotlib.patches import Patch

    lanes = sorted({row["lane"] for row in rows})
    with style.look():
        kinds = {row["kind"] for row in rows}
        figure = picture(10, max(1.3 + 0.85 * max(1, len(lanes)), 0.7 + 0.19 * len(kinds)))
        axes = figure.add_subplot()
        start_s = min((row["start_s"] for row in rows), default=origin_s) - origin_s
        end_s = max((row["end_s"] for row in rows), default=origin_s + 1) - origin_s
        least = (end_s - start_s) * _LEAST_WIDTH
        for row in rows:
            _draw(axes, row, lanes.index(row["lane"]), origin_s, least)
        _lane_axis(axes, lanes)
        room = 0.02 * (end_s - start_s or 1.0)
        axes.set_xlim(start_s - room, end_s + room)
        axes.xaxis.set_major_formatter(lambda t, _: tick(float(f"{t:.9g}")))
        origin = "the incident's start" if origin_s else "the start of the run"
        axes.set_xlabel(f"time since {origin}")
        style.headline(figure, title or "What happened to each master")
        handles = [Patch(color=KINDS[kind][0], label=kind) for kind in KINDS if kind in kinds]
        if handles:
            style.legend(figure, handles=handles)
    return figure


def _draw(axes: Axes, row: Mapping[str, Any], lane: int, origin_s: float, least: float) -> None:
    colour, strip = KINDS[row["kind"]]
    start = row["start_s"] - origin_s
    width = max(row["end_s"] - row["start_s"], least)
    axes.broken_barh([(start, width)], (_top(lane, strip), _HEIGHT * 0.9), color=colour)


def _lane_axis(axes: Axes, lanes: Sequence[str]) -> None:
    middles = [_top(lane, strip) + _HEIGHT / 2 for lane in range(len(lanes)) for strip in range(4)]
    axes.set_yticks(middles, list(STRIPS) * len(lanes), fontsize=7, color=style.GREY)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(max(len(lanes), 1) - 0.5, -0.5)
    for lane, name in enumerate(lanes):
        axes.annotate(
            _short(name),
            (0, lane),
            xycoords=("axes fraction", "data"),
            xytext=(-52, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            weight="bold",
        )
        if lane:
            axes.axhline(lane - 0.5, color="#bbbbbb", linewidth=0.8)


def _short(name: str) -> str:
    """A name as there is room for it: of a long one the middle is left out."""
    shown = visible(name)
    half = (_LONGEST - 3) // 2
    return shown if len(shown) <= _LONGEST else f"{shown[:half]}...{shown[-half:]}"


def _top(lane: int, strip: int) -> float:
    return lane - 2 * _HEIGHT + strip * _HEIGHT
