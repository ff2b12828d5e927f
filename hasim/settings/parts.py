"""Parts that are chosen by name, and whose settings may stand beside the name.

``detector: threshold`` with ``fall: 3`` beside it is the short form of
``detector: {kind: threshold, fall: 3}``.
"""

from __future__ import annotations

import dataclasses
import typing
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass
from typing import Any, ClassVar, Self

from hasim.settings.presets import PRESET, Preset, with_preset
from hasim.settings.reading import (
    field_hint,
    fields_by_user_name,
    meaning_of,
    plain,
    written,
)
from hasim.settings.registry import Named, Registry
from hasim.settings.validation import SettingsError, adapter, from_plain, nearest

KIND = "kind"
"""The key that names a part in a mapping of its settings."""


@dataclass(frozen=True)
class Part:
    """The annotation of the settings of one of the classes of a registry.

    Users write its name, or a mapping with the name under `KIND`.
    """

    registry: Registry[Any]

    def classes(self) -> Mapping[str, type[Any]]:
        """The settings classes that there are now, by name."""
        return self.registry.settings()

    def with_name(self, name: str) -> dict[str, Any]:
        """The settings that are written with a part's name, never beside it, and their defaults.

        A settings class names them in `WITH_NAME`; the default is not written.
        """
        cls = self.classes()[name]
        fields = fields_by_user_name(cls)
        return {key: fields[key].default for key in getattr(cls, "WITH_NAME", ())}

    def read(self, value: Any) -> Any:
        """The settings object; SettingsError says what was expected."""
        classes = self.classes()
        if type(value) in classes.values():
            return value
        names = list(classes)
        if not isinstance(value, str) and not (isinstance(value, dict) and KIND in value):
            text = f"expected {self.registry.what}: a name or {{{KIND}: {names[0]}, ...}}"
            raise SettingsError([((), f"{text}, got {value!r}")])
        own = {KIND: value} if isinstance(value, str) else value
        name = own[KIND]
        if not isinstance(name, str) or name not in classes:
            where = () if isinstance(value, str) else (KIND,)
            raise SettingsError([(where, f"unknown value {name!r}{nearest(str(name), names)}")])
        return from_plain(classes[name], {key: own[key] for key in own if key != KIND})

    def write(self, value: Any) -> Any:
        """What a user would write: the name, or a mapping if there is anything to set."""
        own = plain(value)
        name = self.registry.name_of(type(value))
        return {KIND: name, **own} if own else name

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        mappings = []
        for name, cls in self.classes().items():
            properties = {key: _json_schema(cls, key) for key in fields_by_user_name(cls)}
            mappings.append(
                {
                    "type": "object",
                    "properties": {KIND: {"const": name}, **properties},
                    "required": [KIND],
                    "additionalProperties": False,
                }
            )
        return {"anyOf": [{"enum": list(self.classes())}, *mappings]}


def part_in(hint: Any) -> Part | None:
    """The `Part` of a field's type, alone or in a tuple, if it is one."""
    for mark in getattr(hint, "__metadata__", ()):
        if isinstance(mark, Part):
            return mark
    return next(filter(None, map(part_in, typing.get_args(hint))), None)


class PartsBeside:
    """A base of settings classes: the settings of their parts may stand beside the parts.

    Such a setting goes to the chosen part that has one of its name. That of a part
    which is not chosen is checked and has no effect, so that the choice can be varied alone.
    Where there are presets, `preset` names one, and what is written beside it overrides it.
    """

    PRESETS: ClassVar[Named[Preset] | None] = None

    @classmethod
    def of_preset(cls, name: str, **beside: Any) -> Self:
        """The settings of a preset with others, as users write them, in place; SettingsError."""
        return from_plain(cls, {PRESET: name, **beside})

    @classmethod
    def completed(cls, field: str, names: list[str]) -> list[dict[str, Any]]:
        """More parts for a field (its name for users) of which these are chosen; by default none.

        Each is a mapping, as users write it.
        """
        return []

    @classmethod
    def names_beside(cls) -> dict[str, dict[str, type[Any]]]:
        """The settings that may stand beside the parts, and the parts that have them, by name."""
        found: dict[str, dict[str, type[Any]]] = {}
        own = fields_by_user_name(cls)
        for part, _ in _parts(cls).values():
            for kind, member in part.classes().items():
                for name in fields_by_user_name(member):
                    if name not in own:
                        found.setdefault(name, {})[kind] = member
        return found

    @classmethod
    def gathered(cls, data: Any) -> Any:
        """The same data with each setting in the part that it belongs to; SettingsError."""
        if not isinstance(data, dict):
            return data
        if cls.PRESETS is not None:
            data = with_preset(cls.PRESETS, data)
        own = fields_by_user_name(cls)
        beside = {key: value for key, value in data.items() if key not in own}
        kept = {key: value for key, value in data.items() if key in own}
        chosen = {name: _Chosen(cls, name, kept) for name in _parts(cls)}
        problems = []
        for key, value in beside.items():
            try:
                if not _put(chosen.values(), key, value):
                    _check(cls.names_beside().get(key, {}).values(), key, value)
                    if key not in cls.names_beside():
                        kept[key] = value  # validation tells that it is unknown
            except ValueError as error:
                problems.append(((key,), str(error)))
        if problems:
            raise SettingsError(problems)
        return kept | {name: one.written() for name, one in chosen.items() if one.changed}

    def has_setting(self, name: str) -> bool:
        """Whether one of the chosen parts has a setting of this name."""
        for place, (_, many) in _parts(type(self)).items():
            value = getattr(self, fields_by_user_name(type(self))[place].name)
            if any(
                name in fields_by_user_name(type(item)) for item in (value if many else [value])
            ):
                return True
        return False

    def as_written(self) -> dict[str, Any]:
        """What a user would write: parts by name, and beside them what is one's alone."""
        cls = type(self)
        fields, places = fields_by_user_name(cls), _parts(cls)
        parts = {name: list(_written(self, fields[name], *places[name])) for name in places}
        owners = Counter(key for items in parts.values() for _, own in items for key in own)
        flat: dict[str, Any] = {}
        found: dict[str, Any] = {}
        for name, field in fields.items():
            if name not in places:
                found[name] = written(cls, field.name, getattr(self, field.name))
                continue
            items = []
            for kind, own in parts[name]:
                inside = places[name][0].with_name(kind)
                shared = {k: v for k, v in own.items() if owners[k] > 1 or k in (*fields, *inside)}
                flat |= {k: v for k, v in own.items() if k not in shared}
                said = {k: v for k, v in shared.items() if inside.get(k, MISSING) != v}
                items.append({KIND: kind, **said} if said else kind)
            found[name] = items if places[name][1] else items[0]
        return found | flat

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        inner = handler(source)
        ref = inner.pop("ref", None)  # so that the definition is of the whole
        return core_schema.no_info_before_validator_function(cls.gathered, inner, ref=ref)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> dict[str, Any]:
        schema: dict[str, Any] = handler(core)
        whole = handler.resolve_ref_schema(schema)
        if cls.PRESETS is not None:
            about = "Settings of a real system under its own name; others beside it override them."
            whole["properties"][PRESET] = {"enum": list(cls.PRESETS.names()), "description": about}
        for name, members in cls.names_beside().items():
            forms = [_json_schema(member, name) for member in members.values()]
            whole["properties"][name] = forms[0] if len(forms) == 1 else _any_of(members, forms)
        return schema


class _Chosen:
    """The parts of one field, as mappings that can be added to; what is unreadable stays as is."""

    def __init__(self, cls: type[PartsBeside], name: str, data: Mapping[str, Any]) -> None:
        self.part, self.many = _parts(cls)[name]
        given = data[name] if name in data else fields_by_user_name(cls)[name].default
        listed = list(given) if isinstance(given, list | tuple) else [given]
        if name not in data:  # the defaults have the defaults of their classes
            listed = [self.part.registry.name_of(type(item)) for item in listed]
        self.items = [{KIND: item} if isinstance(item, str) else item for item in listed]
        self.items = [dict(item) if isinstance(item, dict) else item for item in self.items]
        more = cls.completed(name, [str(item.get(KIND)) for item in self._mappings()])
        self.items += more
        self.changed = bool(more)

    def with_setting(self, key: str) -> list[dict[str, Any]]:
        """The items whose class has a setting of this name."""
        classes = self.part.classes()
        found = [(item, classes.get(str(item.get(KIND)))) for item in self._mappings()]
        return [item for item, cls in found if cls is not None and key in fields_by_user_name(cls)]

    def written(self) -> Any:
        """The field, for validation."""
        return self.items if self.many else self.items[0]

    def _mappings(self) -> list[dict[str, Any]]:
        return [item for item in self.items if isinstance(item, dict)]


def _put(fields: Any, key: str, value: Any) -> bool:
    """Put a setting into the chosen part that has one of this name; False if none has."""
    found = [(field, item) for field in fields for item in field.with_setting(key)]
    if len(found) > 1:
        kinds = " and ".join(str(item[KIND]) for _, item in found)
        first = f"{{{KIND}: {found[0][1][KIND]}, {key}: ...}}"
        raise ValueError(f"{kinds} have it: say whose it is, as in {first}")
    for field, item in found:
        if key in item:
            raise ValueError(f"is given twice: {item[KIND]} has it as well")
        item[key] = value
        field.changed = True
    return bool(found)


def _check(members: Any, key: str, value: Any) -> None:
    """Refuse a value that none of the classes which have the setting would take."""
    problem = None
    for member in members:
        field = fields_by_user_name(member)[key]
        try:
            from_plain(field_hint(member, field.name), value)
        except SettingsError as error:
            problem = error
        else:
            return
    if problem is not None:
        raise ValueError(problem.problems[0][1])


def _written(
    owner: PartsBeside, field: dataclasses.Field[Any], part: Part, many: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The parts of a field in turn: name, and settings as users write them."""
    value = getattr(owner, field.name)
    for item in value if many else (value,):
        yield part.registry.name_of(type(item)), plain(item)


def _parts(cls: type[Any]) -> dict[str, tuple[Part, bool]]:
    """The fields that are parts, by their names for users, and whether there may be several."""
    found = {}
    for name, field in fields_by_user_name(cls).items():
        hint = field_hint(cls, field.name)
        part = part_in(hint)
        if part is not None:
            found[name] = part, part not in getattr(hint, "__metadata__", ())
    return found


def _json_schema(cls: type[Any], name: str) -> dict[str, Any]:
    """The JSON Schema of one setting of a part, with its meaning and default."""
    field = fields_by_user_name(cls)[name]
    schema: dict[str, Any] = adapter(field_hint(cls, field.name)).json_schema()
    if field.default is not MISSING:
        schema["default"] = written(cls, field.name, field.default)
    return {**schema, "description": meaning_of(cls, field.name)}


def _any_of(members: Mapping[str, type[Any]], forms: list[dict[str, Any]]) -> dict[str, Any]:
    """The schema of a name that means something else beside another part: it says what where."""
    parts: dict[str, list[str]] = {}
    for kind, form in zip(members, forms, strict=True):
        parts.setdefault(form["description"], []).append(kind)
    told = (f"{', '.join(kinds)}: {meaning}" for meaning, kinds in parts.items())
    return {"anyOf": forms, "description": " ".join(told)}
