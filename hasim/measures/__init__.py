"""From a journal to numbers: every function here is pure."""
