"""How much load a system carries: with all masters, with some down, and after an overload."""
