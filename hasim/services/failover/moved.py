"""When a partition was last moved from an owner that had failed, and for what."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.model import Diagnosis


@dataclass(frozen=True, slots=True)
class Moved:
    """At `at_ns`, from `source`, which had failed in this way."""

    at_ns: int
    source: str
    diagnosis: Diagnosis
