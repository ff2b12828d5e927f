"""How every figure looks: colours that colour-blind readers tell apart, files that never differ."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hasim.report.visible import visible, visible_lines

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

# Okabe and Ito (2008), without yellow, which is too pale for lines.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
Dash = tuple[float, tuple[float, ...]]
DASHES: tuple[Dash, ...] = (
    (0, ()),
    (0, (5, 2)),
    (0, (1, 1.2)),
    (0, (6, 1.5, 1, 1.5)),
)
GREY = "#666666"
PIXELS_PER_INCH = 150
_RC: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.solid_capstyle": "butt",
    "lines.solid_joinstyle": "miter",
    "svg.hashsalt": "hasim",
    "text.parse_math": False,  # a name may hold any number of dollars
    "svg.fonttype": "none",
}


@contextmanager
def look() -> Iterator[None]:
    """The settings of matplotlib under which figures are made and saved."""
    import matplotlib as mpl

    with mpl.rc_context(_RC):
        yield


def colour(index: int) -> str:
    """The colour of series `index`; `dash` tells apart those that share one."""
    return COLOURS[index % len(COLOURS)]


def dash(index: int) -> Dash:
    """The line style (offset, lengths of dash and gap) of series `index`."""
    return DASHES[index // len(COLOURS) % len(DASHES)]


def headline(figure: Figure, text: str) -> None:
    """The title of a figure, at the left, broken where the figure ends."""
    wide = max(20, int(figure.get_figwidth() * 13))
    shown = "\n".join(textwrap.wrap(visible(text), wide)) or text
    figure.suptitle(shown, x=0.01, ha="left", fontsize=10)


def legend(figure: Figure, *, below: bool = False, handles: Sequence[Artist] | None = None) -> None:
    """The legend of a figure, beside the axes or below them, where no title is in its way.

    Of all that has a label, or of `handles`; what stands for the others (grey) comes last.
    """
    found = list(handles or figure.axes[0].get_legend_handles_labels()[0])
    if handles is None:
        for axes in figure.axes[1:]:
            found += axes.get_legend_handles_labels()[0]
        found.sort(key=lambda each: str(each.get_label()).endswith((" other", " others")))
    where: Literal["outside lower center", "outside right center"]
    where = "outside lower center" if below else "outside right center"
    figure.legend(handles=found, loc=where)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG or SVG by its suffix; the same figure gives the same bytes.

    No text in it acts instead of being seen, wherever it came from.
    """
    from matplotlib.text import Text

    for each in figure.findobj(Text):
        if (shown := visible_lines(each.get_text())) != each.get_text():
            each.set_text(shown)
    metadata = {"Software": None} if path.suffix == ".png" else {"Date": None}
    with look():
        figure.savefig(path, dpi=PIXELS_PER_INCH, metadata=metadata, bbox_inches="tight")
