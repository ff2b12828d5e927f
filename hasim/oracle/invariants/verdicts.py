"""Verdicts follow from what was heard, by the rules written down once more."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.events import (
    CheckMaster,
    GatewayHello,
    GatewayReport,
    OrderRefused,
    RecordFailure,
    RecordRecovery,
    Restart,
    StatusChanged,
)
from hasim.model import Status
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.oracle.slow_detection import SlowModel
from hasim.services.detection.confirm.alone import AloneSettings
from hasim.services.detection.detectors.threshold import ThresholdSettings
from hasim.services.detection.evidence.messages import MessageSettings
from hasim.services.detection.flapping.never import NeverSettings
from hasim.services.detection.settings import DetectionSettings

ON_THEIR_WORD = (RecordFailure, RecordRecovery, Restart, CheckMaster)
"""After these a verdict rests on more than what was heard."""


def _find(case: Case) -> Iterator[Found]:
    model = _model(case, case.settings.detection)
    if model is None:
        return
    told = {name: steps.before for name, steps in case.status.items()}
    for exchange in case.exchanges:
        item = exchange.item
        if isinstance(item, ON_THEIR_WORD) or not exchange.acts:
            return
        if isinstance(item, GatewayHello | GatewayReport) and item.incarnation > 1:
            return
        if item is not None:
            model.take(exchange.t_ns, item)
        model.sent(exchange.t_ns, exchange.outputs)
        if any(isinstance(out, OrderRefused) for out in exchange.outputs):
            return  # its verdict rests on more than what was heard, too
        told |= {o.master: o.new for o in exchange.outputs if isinstance(o, StatusChanged)}
        for name, status in told.items():
            if model.masters[name].status is not status:
                text = f"declared {status}, what was heard gives {model.masters[name].status}"
                yield Found(exchange.t_ns, name, text)
                return


def _model(case: Case, settings: DetectionSettings) -> SlowModel | None:
    """The rules for these settings, or None if they are others than those written down."""
    probes, detector = settings.probes, settings.detector
    heard = [own for own in settings.evidence if isinstance(own, MessageSettings)]
    usual = MessageSettings()
    known = (
        isinstance(detector, ThresholdSettings)
        and isinstance(settings.confirm, AloneSettings)
        and isinstance(settings.flapping, NeverSettings)
        and probes is not None
        and probes.connect_timeout_ns is None
        and not probes.fatal
        and len(settings.evidence) == 1 + len(heard)
        and all(
            (own.observe, own.counted, own.count_by, own.on_error)
            == (usual.observe, usual.counted, usual.count_by, usual.on_error)
            for own in heard
        )
    )
    if not known or probes is None or not isinstance(detector, ThresholdSettings):
        return None
    own = heard[0] if heard else usual
    rules = {"limit": own.error_limit, "window_ns": own.error_window_ns}
    model = SlowModel(
        tuple(case.masters), probes.answer_ns, fall=detector.fall, rise=detector.rise, **rules
    )
    model.hears_messages = bool(heard)
    model.close_convicts = probes.on_close == "fail"
    for name, master in case.masters.items():
        if master.absent:
            model.masters[name].status = Status.MAINTENANCE
    return model


VERDICTS_FOLLOW = Invariant(
    "verdicts-follow",
    "With the threshold detector each verdict is what the checks and messages heard give by the "
    "rules of `fall`, `rise` and `error_limit`.",
    "A master is declared failed, or healthy, on less than was asked for, or too late.",
    _find,
    "observer",
)
