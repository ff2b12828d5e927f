"""Presets: settings of a real system under its own name, which one's own settings override."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hasim.settings.registry import Named
from hasim.settings.validation import SettingsError, nearest

PRESET = "preset"
"""The key that names a preset in a mapping of settings."""


@dataclass(frozen=True)
class Preset:
    """What a system does unless it is told otherwise.

    `about`: the system and the mechanism, in a line. `source`: where its defaults are documented.
    `settings`: the same in the form in which users write them, the settings of parts beside the
    parts.
    """

    about: str
    source: str
    settings: Mapping[str, Any]


def with_preset(presets: Named[Preset], data: dict[str, Any]) -> dict[str, Any]:
    """The settings of the preset that data name, if any, under the data's own; SettingsError.

    A setting that the data give within a part replaces that of the preset, too.
    """
    if PRESET not in data:
        return data
    name, own = data[PRESET], {key: value for key, value in data.items() if key != PRESET}
    if not isinstance(name, str) or name not in presets.known:
        text = f"unknown value {name!r}{nearest(str(name), presets.names())}"
        raise SettingsError([((PRESET,), text)])
    preset: Preset = presets.known[name]
    inside = {key for value in own.values() for part in _parts(value) for key in part}
    beneath = {key: value for key, value in preset.settings.items() if key not in inside}
    return {**beneath, **own}


def _parts(value: Any) -> list[dict[str, Any]]:
    """The mappings of parts that a value is or lists."""
    listed = value if isinstance(value, list | tuple) else [value]
    return [item for item in listed if isinstance(item, dict) and "kind" in item]
