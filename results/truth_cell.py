"""A cell of the truth board: what was measured, or follows from a rule, and its prediction.

It is hit if the 10 %, 50 % and 90 % quantiles are all within 5 % of the measured ones or 50 ms of
them (counts: one), and the Kolmogorov-Smirnov test, where there is a sample or a law, does not
reject at 1 %.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_1samp, ks_2samp

FIGURES = Path(__file__).parent / "truth"
QUANTILES = (0.1, 0.5, 0.9)
WITHIN_SHARE, WITHIN_S, REJECTED = 0.05, 0.05, 0.01
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """One distribution, in seconds or as counts.

    `truth` is a sample, three figures (least, mean and most of five) if `figures`, or a frozen law
    of scipy. With `extremes` it is the published least, mean and most, and the same is predicted.
    """

    system: str
    setting: str
    fault: str
    what: str
    truth: Any
    predicted: Values
    figures: bool = False
    within: float = WITHIN_S
    extremes: bool = False

    @property
    def is_law(self) -> bool:
        """Whether the truth is the law that follows from a rule."""
        return hasattr(self.truth, "ppf")

    def quantiles(self) -> Iterator[tuple[float, float]]:
        """True and predicted, by quantile; least, mean and most of `extremes`."""
        if self.extremes:
            made = (self.predicted.min(), self.predicted.mean(), self.predicted.max())
            for true, own in zip(self.truth, made, strict=True):
                yield float(true), float(own)
            return
        for place, share in enumerate(QUANTILES):
            if self.figures:
                true = float(self.truth[place])
            else:
                law = self.is_law
                true = float(self.truth.ppf(share) if law else np.quantile(self.truth, share))
            yield true, float(np.quantile(self.predicted, share))

    @property
    def near(self) -> int:
        """How many of the quantiles are near enough."""
        return sum(
            abs(predicted - true) <= max(WITHIN_SHARE * true, self.within)
            for true, predicted in self.quantiles()
        )

    @property
    def p_value(self) -> float | None:
        """Of the Kolmogorov-Smirnov test; None without a sample or a law."""
        if self.figures or self.extremes:
            return None
        test = ks_1samp(self.predicted, self.truth.cdf) if self.is_law else None
        return float((test or ks_2samp(self.truth, self.predicted)).pvalue)

    @property
    def hit(self) -> bool:
        """Whether all quantiles are near enough, and the test does not reject."""
        p_value = self.p_value
        return self.near == len(QUANTILES) and (p_value is None or p_value >= REJECTED)

    def row(self) -> str:
        """A line of the table."""
        digits = 0 if self.what.startswith("messages") else 3
        pairs = [
            f"{true:.{digits}f} / {predicted:.{digits}f}" for true, predicted in self.quantiles()
        ]
        number = "rule" if self.is_law else "5" if self.figures else f"{len(self.truth)}"
        number = "published" if self.extremes else number
        p_value = self.p_value
        shown = "" if p_value is None else f"{p_value:.2f}"
        said = "hit" if self.hit else "**miss**"
        cells = [self.system, self.setting, self.fault, self.what, number, *pairs, shown, said]
        return f"| {' | '.join(cells)} |"
