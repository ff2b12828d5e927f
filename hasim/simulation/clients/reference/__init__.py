"""The reference data plane: one SimPy process per message, obviously right."""
