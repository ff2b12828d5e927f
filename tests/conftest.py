"""For all tests: properties are tried on the same examples each time.

`pytest --hypothesis-profile explore` tries others, as many as wanted by `max_examples`.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile("repeatable")
