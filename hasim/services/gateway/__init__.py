"""The gateway's half of balancing: who takes an attempt, and what becomes of it."""
