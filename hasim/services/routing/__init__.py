"""Routing: the control plane's half of balancing: verdicts and owners become routing tables."""
