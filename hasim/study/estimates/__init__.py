"""From replications to estimates with intervals, and verdicts."""
