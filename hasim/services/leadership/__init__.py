"""Which of several control planes acts: leaders by configuration, by votes, by heartbeats."""
