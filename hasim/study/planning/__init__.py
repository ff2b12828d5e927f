"""What a study shall do: its cells, its replications, when there are enough."""
