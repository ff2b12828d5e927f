"""Pickers: plain functions over indexable sequences, without imports.

The service calls them with lists; a compiled data plane can call the same
functions with arrays. Each answers with the index of a master, or -1 if none
is eligible. Ties go to the lowest index. `avoid` is the index of a master to
be chosen only if there is no other (-1: none), for retries.
"""

from hasim.services.balancing.pickers.geo import geo
from hasim.services.balancing.pickers.least_loaded import least_loaded
from hasim.services.balancing.pickers.priority import priority
from hasim.services.balancing.pickers.round_robin import round_robin

__all__ = ["geo", "least_loaded", "priority", "round_robin"]
