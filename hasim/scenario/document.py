"""A YAML file as plain data that still knows the line of every value."""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from hasim import stored
from hasim.scenario.problems import Problem, ScenarioError
from hasim.settings.validation import Where, dotted, nearest

MOST_BYTES = 16 * 2**20
"""A larger file of settings is refused: it would take minutes to parse."""
MOST_REPEATED = 100_000
"""A file whose aliases stand for more values is refused: aliases of aliases may be very many."""
_DEEP = re.compile(r"(?:[\[{]\s*){200}")
"""No settings are so deep, and the parser would take minutes for thousands of brackets."""
WHOLE_KEYS = ("vary.grid", "vary.zip", "vary", "expect", "baseline", "replications.until")
"""Mappings whose keys have dots of their own: the rest of a path is one key."""
_POINT = re.compile(r"(vary)\.(points)\.([^.]+)\.(.+)")


class _TooManyError(ValueError):
    """Aliases of aliases: a small file of very many values."""


class PathError(ValueError):
    """A dotted path that leads nowhere."""


@dataclass(frozen=True)
class Place:
    """Where a value was written: a file and a line, or a ``--set``."""

    file: str
    line: int | None


@dataclass
class Document:
    """Plain data, and the place of each value by its keys and positions from the top."""

    data: dict[str, Any]
    places: dict[Where, Place] = field(default_factory=dict)
    tables: dict[Where, tuple[str, Sequence[int]]] = field(default_factory=dict)
    """Lists that stand in a file of their own: its name, and the line of each item."""

    def copy(self) -> Document:
        """Independent of this one."""
        return Document(copy.deepcopy(self.data), dict(self.places), self.tables)

    def place_of(self, where: Where) -> Place:
        """The place of a value, or of the nearest that encloses it."""
        for length in range(len(where), -1, -1):
            place = self.places.get(where[:length])
            if place is not None:
                return place
            table = self.tables.get(where[: length - 1]) if length else None
            if table is not None and isinstance(item := where[length - 1], int):
                return Place(table[0], table[1][item])
        return Place("", None)

    def problem(self, where: Where, message: str) -> Problem:
        """A problem with the value at `where`."""
        place = self.place_of(where)
        return Problem(place.file, place.line, dotted(where), message)

    def set(self, path: str, value: Any, place: Place) -> None:
        """Give the setting at a dotted path a value, which was written at `place`.

        Mappings on the way are made if they are missing. An item of a list is
        named by its position, a master also by its id, a tier by its name. Raises PathError.
        """
        at: Any = self.data
        where: Where = ()
        *parents, last = self._steps(path)
        for step in parents:
            key = _key(at, where, step)
            where = (*where, key)
            if isinstance(at, dict) and at.get(key) is None:
                at[key] = {}
                self.places[where] = place
            at = at[key]
        key = _key(at, where, last)
        where = (*where, key)
        at[key] = value
        for known in [w for w in self.places if w[: len(where)] == where]:
            del self.places[known]
        self.places[where] = place

    def _steps(self, path: str) -> list[str]:
        steps = path.split(".")
        for whole in WHOLE_KEYS:
            if path.startswith(f"{whole}."):
                steps = [*whole.split("."), path.removeprefix(f"{whole}.")]
                break
        if point := _POINT.fullmatch(path):
            steps = list(point.groups())
        if not all(steps):
            raise PathError(f"{path!r} is no path such as detection.interval")
        return steps


def _key(at: Any, where: Where, step: str) -> str | int:
    """The key or position that `step` means in `at`; raises PathError if there is none."""
    here = dotted(where)
    if isinstance(at, dict):
        return step
    if not isinstance(at, list):
        raise PathError(f"{here} is {at!r} and has no settings of its own; set {here} as a whole")
    if step.isdigit():
        if int(step) < len(at):
            return int(step)
        raise PathError(f"{here} has no item {step}; it has {len(at)}, counted from 0")
    ids = [item.get("id", item.get("name")) if isinstance(item, dict) else None for item in at]
    if step in ids:
        return ids.index(step)
    known = [str(i) for i in ids if i is not None] or [str(i) for i in range(len(at))]
    raise PathError(f"{here} has no {step!r}{nearest(step, known)}")


def read_document(path: Path) -> Document:
    """The document in a YAML 1.2 file. Raises ScenarioError."""
    name = str(path)
    try:
        content = stored.content(path, most=MOST_BYTES, pipes=True)
    except stored.StoredError as error:
        raise ScenarioError([Problem(name, None, "", str(error))]) from None
    except OSError as error:
        message = _missing(path) if isinstance(error, FileNotFoundError) else _reason(error)
        raise ScenarioError([Problem(name, None, "", message)]) from None
    return document_in(content, name)


def document_in(content: bytes, name: str) -> Document:
    """The document in what a file holds; `name` stands for the file. Raises ScenarioError."""
    try:
        return parse_document(content.decode("utf-8-sig"), name)
    except UnicodeDecodeError:
        raise ScenarioError([Problem(name, None, "", "is not a text file in UTF-8")]) from None


def _reason(error: OSError) -> str:
    return f"cannot be read: {(error.strerror or str(error)).lower()}"


def _missing(path: Path) -> str:
    """``no such file``, with the nearest name in its folder."""
    folder = path.parent
    names = [p.name for p in folder.iterdir()] if folder.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1)
    return "no such file" + (f"; did you mean {folder / near[0]}?" if near else "")


def parse_document(text: str, name: str) -> Document:
    """The document in a YAML 1.2 text; `name` stands for the file. Raises ScenarioError."""
    if _DEEP.search(text):
        raise ScenarioError([Problem(name, None, "", "is nested too deeply")])
    try:
        tree = YAML().load(text)
    except DuplicateKeyError as error:
        match = re.search(r'duplicate key "(.*?)"', str(error.problem))
        raise _yaml_error(name, error, match.group(1) if match else "", "given twice") from None
    except MarkedYAMLError as error:
        message = f"not valid YAML: {error.problem}{_hint(text, error)}"
        raise _yaml_error(name, error, "", message) from None
    except RecursionError:
        raise ScenarioError([Problem(name, None, "", "is nested too deeply")]) from None
    except TypeError:  # ruamel trips over a key that holds a mapping
        message = "expected text as a key, not a list or a mapping; write it in quotes"
        raise ScenarioError([Problem(name, _no_text_as_key(text), "", message)]) from None
    except IndexError:  # ruamel trips over a number of signs alone, such as -_
        message = "not valid YAML: a number without a digit (write it in quotes)"
        raise ScenarioError([Problem(name, None, "", message)]) from None
    except (YAMLError, ValueError) as error:
        first = (str(error).splitlines() or ["cannot be parsed"])[0]
        raise ScenarioError([Problem(name, None, "", f"not valid YAML: {first}")]) from None
    if not isinstance(tree, CommentedMap):
        found = "a list" if isinstance(tree, CommentedSeq) else "a single value"
        message = "is empty" if tree is None else f"expected settings (key: value), not {found}"
        raise ScenarioError([Problem(name, 1, "", message)])
    document = Document({}, {(): Place(name, 1)})
    problems: list[Problem] = []
    try:
        document.data = _Reader(name, document.places, problems).plain(tree, ())
    except (_TooManyError, RecursionError) as error:
        message = str(error) if isinstance(error, _TooManyError) else "is nested too deeply"
        raise ScenarioError([Problem(name, None, "", message)]) from None
    if problems:
        raise ScenarioError(problems)
    return document


def document_of(data: Mapping[str, Any], name: str) -> Document:
    """A document of data that is in no file; `name` stands for the file in messages."""
    return Document(copy.deepcopy(dict(data)), {(): Place(name, None)})


def parse_value(text: str) -> Any:
    """The value of a ``--set``, written as in YAML; a limit (``>= 99%``) needs no quotes.

    Raises ValueError.
    """
    if _LIMIT.match(text):
        return text
    try:
        tree = YAML().load(text)
        problems: list[Problem] = []
        value = _Reader("", {}, problems).plain(tree, ())
    except (YAMLError, RecursionError, IndexError, TypeError):  # as in `parse_document`
        raise ValueError(f"{text!r} is not valid YAML") from None
    if problems:
        raise ValueError(problems[0].message)
    return value


_LIMIT = re.compile(r"\s*(>=|<=|<|>)\s*[0-9.]")  # which YAML would take for a folded text


def _no_text_as_key(text: str) -> int | None:
    """The line of the first key that is a list or a mapping."""
    return min(
        (
            key.start_mark.line + 1
            for node in _nodes(YAML().compose(text))
            if isinstance(node, MappingNode)
            for key, _ in node.value
            if not isinstance(key, ScalarNode)
        ),
        default=None,
    )


def _nodes(root: Any) -> Iterator[Any]:
    """All nodes of a tree, each once: by aliases it may hold itself."""
    left, seen = [root], set[int]()
    while left:
        node = left.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, MappingNode):
            left += [each for pair in node.value for each in pair]
        elif isinstance(node, SequenceNode):
            left += node.value


def _yaml_error(name: str, error: MarkedYAMLError, field: str, message: str) -> ScenarioError:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else None
    return ScenarioError([Problem(name, line, field, message)])


def _hint(text: str, error: MarkedYAMLError) -> str:
    mark, lines = error.problem_mark, text.splitlines()
    if mark is None or mark.line >= len(lines):
        return ""
    if re.search(r":\s+[>|%@`*&!]", lines[mark.line]):
        return ' (write a value that begins with a sign in quotes: ">= 99.99%")'
    if "mapping values are not allowed" in str(error.problem):
        return ' (write a text that contains ": " in quotes)'
    if "\t" in lines[mark.line]:
        return " (indent with spaces, not with tabs)"
    return ""


@dataclass
class _Reader:
    """Turns ruamel's tree into plain data and notes the places."""

    name: str
    places: dict[Where, Place]
    problems: list[Problem]
    seen: set[int] = field(default_factory=set)
    """Lists and mappings that were read before: to meet one again is an alias."""
    repeated: int = 0

    def plain(self, node: Any, where: Where, again: bool = False) -> Any:
        if isinstance(node, CommentedMap | CommentedSeq):
            again = again or id(node) in self.seen
            self.seen.add(id(node))
        self.repeated += again
        if self.repeated > MOST_REPEATED:
            raise _TooManyError(f"its aliases (*name) stand for more than {MOST_REPEATED:,} values")
        if isinstance(node, CommentedMap):
            return dict(self._pairs(node, where, again))
        if isinstance(node, CommentedSeq):
            return [value for _, value in self._pairs(node, where, again)]
        return self._scalar(node, where)

    def _pairs(self, node: Any, where: Where, again: bool) -> Iterator[tuple[Any, Any]]:
        keyed = isinstance(node, CommentedMap)
        for key, value in node.items() if keyed else enumerate(node):
            if keyed and not isinstance(key, str):
                self._place(node, key, (*where, str(key)))
                self._refuse((*where, str(key)), "expected text as a key; write it in quotes")
                continue
            inner = (*where, str(key) if keyed else key)
            merged = not self._place(node, key, inner)
            yield inner[-1], self.plain(value, inner, again or merged)

    def _place(self, node: Any, key: Any, where: Where) -> bool:
        """Note a value's place; False if it has none, since it was merged in by ``<<``."""
        position = (node.lc.data or {}).get(key)
        if position is None:
            return False
        self.places[where] = Place(self.name, position[0] + 1)
        return True

    def _scalar(self, node: Any, where: Where) -> Any:
        for kind in (bool, int, float, str):  # ruamel's own numbers and texts are subclasses
            if isinstance(node, kind):
                return kind(node)
        if node is None:
            return None
        if isinstance(node, TaggedScalar) or not hasattr(node, "isoformat"):
            self._refuse(where, "tags (!) are not understood here")
            return None
        return str(node.isoformat())  # a date; no setting is one, so validation refuses it

    def _refuse(self, where: Where, message: str) -> None:
        place = self.places.get(where) or self.places.get(where[:-1]) or Place(self.name, None)
        self.problems.append(Problem(place.file, place.line, dotted(where), message))
