"""Selection: who may take over, and who of them does, by rules applied one after the other."""
