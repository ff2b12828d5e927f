"""Small pieces of HTML, for what shows itself in Jupyter."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hasim.report.picture import png

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def paragraph(text: str) -> str:
    """A text of its own."""
    return f"<p>{html.escape(text)}</p>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """A table of texts."""
    head = "".join(f"<th>{html.escape(text)}</th>" for text in heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(text)}</td>' for text in row)}</tr>" for row in rows
    )
    title = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def image(figure: Figure, about: str) -> str:
    """A figure inside the page; `about` is for those who do not see it."""
    data = base64.b64encode(png(figure)).decode("ascii")
    return f'<img alt="{html.escape(about)}" src="data:image/png;base64,{data}">'
