"""How state machines are run in tests: always alike, and told as they are found."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings


def at_random(examples: int, steps: int) -> settings:
    """The same examples each time, told as they are found: to shrink one takes minutes."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
