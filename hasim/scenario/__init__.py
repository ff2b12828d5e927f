"""Scenario files: schema, loader, traces."""
