"""Flap detection: whether a master that fails again and again is held down, one rule in a file."""
