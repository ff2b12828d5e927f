"""Small mutators: of bytes, of lines and cells, and of data by its structure."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

TOKENS = (
    b"NaN", b"Infinity", b"-1", b"1e999", b"1e308", b"0", b"null", b"true", b'""', b"[]", b"{}",
    b"9" * 400, b"[" * 5000, b"\0", b"\xff\xfe", b"\x1b[2J", b"\n", b"\r", b",", b";", b'"', b"{",
    b"2024-13-45", b"999999999999999999999", b"\xe2\x80\xae", b"=1+1", b"%s%n", b"&a *a", b"!!x ",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 10**400, 1e308, -0.0, 0.1, 1e-300, "",
    "x", "1", "nan", "inf", "1ns", "1s", "0s", "-1s", "10000d", "100000d", "1e9d", "101%", "-1%",
    "9" * 5000, "\x1b[31m", "\u202e", "=cmd()", "\0", "random", "all", "owner-of:p1", "<b>", "|",
    [], {}, [[]], [None], {"": 1}, {"kind": "crash"}, {"law": "exponential", "mean": "0s"},
    {"law": "weibull", "mean": "1s", "shape": 0.01}, {"trace": "/etc/passwd", "column": "x"},
    {"trace": "/dev/zero", "column": "x"}, {"trace": ".", "column": "x"},
    {"preset": "haproxy"}, ["a"] * 300,
)  # fmt: skip
MOST_FLOAT = 2**1000
"""A whole number from here on may have no float."""
Place = tuple[Any, Any]
"""A container and the key or index in it."""


def of_bytes(content: bytes, rng: random.Random) -> bytes:
    """The content with a few of its bytes changed, left out, put in, or put twice."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        if not data:
            break
        at = rng.randrange(len(data))
        end = min(len(data), at + rng.choice((1, 1, 4, 30, 400)))
        match rng.randrange(6):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at:end]
            case 2:
                data[at:at] = data[at:end]
            case 3:
                data[at:at] = rng.choice(TOKENS)
            case 4:
                del data[at:]
            case _:
                data[at : min(len(data), at + rng.randint(1, 5))] = rng.choice(TOKENS)
    return bytes(data)


def of_lines(content: bytes, rng: random.Random) -> bytes:
    """Lines exchanged, doubled, left out; or the cells of one changed."""
    lines = content.splitlines(keepends=True)
    for _ in range(rng.randint(1, 3)):
        if not lines:
            break
        at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        match rng.randrange(5):
            case 0:
                lines[at], lines[other] = lines[other], lines[at]
            case 1:
                lines.insert(other, lines[at])
            case 2:
                del lines[at]
            case 3:
                comma = b";" if b";" in lines[at] else b","
                cells = lines[at].rstrip(b"\n").split(comma)
                cells[rng.randrange(len(cells))] = rng.choice(TOKENS)
                lines[at] = comma.join(cells) + b"\n"
            case _:
                lines[at] = of_bytes(lines[at], rng)
    return b"".join(lines)


def of_data(data: Any, rng: random.Random) -> Any:
    """Data with some of its values replaced, left out, exchanged, renamed or nested."""
    made = copy.deepcopy(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = list(_places(made))
        if not places:
            return rng.choice(VALUES)
        inside, key = rng.choice(places)
        match rng.randrange(8):
            case 0:
                del inside[key]
            case 1:
                other, name = rng.choice(places)
                if _still(other, name):
                    inside[key] = copy.deepcopy(other[name])
            case 2 if isinstance(inside, dict):
                inside[rng.choice(("x", "", "kind", "mean", f"{key}s"))] = inside.pop(key)
            case 3 if isinstance(inside, list):
                inside.insert(key, copy.deepcopy(inside[key]))
            case 4 if isinstance(inside[key], int | float):
                inside[key] = _near(inside[key], rng)
            case 5:
                inside[key] = [inside[key]] if rng.random() < 0.5 else {"x": inside[key]}
            case _:
                inside[key] = copy.deepcopy(rng.choice(VALUES))
    return made


def _near(value: float, rng: random.Random) -> float:
    if isinstance(value, int) and abs(value) >= MOST_FLOAT:  # what is near to it is no float
        return rng.choice((value + 1, value - 1, -value, value * 1_000_000, value // 3, value))
    return rng.choice((value + 1, value - 1, -value, value * 1_000_000, value / 3, value + 0.5))


def _places(data: Any) -> list[Place]:
    """Everything that can be replaced, at any depth."""
    found: list[Place] = []
    todo = [data]
    while todo:
        inside = todo.pop()
        keys = list(inside) if isinstance(inside, dict) else range(len(inside))
        for key in keys:
            found.append((inside, key))
            if isinstance(inside[key], dict | list):
                todo.append(inside[key])
    return found


def _still(inside: Any, key: Any) -> bool:
    return key in inside if isinstance(inside, dict) else key < len(inside)


def text(data: Any) -> bytes:
    """Data as JSON, which is YAML as well."""
    return json.dumps(data).encode()
