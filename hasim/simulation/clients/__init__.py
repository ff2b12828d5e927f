"""The clients' end of the world: traffic, gateways, messages and how they ended."""
