"""For all tests: the same examples of properties each time, and Ctrl-C for what they start.

`pytest --hypothesis-profile explore` tries others, as many as wanted by `max_examples`.
"""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# No test may fail for the machine being busy: no deadline, and slow is no illness.
UNHURRIED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("repeatable", derandomize=True, **UNHURRIED)
settings.register_profile("explore", derandomize=False, **UNHURRIED)
settings.load_profile("repeatable")

# A shell that starts pytest in the background has it ignore Ctrl-C, and with it all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Whoever runs the tests side by side sets the width of its terminal for all of them.
os.environ.pop("COLUMNS", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regenerate",
        action="store_true",
        help="write the golden files of tests/report/golden anew, to be read before they are kept",
    )
