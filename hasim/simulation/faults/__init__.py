"""Faults: what can go wrong, when, to whom, and how it is cured."""
