"""Plain data as JSON (RFC 8259): full precision, stable bytes; what is missing is null."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hasim.report.sheet import Field, Paper, Sheet, finite
from hasim.report.visible import UNSEEN


def json_text(data: Any) -> str:
    """Plain data as text that ends in a line feed.

    What acts instead of being seen is escaped, as JSON allows, so that programs read it as it
    was and terminals do not obey it.
    """
    text = json.dumps(finite(data), indent=2, ensure_ascii=False, allow_nan=False)
    return "\n".join(UNSEEN.sub(_escaped, line) for line in text.split("\n")) + "\n"


def _escaped(found: Any) -> str:
    return f"\\u{ord(found[0]):04x}"


def records(sheet: Sheet) -> list[dict[str, Any]]:
    """The rows of a sheet, each with its values by the columns' names for programs."""
    keys = [column.program_key for column in sheet.columns]
    return [
        {key: field.plain for key, field in zip(keys, row, strict=True)} for row in sheet.fields()
    ]


def plain_sheet(sheet: Sheet) -> dict[str, Any]:
    """A sheet as plain data."""
    found: dict[str, Any] = {
        "caption": sheet.caption,
        "columns": [{"key": c.program_key, "name": c.heading} for c in sheet.columns],
        "rows": records(sheet),
        "said": list(sheet.said),
        "notes": list(sheet.notes),
    }
    return {key: value for key, value in found.items() if value or key == "rows"}


def plain_paper(paper: Paper) -> dict[str, Any]:
    """A paper as plain data."""
    headline = _plain_headline(paper.headline)
    found: dict[str, Any] = {
        "title": paper.title,
        **headline,
        "sheets": [plain_sheet(sheet) for sheet in paper.sheets],
        "said": list(paper.said),
        "notes": list(paper.notes),
    }
    return {key: value for key, value in found.items() if value or key == "sheets"}


def _plain_headline(headline: Field | None) -> Mapping[str, Any]:
    return {} if headline is None else {"headline": headline.plain}
