"""False failovers that are too rare to be waited for: their rate, given the stated noise.

`noise` says how likely the next crossing of the network goes wrong, `watching` runs the real
detection service of one master on it, `splitting` and `tilting` estimate, by two methods that share
nothing but these, how often it is declared failed, and `rate` compares the two and refuses what
cannot be believed.
"""

from hasim.study.rare.falsely.rate import FalseFailovers, false_failovers, uncovered

__all__ = ["FalseFailovers", "false_failovers", "uncovered"]
