"""The text of a file in UTF-8, unpacked; or what the file is instead, and the way out."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from pathlib import Path
from typing import IO, Any, cast

from hasim.scenario.sent import opened, state_of
from hasim.scenario.tables.errors import TraceError
from hasim.settings.validation import nearest
from hasim.stored import up_to

MOST_BYTES = 512 * 2**20
"""A larger file, packed or unpacked, is refused: it would not fit in memory beside its arrays."""
LONGEST_LINE = 2**20
KEPT_BYTES = 16 * 2**20
"""The file that was looked at last is kept if it is no larger: it is mostly looked at again."""
_KEPT: dict[tuple[Any, ...], bytes] = {}
UTF8_MARK = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
_MAGIC = (
    (b"PK\x03\x04", "is a zip archive or an Excel workbook: unpack it, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook: save the sheet as CSV"),
    (b"PAR1", "is Parquet: write it as CSV, with pandas.read_parquet(FILE).to_csv(NEW)"),
    (b"SQLite format 3\0", "is an SQLite database: export the table as CSV"),
    (b"%PDF", "is a PDF: write its table as CSV"),
    (b"BZh", "is packed with bzip2: unpack it, or pack it with gzip"),
    (b"\xfd7zXZ\0", "is packed with xz: unpack it, or pack it with gzip"),
    (b"\x28\xb5\x2f\xfd", "is packed with zstd: unpack it, or pack it with gzip"),
)
_MARKS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_JSON = re.compile(rb'\{\s*["}]|\[\s*[{\["\d\]]')
_LINE_END = re.compile(rb"\r\n|\n|\r")
_MARKDOWN = re.compile(rb"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)+\|?\s*")


def content_of(path: Path, *, json_lines: bool = False) -> bytes:
    """The text of a file as bytes in UTF-8 without a mark. Raises TraceError.

    `json_lines`: text that looks like JSON will do.
    """
    try:
        key = (path, json_lines, *state_of(path))
        content = _KEPT.get(key)
        if content is None:
            with opened(path) as file:
                content = _text(path, file, json_lines)
    except FileNotFoundError:
        raise TraceError(path, settings=[("", _missing(path))]) from None
    except OSError as error:
        message = f"cannot be read: {(error.strerror or str(error)).lower()}"
        raise _is(path, message) from None
    _KEPT.clear()
    if len(content) <= KEPT_BYTES:
        _KEPT[key] = content
    return content


def encoding_of(path: Path) -> str:
    """How a file that can be read is encoded and packed, in words."""
    with opened(path) as file:
        head = file.read(3)
    if head.startswith(GZIP):
        return "UTF-8, packed with gzip"
    return "UTF-8 with a mark" if head == UTF8_MARK else "UTF-8"


def _text(path: Path, file: IO[bytes], json_lines: bool) -> bytes:
    content = _limited(path, file)
    if content.startswith(GZIP):
        try:
            with gzip.open(io.BytesIO(content)) as packed:
                content = _limited(path, cast(IO[bytes], packed))
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise _is(path, "is packed with gzip, and broken") from None
    content = content.removeprefix(UTF8_MARK)
    found = _other_than_text(content) or _encoding(content)
    if not found and not (json_lines and _JSON.match(content.lstrip())):
        found = _other_than_table(content)
    if found:
        raise _is(path, found)
    _check_lines(path, content)
    return content


def _limited(path: Path, file: IO[bytes]) -> bytes:
    """What is in a file, of which a very long line is not read to its end."""
    content = up_to(file, LONGEST_LINE + 1)
    if len(content) > LONGEST_LINE and not re.search(rb"[\r\n]", content):
        if b"\0" not in content:
            raise TraceError(path, lines=[(1, "", _TOO_LONG)])
        if not content.startswith(GZIP):
            return content  # no text: what it is instead, its beginning tells
    content += up_to(file, MOST_BYTES + 1 - len(content))
    if len(content) > MOST_BYTES:
        most = MOST_BYTES // 2**20
        raise _is(path, f"has more than {most} MiB: keep the columns and rows that are needed")
    return content


_TOO_LONG = f"is longer than {LONGEST_LINE // 2**20} MiB; expected a table, a row in each line"


def _check_lines(path: Path, content: bytes) -> None:
    """Refuse a line that is too long: only stretches without a line feed are looked at closely."""
    line, start = 1, 0
    while len(content) - start > LONGEST_LINE:
        end = max(content.rfind(mark, start, start + LONGEST_LINE) for mark in (b"\n", b"\r"))
        if end < 0:
            raise TraceError(path, lines=[(line, "", _TOO_LONG)])
        line += len(content[start : end + 1].splitlines())
        start = end + 1


def _other_than_text(content: bytes) -> str:
    for magic, message in _MAGIC:
        if content.startswith(magic):
            return message
    return ""


def _encoding(content: bytes) -> str:
    """Why it is not text in UTF-8; empty if it is."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return f"is text in {name}, expected UTF-8: {_convert(name)}"
    head = content[:65536]
    zeros = sorted((head[::2].count(0), head[1::2].count(0)))
    if zeros[0] == 0 and zeros[1] > len(head) // 5:  # every other byte, as of most letters
        return f"looks like text in UTF-16, expected UTF-8: {_convert('UTF-16LE')}"
    if b"\0" in content:
        return "is binary (it has zero bytes), expected a table as text"
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = 1 + len(_LINE_END.findall(content[: error.start]))
        return f"is not text in UTF-8 (line {line}): {_convert('WINDOWS-1252')}"
    return ""


def _convert(name: str) -> str:
    return f"convert it, for example with iconv -f {name} -t UTF-8 FILE > NEW"


def _other_than_table(content: bytes) -> str:
    """What kind of text it is, if it is none with a row in each line."""
    head = content[:65536].lstrip()
    if _JSON.match(head):
        return "looks like JSON, expected a table: write it as CSV"
    if head.startswith((b"<?xml", b"<!DOCTYPE", b"<!doctype", b"<html")):
        return "is HTML or XML, expected a table: write its table as CSV"
    lines = head.splitlines()[:2]
    if len(lines) == 2 and b"|" in lines[0] and _MARKDOWN.fullmatch(lines[1]):
        return (
            "is a Markdown table, expected one with a separator: take out the line of dashes and "
            "the bars at both ends of each line"
        )
    return ""


def _is(path: Path, message: str) -> TraceError:
    return TraceError(path, settings=[("", f"{path}: {message}")])


def _missing(path: Path) -> str:
    suffixes = (".csv", ".tsv", ".txt", ".gz")
    inside = path.parent.iterdir() if path.parent.is_dir() else ()
    names = [p.name for p in inside if p.suffix in suffixes]
    hint = nearest(path.name, names, otherwise="there are") if names else ""
    return f"no such file: {path}{hint}"
