"""Weighted round robin, smooth: heavy masters' turns are spread out, not in a row."""

from __future__ import annotations

from hasim.services.balancing.fleet import Fleet, Request


def weighted_round_robin(fleet: Fleet, request: Request) -> int:
    """nginx's rule: everybody gains its weight, the richest is picked and pays the sum of all.

    With weights 5, 1, 1 the circle is a a b a c a a. Source: nginx,
    ngx_http_upstream_round_robin.c (without its memory of failures).
    """
    weight, current = fleet.weight, fleet.values
    best, total = -1, 0.0
    for index in range(len(weight)):
        if weight[index] > 0.0:
            total += weight[index]
            current[index] += weight[index]
            if best < 0 or current[index] > current[best]:
                best = index
    if best >= 0:
        current[best] -= total
    return best
