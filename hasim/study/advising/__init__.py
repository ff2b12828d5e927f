"""Which setting to recommend: limits first, then a race among the settings that keep them."""
