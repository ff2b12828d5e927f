"""Scenario files: schema, loader, traces, and the scenarios that come with hasim."""
