"""Settings of a file as lines of YAML, to be pasted into a scenario."""

from __future__ import annotations

import io
from collections.abc import Collection
from typing import Any

PLACES = {
    "arrivals": ("traffic:", "  arrivals: "),
    "rtt": ("network:", "  rtt: "),
    "jitter": ("network:", "  jitter: "),
    "service": ("masters:", "  - id: m1", "    service: "),
    "schedule": (
        "faults:",
        "  - kind: crash      # or hang, power-off, slow, ...",
        "    target: each     # every master has the outages of another resource",
        "    schedule: ",
    ),
}
"""The lines above the settings, the last of which they stand in or under."""
WIDTH = 76
GUESS = "a guess: the file does not say"


def to_paste(place: str, settings: dict[str, Any], unsure: Collection[str]) -> str:
    """The settings at their place (`PLACES`), with a comment at those that are a guess."""
    *above, last = PLACES[place]
    inline = f"{last}{_flow(settings)}"
    if len(inline) <= WIDTH and not unsure:
        return "\n".join([*above, inline]) + "\n"
    indent = " " * (len(last) - len(last.lstrip()) + 2)
    pairs = [f"{indent}{_flow({key: value})[1:-1]}" for key, value in settings.items()]
    lines = [
        f"{pair}  # {GUESS}" if key in unsure else pair
        for key, pair in zip(settings, pairs, strict=True)
    ]
    return "\n".join([*above, last.rstrip(), *lines]) + "\n"


def _flow(value: dict[str, Any]) -> str:
    """A mapping in one line."""
    from ruamel.yaml import YAML

    yaml, stream = YAML(), io.StringIO()
    yaml.width = 10**6
    yaml.default_flow_style = True
    yaml.representer.add_representer(
        type(None), lambda own, _: own.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    yaml.dump(value, stream)
    return stream.getvalue().strip()
