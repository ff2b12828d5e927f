"""The words for what a failover orders, and for what comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hasim import events
from hasim.model import Cause


def _fence_result(body: events.FenceResult) -> str:
    word = "confirms that" if body.confirmed else "cannot confirm that"
    return f"the fencing device {word} {body.master} is off"


def _transfer_result(body: events.TransferResult) -> str:
    if body.cause is not Cause.OK:
        return f"{body.target} could not take the transfer: {body.cause}"
    torn = any(
        (c.received_bytes, c.received_checksum) != (c.source_bytes, c.source_checksum)
        for c in body.copies
    )
    return f"{body.target} holds a {'torn' if torn else 'whole'} copy"


def _promote(body: events.Promote) -> str:
    return f"{body.target} becomes owner of {', '.join(body.partitions)} (epoch {body.epoch})"


def _result(of: str, verb: str) -> Callable[[Any], str]:
    """The words for the answer of a target that was told to do something."""

    def words(body: events.PromoteResult | events.DemoteResult) -> str:
        said = f"confirms its {of}" if body.cause is Cause.OK else f"is not {verb}: {body.cause}"
        return f"{body.target} {said}"

    return words


DEEDS: dict[type[Any], tuple[str, Callable[[Any], str]]] = {
    events.Fence: ("order", lambda body: f"power off {body.master}"),
    events.CancelFence: ("order", lambda body: f"do not power off {body.master} after all"),
    events.FenceResult: ("answer", _fence_result),
    events.TransferState: (
        "order",
        lambda body: f"transfer {', '.join(body.partitions)} to {body.target}",
    ),
    events.TransferResult: ("answer", _transfer_result),
    events.DiscardTransfer: ("order", lambda body: f"{body.target} throws its copy away"),
    events.Promote: ("order", _promote),
    events.PromoteResult: ("answer", _result("promotion", "promoted")),
    events.Demote: (
        "order",
        lambda body: f"{body.target} becomes a standby of {', '.join(body.partitions)}",
    ),
    events.DemoteResult: ("answer", _result("demotion", "demoted")),
}
"""By the class of an order or answer, which all name their failover: the lane, and the words."""
