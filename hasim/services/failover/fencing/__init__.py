"""Fencing: ways to make sure that whoever may accept writes does not any more; one a file."""
