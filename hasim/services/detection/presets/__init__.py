"""Presets of failure detection: what real systems do by default, one system in each file."""
