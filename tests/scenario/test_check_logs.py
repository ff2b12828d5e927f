"""Logs of checks, up or down: outages from runs of failed ones, latencies from their columns."""

import pytest

from hasim.scenario.traces.outages import read_outages
from hasim.scenario.traces.samples import read_jitter, read_samples
from hasim.settings import from_plain
from hasim.simulation.settings.recordings import (
    CheckLog,
    JitterTrace,
    SampleFile,
)
from hasim.units import MINUTE, SECOND

from .conftest import refused

# -- logs of checks -----------------------------------------------------------------

LOG = (
    "2024-10-28 10:00:00,https://a.example,True,0.25\n"
    "2024-10-28 10:00:05,https://b.example,True,0.50\n"
    "2024-10-28 10:01:00,https://a.example,False,10.0\n"
    "2024-10-28 10:01:05,https://b.example,True,0.75\n"
    "2024-10-28 10:02:00,https://a.example,False,10.0\n"
    "2024-10-28 10:02:05,https://b.example,False,10.0\n"
    "2024-10-28 10:03:00,https://a.example,True,1.00\n"
)
COLUMNS = {"time": 1, "target": 2, "result": 3}


def checked(trace: str, **settings):
    settings = {"least_outages": 1, **COLUMNS, **settings}
    return read_outages(from_plain(CheckLog, {"checks": trace, **settings}))


def test_failed_checks_in_a_row_are_an_outage(file) -> None:
    both = [[(0, 2 * MINUTE)], [(65 * SECOND, 2 * MINUTE)]]
    assert checked(file(LOG)) == both  # b is down to the end of the file
    assert checked(file(LOG), open="left-out") == [[(0, 2 * MINUTE)]]
    assert checked(file(LOG), fall=2) == [[(0, 2 * MINUTE)]]
    # As one target: the check that b passes in between ends the first outage.
    assert checked(file(LOG), target=None) == [[(0, 5 * SECOND), (MINUTE, 2 * MINUTE)]]


def test_rows_of_a_log_may_stand_in_any_order(file) -> None:
    mixed = "".join(reversed(LOG.splitlines(keepends=True)))
    assert checked(file(mixed)) == checked(file(LOG))


@pytest.mark.parametrize(
    ("up", "down", "settings"),
    [
        ("UP", "DOWN", {}),
        ("ok", "CRITICAL", {}),
        ("1", "0", {}),
        ("200", "503", {}),
        ("302", "404", {}),
        ("gruen", "rot", {"up": "gruen", "down": "rot"}),
        ("gruen", "rot", {"up": "gruen"}),
        ("gruen", "rot", {"down": "rot"}),
    ],
)
def test_words_for_up_and_down(file, up, down, settings) -> None:
    text = LOG.replace("True", up).replace("False", down)
    assert checked(file(text), **settings) == checked(file(LOG, "plain.csv"))


def test_a_result_that_says_neither(file) -> None:
    text = LOG.replace("True,0.75", "perhaps,0.75")
    error = refused(read_outages, CheckLog, checks=file(text), **COLUMNS)
    assert error.lines == [
        (
            4,
            "column 3",
            "says neither up nor down; say which words do: up: [...], down: [...]",
        )
    ]
    error = refused(read_outages, CheckLog, checks=file(LOG), **COLUMNS, up="true", down="False")
    assert error.lines[0] == (1, "column 3", "says neither up nor down (as up and down has them)")
    error = refused(read_outages, CheckLog, checks=file(LOG), **COLUMNS, down="false")
    assert error.settings == [("down", "no check has such a result")]


def test_latencies_of_a_log_as_jitter_and_as_service_times(file) -> None:
    up = {"where": {"3": "True"}}
    trace = JitterTrace(trace=file(LOG), column=4, pair=(2,), where={"3": ("True",)})
    assert read_jitter(trace).tolist() == pytest.approx([0.4, 0.8, 1.2, 1.6])
    times = read_samples(
        from_plain(SampleFile, {"trace": file(LOG), "column": 4, "unit": "s", **up})
    )
    assert (times / SECOND).tolist() == [0.25, 0.5, 0.75, 1.0]
