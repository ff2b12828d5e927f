"""Random worlds, and the hunt for one that breaks an invariant, or costs most."""
