"""Distrust of oneself: when an observer does not act on what it sees, one rule in each file."""
