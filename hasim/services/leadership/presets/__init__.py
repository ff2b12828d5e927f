"""Presets of leadership: how real systems find who acts, one system in each file."""
