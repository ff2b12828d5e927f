"""How many cells of a study are shown where all of them would be too many."""

SHOWN = 50
"""Cells in a table or figure that is looked at."""
DRAWN = 20
"""Cells in the small figure that a notebook shows of a result."""
SUMMARISED = 1000
"""Cells in the summaries and tables that a run folder gets as JSON and CSV."""
