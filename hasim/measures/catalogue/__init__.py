"""Every measure, each in one record: to add one is to add its record to one of these files.

What a scenario may expect, what summaries, comparisons and the gate hold, when a study may stop,
headings, the schema, `hasim measures` and the site's page all follow from it.
"""

from hasim.measures.catalogue.definition import Measure
from hasim.measures.catalogue.estimators import (
    DurationMean,
    DurationQuantile,
    LatencyQuantile,
    Mean,
    Rate,
    Ratio,
    Share,
)
from hasim.measures.catalogue.listed import MEASURES, Shown, find, register

__all__ = [
    "MEASURES",
    "DurationMean",
    "DurationQuantile",
    "LatencyQuantile",
    "Mean",
    "Measure",
    "Rate",
    "Ratio",
    "Share",
    "Shown",
    "find",
    "register",
]
