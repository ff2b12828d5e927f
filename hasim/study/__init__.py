"""Replications, cells and executors; statistics, estimates and verdicts."""
