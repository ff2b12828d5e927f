"""Rare events: the uptime of years from runs of minutes, and what it is lost to.

Simulating a failure a month until five nines are known takes centuries. Here the faults
are put where they matter: one to a short run, two to a short run, none; and their
rates, which are known, weigh what they cost (`estimate`).
"""

from hasim.study.rare.analysis import analyse
from hasim.study.rare.estimate import Budget, Kind, Pair, Run, estimate

__all__ = ["Budget", "Kind", "Pair", "Run", "analyse", "estimate"]
