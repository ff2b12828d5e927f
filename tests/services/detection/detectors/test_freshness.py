"""Detectors by freshness against closed forms, published conformance points, and one another.

The closed forms of mistakes (Chen, Toueg, Aguilera 2002) hold for heartbeats each second of which
1 % are lost and whose delay is exponential with mean 20 ms; one holds if it lies in the 99.9 %
interval of what was counted, and that is no wider than 2 % each way.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from hasim.services.detection.detectors.bertier import Bertier, BertierSettings
from hasim.services.detection.detectors.chen import Chen, ChenSettings
from hasim.services.detection.detectors.detector import Opinion
from hasim.services.detection.detectors.down_after import DownAfter, DownAfterSettings
from hasim.services.detection.detectors.exponential import Exponential, ExponentialSettings
from hasim.services.detection.detectors.freshness import Freshness
from hasim.services.detection.detectors.hearsay import Hearsay, HearsaySettings
from hasim.services.detection.detectors.lease import Lease, LeaseSettings
from hasim.services.detection.detectors.phi import (
    Gaps,
    deviations_at,
    logistic_phi,
    normal_phi,
)
from hasim.services.detection.detectors.phi_accrual import (
    NormalPhi,
    NormalPhiSettings,
    PhiAccrual,
    PhiAccrualSettings,
)
from hasim.services.detection.detectors.phi_exponential import (
    ExponentialPhi,
    ExponentialPhiSettings,
)
from hasim.services.detection.detectors.synchronised import Synchronised, SynchronisedSettings
from hasim.services.detection.detectors.timeout import Timeout, TimeoutSettings
from hasim.services.detection.detectors.two_windows import TwoWindows, TwoWindowsSettings
from hasim.units import MILLISECOND, SECOND

LOSS, DELAY_S = 0.01, 0.02


def arrivals(count: int, seed: int = 1) -> list[tuple[int, int]]:
    """(time, number) of the heartbeats that arrive, overtaken ones left out."""
    chance = np.random.default_rng(seed)
    kept = np.flatnonzero(chance.random(count) >= LOSS) + 1
    times = kept * SECOND + (chance.exponential(DELAY_S, len(kept)) * SECOND).astype(np.int64)
    order = np.argsort(times, kind="stable")
    newest = np.maximum.accumulate(kept[order])
    fresh = np.concatenate(([True], kept[order][1:] > newest[:-1]))
    return list(zip(times[order][fresh].tolist(), kept[order][fresh].tolist(), strict=True))


def mistakes(detector: Freshness, heard: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """When each suspicion of a master that lives began and ended (nanoseconds).

    Heartbeat n was sent at n seconds.
    """
    detector.period_ns = SECOND
    detector.begin(0)
    found, since = [], None
    for now, number in heard:
        if since is None and detector.due_ns <= now:
            since = detector.due_ns
        detector.passed(now, number, now - number * SECOND)
        if since is not None and detector.due_ns > now:
            found.append((since, now))
            since = None
    return found


def assert_meets(truth: float, values: np.ndarray, blocks: int = 200, widest: float = 0.02) -> None:
    """The truth is in the 99.9 % interval of the mean, which is no wider than `widest` each way.

    By means of blocks, since one mistake can depend on the one before.
    """
    means = [part.mean() for part in np.array_split(values, blocks)]
    half = 3.34 * float(np.std(means, ddof=1)) / math.sqrt(blocks)  # Student's t, 199 degrees
    assert half <= widest * truth
    assert abs(float(np.mean(means)) - truth) <= half


def with_delays(heard: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """The same with how long each was under way: sent at number x 1 s."""
    return [(now, number, now - number * SECOND) for now, number in heard]


def timeout_recurrence_s(timeout_s: float) -> float:
    """E(T_MR) of a fixed timeout: eta / ((1 - p) P(gap > timeout)); delays differ by Laplace."""

    def beyond(x: float) -> float:
        return 0.5 * math.exp(-x / DELAY_S) if x >= 0 else 1 - 0.5 * math.exp(x / DELAY_S)

    long_gap = sum((1 - LOSS) * LOSS ** (m - 1) * beyond(timeout_s - m) for m in range(1, 40))
    return 1 / ((1 - LOSS) * long_gap)


def staircase_s(delta_s: float) -> tuple[float, float]:
    """E(T_MR) and E(T_M) of NFD-S with freshness points delta after sending; eta = 1 s."""

    def unheard(j: int, x: float) -> float:
        late = delta_s + x - j
        return LOSS + (1 - LOSS) * (math.exp(-late / DELAY_S) if late >= 0 else 1.0)

    k = math.ceil(delta_s)

    def u(x: float) -> float:
        return math.prod(unheard(j, x) for j in range(k + 1))

    heard_before = (1 - LOSS) * (1 - math.exp(-(delta_s + 1) / DELAY_S))
    p_s = heard_before * u(0.0)
    grid = np.linspace(0.0, 1.0, 200_001)
    area = float(np.trapezoid([u(x) for x in grid.tolist()], grid))
    return 1 / p_s, area / p_s


@pytest.mark.parametrize(("timeout_s", "table"), [(1.05, 19.95), (1.10, 75.75), (1.5, 101.0)])
def test_the_closed_form_of_a_timeout_is_the_published_one(timeout_s: float, table: float) -> None:
    assert timeout_recurrence_s(timeout_s) == pytest.approx(table, rel=2e-3)


@pytest.mark.parametrize(
    ("bound_s", "recurrence", "duration"),
    [(1.05, 11.07, 0.1252), (1.10, 60.59, 0.5659), (1.5, 101.0, 0.5301), (2.5, 1.01e4, 0.5301)],
)
def test_the_closed_form_of_the_staircase_is_the_published_one(
    bound_s: float, recurrence: float, duration: float
) -> None:
    found = staircase_s(bound_s - 1)
    assert found == pytest.approx((recurrence, duration), rel=2e-3)


def test_a_timeout_errs_as_its_closed_form_says() -> None:
    found = mistakes(
        Timeout(TimeoutSettings(down_after_ns=1050 * MILLISECOND)), arrivals(1_000_000)
    )
    gaps = np.diff([since for since, _ in found]) / 1e9
    assert_meets(timeout_recurrence_s(1.05), gaps)


def test_chens_detector_errs_as_the_staircase_says() -> None:
    """With the mean of 1,000 arrivals the expectation is as good as known: NFD-E is NFD-S."""
    margin_ns = round((0.05 - DELAY_S) * SECOND)
    detector = Chen(ChenSettings(margin_ns=margin_ns, samples=1000))
    found = mistakes(detector, arrivals(1_800_000))
    recurrence, duration = staircase_s(0.05)
    assert_meets(recurrence, np.diff([since for since, _ in found]) / 1e9)
    assert_meets(duration, np.array([(end - since) / 1e9 for since, end in found]))


def test_chens_detector_is_never_later_than_its_bound() -> None:
    """T_D <= alpha + eta + mean delay, wherever in the interval the crash comes."""
    detector = Chen(ChenSettings(margin_ns=100 * MILLISECOND))
    detector.period_ns = SECOND
    detector.begin(0)
    for now, number in arrivals(5_000):
        detector.passed(now, number, 0)
        mean_delay_ns = detector.arrivals.total // len(detector.arrivals.offsets)
        assert detector.due_ns == (number + 1) * SECOND + mean_delay_ns + 100 * MILLISECOND


def rare_mistakes(detector: Synchronised, blocks: int, seed: int) -> list[tuple[int, int]]:
    """Mistakes among `blocks` x 11 million heartbeats, fed only where there can be one.

    With a shift above one interval that takes one which is lost (or a second late) and then one
    that is lost or 40 ms late; all from three before to six after such a pair are fed.
    """
    detector.period_ns = SECOND
    detector.begin(0)
    chance, size, found = np.random.default_rng(seed), 11_000_000, list[tuple[int, int]]()
    for block in range(blocks):
        delay_s = np.where(chance.random(size) < LOSS, np.inf, chance.exponential(DELAY_S, size))
        pairs = np.flatnonzero((delay_s[:-1] > 0.9) & (delay_s[1:] > 0.04))
        near = np.unique(np.clip(pairs[:, None] + np.arange(-3, 7), 0, size - 1))
        part = np.cumsum(np.diff(near, prepend=near[0]) > 1)
        part, near = part[np.isfinite(delay_s[near])], near[np.isfinite(delay_s[near])]
        delays_ns = (delay_s[near] * SECOND).astype(np.int64)
        times = (near + 1 + block * size) * SECOND + delays_ns
        order = np.argsort(times, kind="stable")
        last, since = -1, None
        heard = (times[order].tolist(), part[order].tolist(), delays_ns[order].tolist())
        for now, where, took_ns in zip(*heard, strict=True):
            if since is None and detector.due_ns <= now and where == last:
                since = detector.due_ns
            detector.passed(now, 0, took_ns)
            last = where
            if since is not None and detector.due_ns > now:
                found.append((since, now))
                since = None
    return found


def assert_on_the_staircase(bound_s: float, blocks: int) -> None:
    detector = Synchronised(SynchronisedSettings(shift_ns=round((bound_s - 1) * SECOND)))
    recurrence, duration = staircase_s(bound_s - 1)
    found = rare_mistakes(detector, blocks, seed=7)
    assert len(found) > 5_000
    assert_meets(recurrence, np.diff([since for since, _ in found]) / 1e9, widest=0.04)
    # Few mistakes last as long as the others do not: their mean is known less well.
    assert_meets(duration, np.array([(end - since) / 1e9 for since, end in found]), widest=0.15)


def test_synchronised_freshness_points_err_as_the_staircase_says() -> None:
    detector = Synchronised(SynchronisedSettings(shift_ns=50 * MILLISECOND))
    recurrence, duration = staircase_s(0.05)
    found = mistakes(detector, arrivals(1_800_000, seed=7))
    assert_meets(recurrence, np.diff([since for since, _ in found]) / 1e9)
    assert_meets(duration, np.array([(end - since) / 1e9 for since, end in found]))
    assert_on_the_staircase(2.05, blocks=1)


@pytest.mark.slow
@pytest.mark.parametrize(("bound_s", "blocks"), [(2.1, 4), (2.5, 8)])
def test_higher_stairs_of_synchronised_freshness_points(bound_s: float, blocks: int) -> None:
    assert_on_the_staircase(bound_s, blocks)


def test_synchronised_freshness_points_are_never_later_than_their_bound() -> None:
    """T_D <= eta + delta, wherever the crash comes and whatever the delays are."""
    detector = Synchronised(SynchronisedSettings(shift_ns=300 * MILLISECOND))
    detector.period_ns = SECOND
    detector.begin(0)
    for now, number, took_ns in with_delays(arrivals(20_000, seed=8)):
        detector.passed(now, number, took_ns)
        assert detector.due_ns <= (number + 1) * SECOND + 300 * MILLISECOND


def test_two_windows_are_the_later_of_two_chens() -> None:
    margin_ns = 50 * MILLISECOND
    both = TwoWindows(TwoWindowsSettings(margin_ns=margin_ns, short=1, long=100))
    apart = [Chen(ChenSettings(margin_ns=margin_ns, samples=n)) for n in (1, 100)]
    for each in (both, *apart):
        each.period_ns = SECOND
        each.begin(0)
    for now, number in arrivals(2_000, seed=2):
        for each in (both, *apart):
            each.passed(now, number, 0)
        assert both.due_ns == max(each.due_ns for each in apart)


def test_bertiers_margin_follows_the_errors() -> None:
    """Against the recursion with the whole window summed anew at each step."""
    own = BertierSettings(samples=50)
    detector = Bertier(own)
    detector.period_ns = SECOND
    detector.begin(0)
    offsets: list[int] = []
    delay, spread = SECOND / 4, 0.0
    for now, number in arrivals(2_000, seed=3):
        if offsets:
            error = now - (sum(offsets) // len(offsets) + number * SECOND) - delay
            delay += 0.1 * error
            spread += 0.1 * (abs(error) - spread)
        offsets = [*offsets, now - number * SECOND][-50:]
        detector.passed(now, number, 0)
        expected = sum(offsets) // len(offsets) + (number + 1) * SECOND
        assert detector.due_ns == expected + round(delay + 4 * spread)
    assert delay < SECOND / 50  # it has forgotten where it began


def test_a_cut_off_bounds_the_detection_time_and_costs_mistakes() -> None:
    """T_D <= cut-off + timeout; and mistakes are those of a network that loses the late ones.

    Chen et al. 2002, section 7: SFD-S discards what takes longer than 0.08 s.
    """
    cut_off_ns, timeout_ns = 80 * MILLISECOND, 1500 * MILLISECOND
    cut = Timeout(TimeoutSettings(down_after_ns=timeout_ns, cut_off_ns=cut_off_ns))
    plain = Timeout(TimeoutSettings(down_after_ns=timeout_ns))
    heard = arrivals(100_000, seed=9)
    in_time = [(now, number) for now, number in heard if now - number * SECOND <= cut_off_ns]
    assert len(in_time) < len(heard)
    assert mistakes(cut, heard) == mistakes(plain, in_time)
    for now, number, took_ns in with_delays(heard):
        cut.passed(now, number, took_ns)
        assert cut.due_ns <= number * SECOND + cut_off_ns + timeout_ns


@pytest.mark.parametrize("certainty", [0.5, 0.99, 0.999999])
def test_exponential_gaps_end_as_often_as_its_share_says(certainty: float) -> None:
    """Of exponential gaps, a share of 1 - E outlasts the freshness point (binomial, 5 sigma)."""
    detector = Exponential(ExponentialSettings(certainty=certainty, samples=100_000))
    detector.period_ns = SECOND
    detector.begin(0)
    gaps = (np.random.default_rng(11).exponential(1.0, 200_000) * SECOND).astype(np.int64).tolist()
    now = late = 0
    for number, gap_ns in enumerate(gaps):
        now += gap_ns
        late += number > 100_000 and detector.due_ns <= now
        detector.passed(now, number, 0)
    n, p = 100_000, 1 - certainty
    # The mean of 100,000 gaps is off by 0.3 %: that moves ln(1 / p) by as much.
    assert abs(late - n * p) <= 5 * math.sqrt(n * p) + 0.01 * n * p * math.log(1 / p) + 1


def test_ed_is_cassandras_phi_on_another_scale() -> None:
    """phi = -log10(1 - E): with E = 1 - 1e-8, phi 8."""
    ed = steady(Exponential(ExponentialSettings(certainty=1 - 1e-8)))
    phi = steady(ExponentialPhi(ExponentialPhiSettings(threshold=8.0)))
    assert (ed.due_ns - ed.heard_ns) / (phi.due_ns - phi.heard_ns) == pytest.approx(1, abs=1e-6)


def test_a_lease_runs_out_between_its_grace_and_the_next_look() -> None:
    """Renewed each 10 s, grace 40 s, looked at each 5 s: U(30, 40) + U(0, 5) s after a fault."""
    chance, found = np.random.default_rng(12), []
    for renewal, phase, offset in chance.random((4_000, 3)).tolist():
        detector = Lease(LeaseSettings())
        detector.period_ns = 10 * SECOND
        detector.phase_ns = round(phase * 5 * SECOND)
        renewed_ns = round((100 + 10 * renewal) * SECOND)
        detector.begin(0)
        detector.passed(renewed_ns, 1, 0)
        late_ns = detector.due_ns - renewed_ns - 40 * SECOND
        assert 0 <= late_ns < 5 * SECOND
        assert (detector.due_ns - detector.phase_ns) % (5 * SECOND) == 0
        found.append((detector.due_ns - renewed_ns) / SECOND - 10 * offset)
    # Trapezium on 30 to 45 s, whose quantiles these are.
    assert np.quantile(found, [0.1, 0.5, 0.9]) == pytest.approx([33.2, 37.5, 41.8], abs=0.4)


def test_silence_counts_from_the_oldest_check_without_an_answer() -> None:
    """Sentinel: the ping that waits, not those after it; a pong owes nothing."""
    detector = DownAfter(DownAfterSettings(down_after_ns=2 * SECOND, look_hz=1))
    detector.begin(0)
    detector.asked(100 * MILLISECOND)
    detector.passed(200 * MILLISECOND, 1, 0)
    assert detector.due_ns == 3 * SECOND  # nothing is asked: 2.2 s, and the look after it
    detector.asked(1_500 * MILLISECOND)
    detector.asked(2_000 * MILLISECOND)
    detector.failed(2_001 * MILLISECOND)  # a refused connection is no failed check
    assert detector.opinion(3 * SECOND) is Opinion.TRUST
    assert detector.due_ns == 4 * SECOND
    assert detector.opinion(4 * SECOND) is Opinion.CONVICT
    detector.passed(5 * SECOND, 2, 0)
    assert detector.opinion(5 * SECOND) is Opinion.TRUST


def test_akkas_phi_is_no_normal_tail() -> None:
    """The conformance points of both, and that they are tails of what they say."""
    for threshold, logistic, exact in ((5, 4.119, 4.265), (8, 5.226, 5.612), (12, 6.292, 7.035)):
        assert deviations_at(logistic_phi, threshold) == pytest.approx(logistic, abs=1e-3)
        assert deviations_at(normal_phi, threshold) == pytest.approx(exact, abs=1e-3)
    for y in (-3.0, 0.0, 0.5, 3.0):
        e = math.exp(-y * (1.5976 + 0.070566 * y * y))
        assert logistic_phi(y) == pytest.approx(-math.log10(e / (1 + e)))


def steady(detector: Freshness, beats: int = 5_000) -> Freshness:
    """After so many heartbeats a second apart."""
    detector.period_ns = SECOND
    detector.begin(0)
    for number in range(1, beats + 1):
        detector.passed(number * SECOND, number, 0)
    return detector


def test_defaults_on_a_steady_network() -> None:
    """Akka: 1 s + 3 s + 5.226 x 0.1 s; Cassandra: 18.42 mean gaps."""
    for detector, silence_s in (
        (PhiAccrual(PhiAccrualSettings()), 4.5226),
        (NormalPhi(NormalPhiSettings()), 4.5612),
        (ExponentialPhi(ExponentialPhiSettings()), 18.4207),
    ):
        last_ns = steady(detector).heard_ns
        assert (detector.due_ns - last_ns) / 1e9 == pytest.approx(silence_s, abs=2e-4)
        assert detector.opinion(detector.due_ns - 1) is Opinion.TRUST
        assert detector.opinion(detector.due_ns) is Opinion.CONVICT
        assert detector.suspicion(detector.due_ns) == pytest.approx(1.0, abs=1e-6)


def test_cassandras_window_begins_with_a_long_gap_and_learns_none_longer() -> None:
    detector = steady(ExponentialPhi(ExponentialPhiSettings(threshold=2.0)), beats=1)
    assert detector.gaps.gaps == [2 * SECOND]
    for gap_ns in (SECOND, 2 * SECOND, 2 * SECOND + 1, 3 * SECOND):
        detector.passed(detector.heard_ns + gap_ns, 1, 0)
    assert detector.gaps.gaps == [2 * SECOND, SECOND, 2 * SECOND]


def test_akkas_window_begins_with_two_gaps_around_the_interval() -> None:
    """The first heartbeat: deviation of a quarter of the interval, 1 + 3 + 5.226 x 0.25 s."""
    detector = steady(PhiAccrual(PhiAccrualSettings()), beats=1)
    assert (detector.due_ns - detector.heard_ns) / 1e9 == pytest.approx(5.3065, abs=1e-3)


def test_cassandras_window_begins_with_a_gap_of_two_intervals() -> None:
    """The first heartbeat: 18.42 x 2 s; after a short gap 18.42 x (2 s + .1 s) / 2."""
    detector = steady(ExponentialPhi(ExponentialPhiSettings()), beats=1)
    assert (detector.due_ns - detector.heard_ns) / 1e9 == pytest.approx(36.8414, abs=1e-3)
    detector.passed(detector.heard_ns + SECOND // 10, 2, 0)
    assert (detector.due_ns - detector.heard_ns) / 1e9 == pytest.approx(19.3417, abs=1e-3)


def test_a_gap_that_ends_a_suspicion_is_not_learned() -> None:
    detector = steady(PhiAccrual(PhiAccrualSettings()), beats=100)
    before = list(detector.gaps.gaps)
    detector.passed(detector.due_ns + 1, 200, 0)
    assert detector.gaps.gaps == before
    detector.passed(detector.heard_ns + SECOND, 201, 0)
    assert detector.gaps.gaps[-1] == SECOND


def test_gaps_know_their_mean_and_deviation() -> None:
    chance = np.random.default_rng(4)
    gaps, kept = Gaps(), []
    for gap_ns in chance.integers(1, 10**10, 500).tolist():
        gaps.learn(gap_ns, 100)
        kept = [*kept, gap_ns][-100:]
        assert gaps.mean_ns() == pytest.approx(np.mean(kept))
        assert gaps.deviation_ns() == pytest.approx(np.std(kept), abs=1)


def test_a_word_from_outside_gives_new_time_and_a_hearing_does_not_take_any() -> None:
    for make in (
        lambda: Timeout(TimeoutSettings(down_after_ns=SECOND)),
        lambda: DownAfter(DownAfterSettings(down_after_ns=SECOND)),
        lambda: Lease(LeaseSettings(grace_ns=3 * SECOND)),
        lambda: Synchronised(SynchronisedSettings()),
        lambda: Exponential(ExponentialSettings()),
        lambda: Chen(ChenSettings()),
        lambda: Bertier(BertierSettings()),
        lambda: TwoWindows(TwoWindowsSettings()),
        lambda: PhiAccrual(PhiAccrualSettings()),
        lambda: ExponentialPhi(ExponentialPhiSettings()),
    ):
        detector = steady(make(), beats=50)
        due_ns = detector.due_ns
        detector.cleared(due_ns - 1)
        assert detector.due_ns == due_ns
        detector.cleared(due_ns)
        assert detector.opinion(due_ns) is Opinion.TRUST
        assert detector.due_ns > due_ns
        detector.failed(due_ns + 1)
        assert detector.opinion(due_ns + 1) is Opinion.TRUST


@pytest.mark.slow
@pytest.mark.parametrize(("timeout_s", "count"), [(1.10, 3_500_000), (1.5, 4_500_000)])
def test_longer_timeouts_err_as_their_closed_form_says(timeout_s: float, count: int) -> None:
    settings = TimeoutSettings(down_after_ns=round(timeout_s * SECOND))
    found = mistakes(Timeout(settings), arrivals(count, seed=5))
    assert_meets(timeout_recurrence_s(timeout_s), np.diff([since for since, _ in found]) / 1e9)


@pytest.mark.slow
@pytest.mark.parametrize(("bound_s", "count"), [(1.10, 3_500_000), (1.5, 4_500_000)])
def test_higher_stairs(bound_s: float, count: int) -> None:
    margin_ns = round((bound_s - 1 - DELAY_S) * SECOND)
    found = mistakes(Chen(ChenSettings(margin_ns=margin_ns, samples=1000)), arrivals(count, seed=6))
    recurrence, duration = staircase_s(bound_s - 1)
    assert_meets(recurrence, np.diff([since for since, _ in found]) / 1e9)
    assert_meets(duration, np.array([(end - since) / 1e9 for since, end in found]))


def test_arrivals_of_these_tests_are_in_order_and_new() -> None:
    heard = arrivals(10_000)
    assert all(a < b and m < n for (a, m), (b, n) in itertools.pairwise(heard))
    assert 0.985 < len(heard) / 10_000 < 0.995


def test_hearsay_is_half_convinced_by_a_suspicion() -> None:
    hearsay = Hearsay(HearsaySettings())
    assert (hearsay.opinion(0), hearsay.suspicion(0)) == (Opinion.TRUST, 0.0)
    hearsay.failed(0)
    assert (hearsay.opinion(0), hearsay.suspicion(0)) == (Opinion.SUSPECT, 0.5)
    hearsay.passed(1, 1, 0)
    assert (hearsay.opinion(1), hearsay.suspicion(1)) == (Opinion.TRUST, 0.0)
