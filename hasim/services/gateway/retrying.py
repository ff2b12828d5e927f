"""Retries, layer upon layer: which attempt follows a failed one, when, and at which master.

Plain functions over two `Layer`s, which stand once for all who need them: the dispatcher calls
them, and the compiled data plane compiles the very same functions over records with the same
fields. The attempts of a message have numbers from 0 on. Each attempt of the outer layer is a run
of `attempts` numbers of the inner one; of a run that ends early, the numbers left are not used.
"""

from __future__ import annotations

from dataclasses import dataclass

from hasim.model import Cause
from hasim.services.gateway.rules import NEVER
from hasim.services.gateway.settings import RetryLayer, RetrySettings
from hasim.services.watch import causes_set

ANOTHER, SAME, SAME_THEN_ANOTHER, PINNED = range(4)
MASTERS = {
    **{"another": ANOTHER, "same": SAME},
    **{"same-then-another": SAME_THEN_ANOTHER, "pinned": PINNED},
}
LEAVES, STAYS, CLINGS = range(3)
"""What an attempt does: it goes anywhere, to the last master if that is eligible, or to it."""
NONE = -1


@dataclass(slots=True)
class Layer:
    """One layer of retries, as numbers; `on` is the set of causes after which it tries again.

    `master` is one of ANOTHER, SAME, SAME_THEN_ANOTHER, PINNED; `most_ns` bounds the wait.
    """

    attempts: int
    on: int
    master: int
    backoff_ns: int
    most_ns: int
    growth: float
    jitter: float


def layers_of(settings: RetrySettings) -> tuple[Layer, Layer]:
    """The outer layer and the inner one, which has one attempt if there is none."""
    return _layer(settings), _layer(settings.inner or RetryLayer())


def _layer(settings: RetryLayer) -> Layer:
    return Layer(
        attempts=settings.attempts,
        on=causes_set(map(Cause, settings.on)),
        master=MASTERS[settings.master],
        backoff_ns=settings.backoff_ns,
        most_ns=settings.most_backoff_ns or NEVER,
        growth=settings.growth,
        jitter=settings.jitter,
    )


def follows(outer: Layer, inner: Layer, number: int, cause: int) -> int:
    """The number of the attempt after one that failed like this; NONE if the message gives up."""
    following = number + 1
    if following % inner.attempts != 0 and inner.on >> cause & 1:
        return following
    run = number // inner.attempts + 1
    if run < outer.attempts and outer.on >> cause & 1:
        return run * inner.attempts
    return NONE


def stays(outer: Layer, inner: Layer, number: int) -> int:
    """Whether an attempt goes to the master of the one before: LEAVES, STAYS or CLINGS."""
    if number == 0:
        return LEAVES
    run, place = number // inner.attempts, number % inner.attempts
    if place > 0:
        return _stays(inner, place)
    return _stays(outer, run)


def _stays(layer: Layer, retry: int) -> int:
    """The same of a retry of one layer, numbered from 1."""
    if layer.master == PINNED:
        return CLINGS
    if layer.master == SAME:
        return STAYS
    if layer.master == SAME_THEN_ANOTHER and retry + 1 < layer.attempts:
        return STAYS
    return LEAVES


def starts_at(
    now: int, give_up_ns: int, outer: Layer, inner: Layer, number: int, uniform: float
) -> int:
    """When an attempt (number 1 or more) begins; NEVER if that is too late for its message.

    Its layer waits `backoff_ns`, multiplied by `growth` for each further attempt up to `most_ns`,
    of which the share `jitter` is drawn; not from `give_up_ns`, the message's deadline, on.
    Source: Marc Brooker, Exponential Backoff And Jitter (AWS Architecture Blog, 2015); Envoy.
    """
    run, place = number // inner.attempts, number % inner.attempts
    if place > 0:
        return _after(now, give_up_ns, inner, place, uniform)
    return _after(now, give_up_ns, outer, run, uniform)


def _after(now: int, give_up_ns: int, layer: Layer, failed: int, uniform: float) -> int:
    """When a layer tries again after so many failures."""
    wait_ns, most_ns = float(layer.backoff_ns), float(layer.most_ns)
    # Step by step: a power would be rounded in one way here, and in another in compiled code.
    while failed > 1 and wait_ns < most_ns and layer.growth > 1.0 and wait_ns > 0.0:
        wait_ns *= layer.growth
        failed -= 1
    wait_ns = min(wait_ns, most_ns) * (1.0 - layer.jitter + uniform * layer.jitter)
    if wait_ns >= NEVER or now + int(wait_ns) >= give_up_ns:
        return NEVER
    return now + int(wait_ns)
