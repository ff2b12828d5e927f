"""A matplotlib figure that shows itself in Jupyter, without pyplot or a magic command."""

from __future__ import annotations

import base64
import functools
import html
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def picture(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, laid out so that nothing overlaps."""
    made: Figure = _picture_class()(figsize=(width, height), layout="constrained")
    return made


@functools.cache
def _picture_class() -> type[Figure]:
    from matplotlib.figure import Figure

    class Picture(Figure):
        """A figure with the method that IPython looks for."""

        def _repr_png_(self) -> bytes:
            return png(self)

    return Picture


def png(figure: Figure) -> bytes:
    """A figure as it is shown in a notebook; the same figure gives the same bytes."""
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def image(figure: Figure, about: str) -> str:
    """A figure inside a page; `about` is for those who do not see it."""
    data = base64.b64encode(png(figure)).decode("ascii")
    return f'<img alt="{html.escape(about)}" src="data:image/png;base64,{data}">'
