"""The panels of the dashboard as lines of text: words and signs, so that no colour is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from hasim.report.format import percent, seconds
from hasim.report.visible import visible
from hasim.watch.picture import MasterLine, Picture

STYLES = {
    "healthy": "green",
    "suspect": "yellow",
    "failed": "bold red",
    "recovering": "cyan",
    "maintenance": "blue",
    "critical": "bold red",
    "warning": "yellow",
    "truth": "bold",
}
"""What a word is dressed in where there are colours."""
BAR = 5
_WIDTHS = (14, 11, BAR + 5, 4, 7, 6, 7)
_HEADS = ("master", "status", "suspicion", "busy", "done", "failed", "latency")


def clock(value_s: float) -> str:
    """A time as ``h:mm:ss.s``."""
    tenths = round(value_s * 10)
    minutes, rest = divmod(tenths, 600)
    return f"{minutes // 60}:{minutes % 60:02}:{rest / 10:04.1f}"


def headline(shown: Picture, title: str, speed: float, *, paused: bool) -> Text:
    """What it is, how far it is, how fast it goes."""
    state = "at its end" if shown.over else "paused" if paused else f"x{speed:g}"
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(visible(title), "bold")
    line.append(f"  {clock(shown.now_s)} of {clock(shown.end_s)}  ")
    line.append(f"[{state}]", "bold")
    return line


def masters(shown: Picture) -> Text:
    """A line for each master: verdict, suspicion, load, what it owns, what is really wrong."""
    lines = [Text(_row(_HEADS) + " owns !truth", "bold")]
    for one in shown.masters:
        line = Text(_cell(one.name, _WIDTHS[0], left=True))
        line.append(" " + _cell(one.status, _WIDTHS[1], left=True), STYLES.get(one.status, ""))
        line.append(" " + _suspicion(one))
        line.append(" " + _cell(str(one.in_flight), _WIDTHS[3]))
        line.append(" " + _cell(f"{one.answered:,}", _WIDTHS[4]))
        line.append(" " + _cell(f"{one.failed:,}", _WIDTHS[5]), "red" if one.failed else "")
        latency = "-" if one.latency_s is None else seconds(one.latency_s)
        line.append(" " + _cell(latency, _WIDTHS[6]))
        line.append(" " + " ".join(one.owns))
        if one.truth:
            line.append(f" !{','.join(one.truth)}", STYLES["failed"])
        lines.append(line)
    return _joined(lines)


def _suspicion(one: MasterLine) -> str:
    level = min(1.0, max(0.0, one.suspicion))
    full = round(level * BAR)
    return _cell(f"{'#' * full}{'.' * (BAR - full)} {one.suspicion:4.2f}"[: BAR + 5], BAR + 5)


def _row(parts: Sequence[str]) -> str:
    cells = [_cell(p, w, left=k < 2) for k, (p, w) in enumerate(zip(parts, _WIDTHS, strict=True))]
    return " ".join(cells)


def _cell(text: str, width: int, *, left: bool = False) -> str:
    text = visible(text)
    text = text if len(text) <= width else f"{text[: width - 1]}~"
    return text.ljust(width) if left else text.rjust(width)


def service(shown: Picture) -> Text:
    """Uptime against its objective, the budget, and the messages."""
    sla: Mapping[str, Any] = shown.board["sla"]
    traffic: Mapping[str, Any] = shown.board["traffic"]
    kept = "kept" if sla["compliant"] else "BROKEN"
    line = Text(f"uptime {percent(sla['uptime'])}  objective {percent(sla['objective'])} ")
    line.append(kept, "green" if sla["compliant"] else STYLES["failed"])
    line.append(f"  budget used {seconds(sla['used_s'])} of {seconds(sla['allowed_s'])}")
    counts = ", ".join(
        f"{key} {traffic[f'{key}_per_s']:.3g}/s ({traffic[key]:,})"
        for key in ("answered", "failed")
    )
    by = f", by {shown.board['algorithm']}" if shown.board["algorithm"] else ""
    return _joined([line, Text(f"messages: {counts}, in flight {traffic['in_flight']}{by}")])


def failovers(shown: Picture) -> Text:
    """The failovers under way, each with its phase and since when."""
    rows = shown.board["failovers"]
    counts: Mapping[str, int] = shown.board["failovers_ended"]
    ended = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    lines = [Text(f"failovers: {len(rows)} active{f'; ended: {ended}' if ended else ''}", "bold")]
    for row in rows:
        to = f" to {row['candidate']}" if row["candidate"] else ""
        lasted = seconds(shown.now_s - row["since_s"])
        text = f"  {row['failover']}: {row['master']}{to}, {row['state']} for {lasted}"
        lines.append(Text(visible(text), no_wrap=True))
    return _joined(lines)


def alerts(shown: Picture) -> Text:
    """The open alerts, the newest first."""
    rows = sorted(shown.board["alerts"], key=lambda row: -row["raised_s"])
    lines = [Text(f"alerts: {len(rows)} open", "bold")]
    for row in rows:
        line = Text("  ", no_wrap=True)
        line.append(row["severity"], STYLES.get(row["severity"], ""))
        line.append(f" {clock(row['raised_s'])} {visible(row['subject'])}: {visible(row['text'])}")
        lines.append(line)
    return _joined(lines)


def news(shown: Picture, most: int) -> Text:
    """What has happened, the newest last; what nobody is told of stands out."""
    lines = []
    for at_s, who, text in list(shown.news)[-most:]:
        line = Text(f"{clock(at_s)} ", no_wrap=True, overflow="ellipsis")
        line.append(f"{who:9} ", STYLES.get(who, ""))
        line.append(visible(text))
        lines.append(line)
    return _joined(lines)


def _joined(lines: Sequence[Text]) -> Text:
    return Text("\n", no_wrap=True, overflow="ellipsis").join(lines)
