"""Confirmation: whether what one observer's detector says is enough, one rule in each file."""
