"""One end of the warm-up for all replications of a cell, and what is left of the load."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from hasim.measures import Measured, measure
from hasim.measures.balance import INDICES
from hasim.mser import mser5
from hasim.oracle import check
from hasim.sketch import count, merge
from hasim.study.estimates.summary import estimate_of, paired
from hasim.study.estimates.warm_up import CutOff, cut_off, note_of, steady
from hasim.truth import LoadBlock, MessageRecord
from hasim.units import SECOND
from tests.simulation.worlds import masters, run, traffic, world


def simulated(
    warm_up: object, replications: int = 3, rate: float = 60.0, **more: object
) -> list[Measured]:
    settings = world(
        50,
        masters=masters(2, workers=1),
        traffic=traffic(rate, owned=0.0, vip=0.1),
        warm_up=warm_up,
        **more,
    )
    return [measure(run(settings, replication=number)) for number in range(replications)]


@pytest.fixture(scope="module")
def with_rule() -> list[Measured]:
    return simulated("mser-5")


def test_blocks_add_up_to_the_whole(with_rule: list[Measured]) -> None:
    for one in with_rule:
        assert len(one.blocks) == 51
        assert [len(block.answered) for block in one.blocks] == [5] * 50 + [250]
        assert sum(block.messages for block in one.blocks) == one.load.messages
        assert sum(block.attempts for block in one.blocks) == one.load.attempts
        for number, row in enumerate(one.masters):
            sent = sum(block.chosen[number] for block in one.blocks)
            assert sent >= row.attempts  # with those that are still under way
        for klass in ("ordinary", "vip"):
            whole = [row.cells for row in one.latencies if row.klass == klass]
            parts = [r.cells for b in one.blocks for r in b.latencies if r.klass == klass]
            assert merge(parts) == merge(whole)
        answered = sum(sum(block.answered) for block in one.blocks)
        assert answered == sum(count(row.cells) for row in one.latencies)
        assert Measured.from_plain(one.to_plain()) == one


def test_the_rest_is_that_of_the_single_messages() -> None:
    """What is left after a cut, against a count over single messages."""
    settings = world(
        50, masters=masters(2, workers=1), traffic=traffic(60.0, owned=0.0), warm_up="mser-5"
    )
    journal = run(settings, messages=True)
    one = measure(journal)
    high = replace(one.blocks[3], latency_s=tuple(9.0 * n for n in one.blocks[3].answered))
    # A block that sticks out early makes the rule cut behind it.
    odd = replace(one, blocks=(*one.blocks[:3], high, *one.blocks[4:]))
    found, (rest,) = cut_off([odd]), steady([odd])
    assert found is not None
    assert found.end_s >= 2.0
    late = [m for _, m in journal.of(MessageRecord) if m.arrived_ns >= found.end_s * SECOND]
    assert found.cut == one.load.messages - len(late)
    assert rest.load.messages == len(late)
    assert rest.load.attempts == sum(m.attempts for m in late)
    ok = [m for m in late if m.outcome == "ok"]
    assert sum(count(row.cells) for row in rest.latencies) == len(ok)
    in_time = sum(m.ended_ns - m.arrived_ns <= settings.traffic.deadline_ns for m in ok)
    assert rest.load.goodput_per_s == pytest.approx(in_time / (50 - found.end_s))
    assert rest.incidents == one.incidents
    assert rest.messages == one.messages


def test_a_set_duration_is_left_out_of_every_run() -> None:
    settings = world(50, masters=masters(2, workers=1), warm_up=10 * SECOND)
    journal = run(settings, messages=True)
    assert not list(check(journal))
    one = measure(journal)
    (rest,) = steady([one])
    late = [m for _, m in journal.of(MessageRecord) if m.arrived_ns >= 10 * SECOND]
    assert rest.load.messages == len(late)
    answered = sum(count(row.cells) for row in rest.latencies)
    assert answered == sum(m.outcome == "ok" for m in late)
    assert rest.messages == one.messages
    by_window = [
        Counter(m.master for m in late if m.arrived_ns // (10 * SECOND) == window)
        for window in range(1, 5)
    ]
    sizes = [sum(counts.values()) for counts in by_window]
    for name, index in INDICES.items():
        values = [index([counts["m1"], counts["m2"]]) for counts in by_window]
        mean = sum(v * n for v, n in zip(values, sizes, strict=True)) / sum(sizes)
        assert getattr(rest.balance, name) == pytest.approx(mean)
        assert getattr(rest.balance, name) != getattr(one.balance, name)
    assert rest.balance.throughput_per_s == pytest.approx(answered / 40)
    assert rest.balance.offered_per_s == pytest.approx(len(late) / 40)
    assert rest.balance.attempts_per_s == pytest.approx(sum(m.attempts for m in late) / 40)
    assert rest.load.least_to_mean == min(rest_chosen(one)) * 2 / sum(rest_chosen(one))
    cut = one.load.messages - len(late)
    assert cut_off([one]) == CutOff("set", 10.0, cut, one.load.messages, False)


def rest_chosen(one: Measured) -> tuple[int, ...]:
    return one.blocks[1].chosen


def test_without_a_warm_up_throughput_counts_the_answers_of_all_messages() -> None:
    settings = world(50, masters=masters(2, workers=1), traffic=traffic(30.0, owned=0.0))
    journal = run(settings, messages=True)
    ok = sum(m.outcome == "ok" for _, m in journal.of(MessageRecord))
    one = measure(journal)
    assert one.balance.throughput_per_s == pytest.approx(ok / 50)
    assert one.windows == ()


def test_blocks_that_do_not_add_up_are_found() -> None:
    settings = world(50, masters=masters(2, workers=1), warm_up="mser-5")
    journal = run(settings)
    assert not list(check(journal))
    for place, record in enumerate(journal.records):
        if isinstance(record.body, LoadBlock):
            worse = replace(record.body, messages=record.body.messages + 1)
            journal.records[place] = record._replace(body=worse)
            break
    assert "in blocks of time" in next(iter(check(journal))).text


@pytest.mark.parametrize("rule", ["mser-5", 10 * SECOND])
def test_both_data_planes_agree(rule: object) -> None:
    compiled = simulated(rule, 1)
    assert compiled == simulated(rule, 1, data_plane="reference")


def test_none_leaves_the_journal_as_it_was() -> None:
    (one,) = simulated("none", 1)
    assert one.blocks == ()
    assert cut_off([one]) is None
    assert note_of([None]) == ""


def lindley(runs: int, customers: int, rho: float) -> np.ndarray:
    """Waiting times of M/M/1 from an empty start, one row for each run (Lindley 1952)."""
    rng = np.random.default_rng(1)
    waits, found = np.zeros(runs), np.empty((customers, runs))
    for customer in range(customers):
        found[customer] = waits
        step = rng.exponential(1, runs) - rng.exponential(1 / rho, runs)
        waits = np.maximum(0, waits + step)
    return found.T


def test_one_end_for_all_runs_is_less_biased_than_one_for_each() -> None:
    """Why the rule is not applied run by run: it would cut where chance made a queue long."""
    waits, expected = lindley(400, 2000, 0.9), 0.9 / 0.1
    whole = waits.mean() / expected - 1
    each = np.mean([row[mser5(row).cut :].mean() for row in waits]) / expected - 1
    together = waits[:, mser5(waits.mean(axis=0)).cut :].mean() / expected - 1
    assert each < whole < together < 0.05
    assert abs(together) < 0.5 * abs(each)


def test_measures_of_load_leave_it_out_and_incidents_do_not(with_rule: list[Measured]) -> None:
    slow_start = []
    for one in with_rule:
        first = one.blocks[0]
        slow = replace(first, latency_s=tuple(n * 1000.0 for n in first.answered))
        slow_start.append(replace(one, blocks=(slow, *one.blocks[1:])))
    found = cut_off(slow_start)
    assert found is not None
    assert found.end_s >= 0.5
    assert not found.too_short
    rest = steady(slow_start)
    goodput = estimate_of("goodput", slow_start)
    assert goodput == estimate_of("goodput", [replace(r, blocks=()) for r in rest])
    assert goodput != estimate_of("goodput", [replace(r, blocks=()) for r in slow_start])
    for name in ("throughput", "offered", "attempt_rate", "balance.cv", "jain", "least_to_mean"):
        after = estimate_of(name, [replace(r, blocks=()) for r in rest])
        whole = estimate_of(name, [replace(r, blocks=()) for r in slow_start])
        assert estimate_of(name, slow_start) == after != whole, name
    assert estimate_of("switches_per_min", slow_start) == estimate_of("switches_per_min", with_rule)
    assert estimate_of("success", slow_start) == estimate_of("success", with_rule)
    assert estimate_of("probes", slow_start) == estimate_of("probes", with_rule)
    same = paired(slow_start, slow_start, "latency.p50")
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_a_run_that_grows_to_its_end_is_too_short(with_rule: list[Measured]) -> None:
    growing = []
    for one in with_rule:
        blocks, place = [], 0
        for block in one.blocks:
            bins = range(place, place + len(block.answered))
            place += len(block.answered)
            sums = tuple(float(n * b) for n, b in zip(block.answered, bins, strict=True))
            blocks.append(replace(block, latency_s=sums))
        growing.append(replace(one, blocks=tuple(blocks)))
    found = cut_off(growing)
    assert found is not None
    assert (found.cut, found.end_s, found.too_short) == (0, 0.0, True)
    assert steady(growing) == growing
    assert "1 of 2 cells are too short" in note_of([found, replace(found, too_short=False)])


def test_too_few_messages_to_see_anything() -> None:
    found = cut_off(simulated("mser-5", 1, rate=0.5))
    assert found is not None
    assert found.too_short


def test_the_note_says_how_much() -> None:
    one = CutOff("mser-5", 2.5, 30, 1000, False)
    assert note_of([one, replace(one, end_s=4.0, cut=70)]) == (
        "Load (latency, attempts, rates, balance) leaves out a warm-up (mser-5): the first "
        "2.5 to 4 s, 5.0% of the messages."
    )
