"""The folder of a run: what was asked, what came out, one process at a time."""
