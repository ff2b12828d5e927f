"""What a run, a budget or a gate found: tables, estimates, pictures, files."""
