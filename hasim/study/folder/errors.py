"""What can be wrong with a run folder, and the way on."""

from __future__ import annotations

WAYS_ON = (
    "Begin anew with --fresh (in Python fresh=True), which moves the old run aside, "
    "or choose another folder."
)


class StoreError(ValueError):
    """A run folder that cannot be written or read; the message names the file."""


class FormatError(StoreError):
    """A run folder of another format; the message says which hasim can read it."""


class OtherRunError(StoreError):
    """A run folder of another world or seed: no replication could be taken over."""
