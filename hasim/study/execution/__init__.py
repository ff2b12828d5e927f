"""Doing it: batches, processes, clusters, and the program that does it."""
