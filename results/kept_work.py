"""Work of a long script that is kept: whoever is stopped goes on where it was.

What was found is a line of JSON each in `results/.kept/NAME.jsonl`, and counts as long as neither
hasim nor the script has changed.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
KEPT = HERE / ".kept"


class KeptWork:
    """The work of one script, by name."""

    def __init__(self, script: str) -> None:
        own = Path(script)
        self._path = KEPT / f"{own.stem}.jsonl"
        sources = [*sorted((HERE.parent / "hasim").rglob("*.py")), own]
        digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources))
        self._digest = digest.hexdigest()[:16]
        self._found: dict[str, Any] = {}
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                of, key, value = json.loads(line)
                if of == self._digest:
                    self._found[key] = value
        if self._found:
            sys.stdout.write(f"{len(self._found)} parts are kept from before: {self._path}\n")

    def __call__(self, key: str, make: Callable[[], Any]) -> Any:
        """What was found under the key, or what `make` finds now, as JSON has it."""
        if key not in self._found:
            value = make()
            self._path.parent.mkdir(exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([self._digest, key, value]) + "\n")
            self._found[key] = json.loads(json.dumps(value))
        return self._found[key]
