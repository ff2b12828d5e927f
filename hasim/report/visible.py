"""Text from users' files on its way out: what cannot be seen must not act.

A name in a scenario may hold a control sequence that recolours a terminal, or a mark that turns
the direction of writing around. Outside JSON, which has escapes of its own, such a character is
shown as Python writes it: ``\\x1b``, ``\\u202e``.
"""

from __future__ import annotations

import re

UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters (Unicode category Cc)
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks of direction (UAX 9)
    "\u2028\u2029\ufeff\ud800-\udfff]"  # separators, byte order mark, halves of a pair
)


def visible(text: str) -> str:
    """The text with an escape for each character that acts instead of being seen."""
    return UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def visible_lines(text: str) -> str:
    """The same of a text of several lines, which it keeps."""
    return "\n".join(map(visible, text.split("\n")))


def cell(text: str) -> str:
    """A text as a field of a CSV file: visible, and no formula to a spreadsheet.

    One that begins as a formula gets an apostrophe before it, as OWASP advises ("CSV injection").
    """
    shown = visible(text)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) and len(shown) > 1 else shown
