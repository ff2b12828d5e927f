"""Runs and cells beside each other, replication by replication."""
