"""Presets of failover: what real systems do by default, one system in each file."""
