"""hasim."""
