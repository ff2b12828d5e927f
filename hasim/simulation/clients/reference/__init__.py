"""The reference data plane: event by event, with the gateways' own dispatchers."""
