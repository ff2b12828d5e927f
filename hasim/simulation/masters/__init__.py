"""Simulated masters: workers, queues, roles, replicated state."""
