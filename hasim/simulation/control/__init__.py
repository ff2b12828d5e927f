"""The control plane's end of the world: driver, orders and checks on their way."""
