"""The simulated world on SimPy: masters, network, traffic, state, faults, and its driver."""
