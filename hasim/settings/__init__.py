"""How a setting is written once, and everything else derived from it.

A group of settings is a frozen dataclass made with `@settings`; each field is
annotated with one of the kinds (`duration`, `count`, `share`, ...), which carries
meaning, unit, range and source. The classes need nothing but the standard
library. Validation (the units' text forms, ranges, unknown keys), the JSON
Schema, the configuration reference and ``--set`` come from them through
pydantic's TypeAdapter, which calls the hooks of the annotations; pydantic is
imported only then.

A field name ends in its unit (``timeout_ns``); its name for users leaves the
unit out (``timeout: 500ms``), and the underscore that keeps a name from being
a Python keyword (``for_ns`` is ``for``).

`kinds` has the kinds of values, `declaring` the decorator, `choices` the values
that pick one of several classes or names, `reading` what is read off a class or
written of an object, `validation` the way back from plain data, with the
messages about what is wrong in it.
"""

from hasim.settings.choices import Choice, Name
from hasim.settings.declaring import settings
from hasim.settings.kinds import (
    ANY,
    Setting,
    bandwidth,
    count,
    duration,
    factor,
    rate,
    share,
    size,
)
from hasim.settings.reading import (
    field_hint,
    fields_by_user_name,
    meaning_of,
    members_of,
    plain,
    setting_of,
    settings_classes,
    written,
)
from hasim.settings.validation import SettingsError, from_plain

__all__ = [
    "ANY",
    "Choice",
    "Name",
    "Setting",
    "SettingsError",
    "bandwidth",
    "count",
    "duration",
    "factor",
    "field_hint",
    "fields_by_user_name",
    "from_plain",
    "meaning_of",
    "members_of",
    "plain",
    "rate",
    "setting_of",
    "settings",
    "settings_classes",
    "share",
    "size",
    "written",
]
