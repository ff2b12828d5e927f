"""The invariants, one idea a file; `hasim.oracle.registry` lists them."""
