"""The detectors: what makes evidence about one master a suspicion, one in each file."""
