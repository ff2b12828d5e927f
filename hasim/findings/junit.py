"""The gate's report as JUnit XML, shaped as pytest writes it, for the test views of CI servers."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from hasim.report.format import DASH, number
from hasim.study.gate import Change, Comparison, GateReport, Speed

_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold (W3C Recommendation, 2.2)."""


def as_junit(report: GateReport) -> str:
    """A test case for each measure, and for each cell's behaviour and speed.

    A regression is a failure; what is inconclusive or could not be compared is skipped, with the
    reason; a crash is an error; a change of behaviour or a slower program fails only if the
    report counts it.
    """
    cases = list(_cases(report))
    suite = ET.Element(
        "testsuite",
        name="hasim bench",
        errors=str(len(report.errors)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
        tests=str(len(cases)),
        time=f"{report.wall_s:.3f}",
        timestamp=datetime.now(UTC).isoformat(),
        hostname=platform.node(),
    )
    properties = ET.SubElement(suite, "properties")
    for name in ("suite", "baseline", "verdict"):
        ET.SubElement(properties, "property", name=name, value=_text(getattr(report, name)))
    suite.extend(cases)
    whole = ET.Element("testsuites", name="hasim bench")
    whole.append(suite)
    ET.indent(whole)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(whole, "unicode") + "\n"


def _cases(report: GateReport) -> Iterator[ET.Element]:
    for one in report.worst_first:
        yield _of_measure(report.suite, one)
    for change in report.changes:
        yield _of_change(report, change)
    for speed in report.speeds:
        yield _of_speed(report, speed)
    for cell, text in report.errors.items():
        case = _case(report.suite, cell, "simulation")
        lines = text.splitlines()
        message = _text(f"{lines[0]}: {lines[-1]}")
        ET.SubElement(case, "error", type="hasim.crash", message=message).text = _text(text)
        yield case
    for cell, reason in report.missing.items():
        case = _case(report.suite, cell, "comparison")
        ET.SubElement(case, "skipped", type="hasim.missing", message=_text(reason))
        yield case


def _case(suite: str, cell: str, name: str) -> ET.Element:
    return ET.Element(
        "testcase", classname=_text(f"{suite}.{cell}"), name=_text(name), time="0.000"
    )


def _of_measure(suite: str, one: Comparison) -> ET.Element:
    case = _case(suite, one.cell, one.measure)
    properties = ET.SubElement(case, "properties")
    for name in ("baseline", "current", "difference", "lower", "upper", "margin", "p", "n"):
        ET.SubElement(properties, "property", name=name, value=_rounded(getattr(one, name)))
    if one.verdict == "pass":
        return case
    difference, lower, upper, margin = (
        DASH if value is None else number(value, one.unit)
        for value in (one.difference, one.lower, one.upper, one.margin)
    )
    message = (
        f"{one.reason}: worse by {difference} [{lower}, {upper}], margin {margin}, "
        f"{one.n} replications"
    )
    if one.verdict == "regression":
        ET.SubElement(case, "failure", message=_text(message)).text = _text(message)
    else:
        ET.SubElement(case, "skipped", type="hasim.inconclusive", message=_text(message))
    return case


def _rounded(value: float | None) -> str:
    """To six significant digits: all of them are in the gate's JSON."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _of_change(report: GateReport, change: Change) -> ET.Element:
    case = _case(report.suite, change.cell, "behaviour")
    if change.changed:
        told = {**change.settings, **change.counters}
        differing = ", ".join(f"{name} {was} -> {now}" for name, (was, now) in told.items())
        message = f"changed in {len(change.differing)} of {change.n} replications: {differing}"
        _tell(case, message, fails=report.exact)
    return case


def _of_speed(report: GateReport, speed: Speed) -> ET.Element:
    case = _case(report.suite, speed.cell, "speed")
    if speed.slower:
        bounds = f"[{speed.lower:.3g}, {speed.upper:.3g}]"
        message = f"takes {speed.ratio:.3g} times as long {bounds}, limit {speed.limit:.3g}"
        _tell(case, message, fails=report.speed)
    return case


def _tell(case: ET.Element, message: str, *, fails: bool) -> None:
    if fails:
        ET.SubElement(case, "failure", message=_text(message)).text = _text(message)
    else:
        ET.SubElement(case, "system-out").text = _text(message)


def _text(text: str) -> str:
    return _NO_XML.sub("?", text)
