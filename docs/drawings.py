"""Drawings of the site, made from the code's own tables when it is built: SVG, with words for all.

What stands in them is read from the code: the lifecycle's table, what the modules import, the
inputs and effects of a control plane. Only where a state stands is said here.
"""

from __future__ import annotations

import ast
import math
import typing
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from hasim import events
from hasim.services.failover import lifecycle

PACKAGE = Path(__file__).parents[1] / "hasim"
PLACES = {
    "declared": (1, 0), "held": (0, 0), "fencing": (1, 1), "aborting": (2, 1),
    "selecting": (1, 2), "waiting": (0, 2), "catching-up": (2, 2), "handing-over": (2, 3),
    "transferring": (1, 3), "rolling-back": (0, 3), "promoting": (1, 4), "redirecting": (1, 5),
    "verifying": (1, 6), "completed": (1, 7), "cancelled": (0, 7), "failed": (2, 7),
}  # fmt: skip
"""State -> column and row; a state that is not here stops the build."""
BADGES = ("cancelled", "failed")
"""Where very many states lead: told in each, not drawn as arrows."""
WIDE, HIGH, STEP_X, STEP_Y = 212, 46, 312, 96
INK, FAINT, PAPER, WASH, LINE = "#1b1f24", "#57606a", "#ffffff", "#eef2f6", "#0072b2"


def svg(width: float, height: float, parts: Sequence[str], about: str) -> str:
    """A drawing on white paper, with what it shows in words."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" role="img" font-family="DejaVu Sans, sans-serif" font-size="12">'
        f"<title>{escape(about)}</title>"
        f'<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        f'markerHeight="7" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="{LINE}"/>'
        f'</marker></defs><rect width="100%" height="100%" rx="8" fill="{PAPER}"/>'
        + "".join(parts)
        + "</svg>\n"
    )


def box(x: float, y: float, width: float, lines: Sequence[str], *, bold: bool = False) -> str:
    """A box with lines of text; its first line is its name."""
    height = HIGH if len(lines) < 3 else 18 * len(lines) + 12
    rows = "".join(
        f'<text x="{x + width / 2:g}" y="{y + 19 + 16 * k:g}" text-anchor="middle" '
        f'fill="{INK if k == 0 else FAINT}" font-size="{13 if k == 0 else 10.5}" '
        f'font-weight="{600 if k == 0 or bold else 400}">{escape(line)}</text>'
        for k, line in enumerate(lines)
    )
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" fill="{WASH}" '
        f'stroke="{FAINT}"/>{rows}'
    )


def arrow(points: Sequence[tuple[float, float]], about: str, label: str = "") -> str:
    """A line with a head; `about` is shown where it is pointed at, `label` beside its middle."""
    (x0, y0), *_, (x1, y1) = points
    bend = (
        f"M{x0:g} {y0:g}L{x1:g} {y1:g}"
        if len(points) == 2
        else f"M{x0:g} {y0:g}Q{points[1][0]:g} {points[1][1]:g} {x1:g} {y1:g}"
    )
    mid = points[1] if len(points) == 3 else ((x0 + x1) / 2, (y0 + y1) / 2)
    x, y = ((x0 + x1) / 2 + mid[0]) / 2, ((y0 + y1) / 2 + mid[1]) / 2
    text = (
        f'<text x="{x:g}" y="{y - 4:g}" text-anchor="middle" font-size="10" fill="{INK}" '
        f'stroke="{PAPER}" stroke-width="3" paint-order="stroke">{escape(label)}</text>'
    )
    return (
        f'<path d="{bend}" fill="none" stroke="{LINE}" stroke-width="1.3" '
        f'marker-end="url(#head)"><title>{escape(about)}</title></path>{text if label else ""}'
    )


# -- the lifecycle of a failover ------------------------------------------------------------


def transitions() -> dict[tuple[str, str], list[str]]:
    """(state, next state) -> the triggers, as the table has them; of a failover that has begun."""
    found: dict[tuple[str, str], list[str]] = {}
    for state, row in lifecycle.LIFECYCLE.items():
        for trigger, after in row.items():
            if state:
                found.setdefault((state, after), []).append(trigger)
    return found


def state_diagram() -> str:
    """The lifecycle as a state diagram; ways to an early end are told in each state."""
    edges = transitions()
    states = {state for state in lifecycle.LIFECYCLE if state}
    if states != set(PLACES):
        raise ValueError(f"docs/drawings.py places other states: {states ^ set(PLACES)}")
    parts = []
    for (state, after), triggers in edges.items():
        if after not in BADGES and state != after:
            about = f"{state} to {after}: {', '.join(triggers)}"
            back = (after, state) in edges
            label = _short(triggers) if _near(state, after) else ""
            parts.append(arrow(_way(state, after, back=back), about, label))
    for state, place in PLACES.items():
        ends = [f"{len(edges[state, end])} to {end}" for end in BADGES if (state, end) in edges]
        again = f"{len(edges[state, state])} to itself" if (state, state) in edges else ""
        lines = [state, "; ".join(filter(None, [again, *ends]))]
        parts.append(box(*_corner(place), WIDE, [line for line in lines if line]))
    start = lifecycle.LIFECYCLE[""]
    x, y = _corner(PLACES["declared"])
    parts.append(arrow([(x + WIDE / 2, 4), (x + WIDE / 2, y)], "begins", ", ".join(start)))
    about = "The lifecycle of a failover as a state diagram; the table below has the same in words."
    return svg(2 * STEP_X + WIDE + 40, 7 * STEP_Y + HIGH + 60, parts, about)


def _short(triggers: Sequence[str]) -> str:
    more = f" +{len(triggers) - 1}" if len(triggers) > 1 else ""
    return f"{triggers[0]}{more}"


def _near(state: str, after: str) -> bool:
    """Whether two boxes stand beside or below each other: there is room for a label."""
    (x0, y0), (x1, y1) = PLACES[state], PLACES[after]
    return abs(x0 - x1) + abs(y0 - y1) == 1


def _corner(place: tuple[int, int]) -> tuple[float, float]:
    return 20 + place[0] * STEP_X, 40 + place[1] * STEP_Y


def _way(state: str, after: str, *, back: bool) -> list[tuple[float, float]]:
    """From the edge of one box to that of another, bent where something lies between."""
    (x0, y0), (x1, y1) = _corner(PLACES[state]), _corner(PLACES[after])
    a, b = (x0 + WIDE / 2, y0 + HIGH / 2), (x1 + WIDE / 2, y1 + HIGH / 2)
    aside = 9 if back else 0  # two ways between the same boxes lie beside each other
    if x0 == x1:
        down = 1 if y1 > y0 else -1
        far = abs(PLACES[after][1] - PLACES[state][1]) > 1
        shift = aside * down + (WIDE * 0.28 * down if far else 0)
        start = (a[0] + shift, a[1] + down * HIGH / 2)
        end = (b[0] + shift, b[1] - down * HIGH / 2)
        return (
            [start, (a[0] + shift + down * WIDE * 0.75, (a[1] + b[1]) / 2), end]
            if far
            else [start, end]
        )
    right = 1 if x1 > x0 else -1
    lift = aside * right
    start, end = (a[0] + right * WIDE / 2, a[1] + lift), (b[0] - right * WIDE / 2, b[1] + lift)
    return [start, end]


# -- what imports what ------------------------------------------------------------------------


def imports() -> dict[str, set[str]]:
    """Each part of the package (a folder or a module of it) -> the parts that it imports."""
    found: dict[str, set[str]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        part = _part(file.relative_to(PACKAGE).as_posix())
        own = found.setdefault(part, set())
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                own |= _seen(node)
    found.pop("__init__", None)
    return {
        part: {one for one in own if one in found and one != part} for part, own in found.items()
    }


def _part(path: str) -> str:
    return path.partition("/")[0].removesuffix(".py")


def _seen(node: ast.ImportFrom) -> set[str]:
    first, _, rest = (node.module or "").partition(".")
    if first != "hasim":
        return set()
    return {rest.partition(".")[0]} if rest else {alias.name for alias in node.names}


def layers(edges: Mapping[str, set[str]]) -> list[list[str]]:
    """The parts by how far up they stand: each sees only what stands below it."""
    height: dict[str, int] = {}

    def of(part: str) -> int:
        if part not in height:
            height[part] = 1 + max(map(of, edges[part]), default=-1)
        return height[part]

    for part in edges:
        of(part)
    most = max(height.values())
    return [sorted(p for p, own in height.items() if own == level) for level in range(most, -1, -1)]


def import_diagram() -> str:
    """What the parts of the package import; ways that another way implies are left out."""
    edges = imports()
    rows = layers(edges)
    width, step, wide, high = 900, 62, 94, 30
    place: dict[str, tuple[float, float]] = {}
    for k, row in enumerate(rows):
        gap = width / len(row)
        for n, part in enumerate(row):
            place[part] = (gap * (n + 0.5), 20 + k * step)
    parts = []
    for part, seen in edges.items():
        for other in sorted(_direct(part, seen, edges)):
            (x0, y0), (x1, y1) = place[part], place[other]
            parts.append(arrow([(x0, y0 + high), (x1, y1)], f"{part} imports {other}"))
    for part, (x, y) in place.items():
        parts.append(
            f'<rect x="{x - wide / 2:g}" y="{y:g}" width="{wide}" height="{high}" rx="5" '
            f'fill="{WASH}" stroke="{FAINT}"/><text x="{x:g}" y="{y + 20:g}" text-anchor="middle" '
            f'fill="{INK}">{escape(part)}</text>'
        )
    about = "What each part of the package imports, from the top to the bottom, without circles."
    return svg(width, 20 + len(rows) * step, parts, about)


def _direct(part: str, seen: set[str], edges: Mapping[str, set[str]]) -> set[str]:
    """The imports that none of the others reaches."""
    reached: set[str] = set()
    for other in seen:
        reached |= _below(other, edges)
    return seen - reached


def _below(part: str, edges: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    for other in edges[part]:
        found |= {other} | _below(other, edges)
    return found


# -- what flows through a control plane ----------------------------------------------------------


def flows() -> dict[str, list[str]]:
    """What a control plane is told, asks for and concludes: the names of the types."""
    unions = {"inputs": events.Input, "effects": events.Effect, "events": events.Event}
    return {
        name: [one.__name__ for one in typing.get_args(union)] for name, union in unions.items()
    }


def flow_diagram() -> str:
    """The driver, the control plane, and what passes between them."""
    found = flows()
    columns = {name: list(_columns(names, 2)) for name, names in found.items()}
    high = 44 + 15 * max(len(column) for columns_ in columns.values() for column in columns_)
    parts = [
        box(330, 20, 240, ["driver", "SimPy, asyncio, your own program"]),
        box(330, 140 + high, 240, ["control plane", "detection, failover, routing, monitor"]),
        box(650, 140 + high, 230, ["journal", "inputs, effects, events; the truth"]),
        arrow([(390, 66), (390, 140 + high)], "inputs"),
        arrow([(510, 140 + high), (510, 66)], "effects"),
        arrow([(570, 163 + high), (650, 163 + high)], "events"),
    ]
    for name, x, end in (("inputs", 20, "start"), ("effects", 530, "start")):
        parts.append(_heading(x, 92, f"{name} ({len(found[name])})"))
        for n, column in enumerate(columns[name]):
            for k, word in enumerate(column):
                parts.append(_word(x + 178 * n, 112 + 15 * k, word, end))
    below = 220 + high
    parts.append(_heading(20, below, f"events ({len(found['events'])})"))
    for k, word in enumerate(found["events"]):
        parts.append(_word(20 + 218 * (k % 4), below + 20 + 15 * (k // 4), word, "start"))
    total = below + 40 + 15 * math.ceil(len(found["events"]) / 4)
    about = (
        "The driver hands inputs to the control plane and performs its effects; all is journaled."
    )
    return svg(900, total, parts, about)


def _columns(names: Sequence[str], count: int) -> Iterator[Sequence[str]]:
    each = math.ceil(len(names) / count)
    return (names[k : k + each] for k in range(0, len(names), each))


def _heading(x: float, y: float, text: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" font-weight="600" fill="{INK}">{escape(text)}</text>'


def _word(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="10.5" text-anchor="{anchor}" fill="{FAINT}">'
        f"{escape(text)}</text>"
    )


DRAWINGS = {
    "lifecycle.svg": state_diagram,
    "imports.svg": import_diagram,
    "flow.svg": flow_diagram,
}
"""File -> what draws it."""


def write(folder: Path) -> None:
    """Write all of them; those that stay the same are not touched."""
    for name, draw in DRAWINGS.items():
        text, path = draw(), folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def page() -> Iterator[str]:
    """The drawings with what they show in words."""
    yield "# How it is built, drawn\n"
    yield (
        "Made from the code when this site is built: nothing on this page is written by hand. "
        "[How hasim is built](../guides/ARCHITECTURE.md) has the reasons.\n"
    )
    yield "## What flows through a control plane\n"
    yield "![A driver hands inputs to a control plane and performs its effects.](flow.svg)\n"
    for name, types in flows().items():
        yield f"{name}\n: {', '.join(f'`{one}`' for one in types)}\n"
    yield "## What imports what\n"
    yield (
        "Each part sees only what stands below it; a way that another one implies is left out.\n"
    )
    yield "![The parts of the package in layers, without circles.](imports.svg)\n"
    yield "| part | imports |\n|---|---|"
    for row in layers(edges := imports()):
        for part in row:
            seen = ", ".join(f"`{one}`" for one in sorted(edges[part]))
            yield f"| `{part}` | {seen or 'nothing'} |"
    yield "\n## The lifecycle of a failover\n"
    yield "![The states of a failover and what leads from one to the next.](lifecycle.svg)\n"
    yield (
        "A label is the first trigger of a way, with how many more there are; where a state may "
        "also end early, it says by how many triggers. [All of them](lifecycle.md) as a table.\n"
    )
