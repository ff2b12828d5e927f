"""Power aware: by what masters report of themselves (client-side weighted round robin)."""

from __future__ import annotations

from hasim.services.balancing.fleet import Fleet, Request


def reported_weight(fleet: Fleet, index: int, now: int) -> float:
    """The weight by the master's reports; 0 if it is too new, too old, or was never reported.

    `values[n + i]` is the weight by the last report, `counts[i]` when the first report
    came (1 ns later, so that zero says that none did), `counts[n + i]` when the last one.
    """
    total, settings = len(fleet.weight), fleet.settings.power
    since, last = fleet.counts[index], fleet.counts[total + index]
    if since == 0 or now - since < settings.blackout_ns or now - last >= settings.expiration_ns:
        return 0.0
    return fleet.values[total + index]


def power_aware(fleet: Fleet, request: Request) -> int:
    """Smooth weighted round robin by reported weights.

    A master without a weight counts as the mean of the others; with fewer than two
    weights all count alike. Configured weights play no part. Source: gRPC A58, Envoy
    client-side weighted round robin.
    """
    weight, current = fleet.weight, fleet.values
    known, total = 0, 0.0
    for index in range(len(weight)):
        if weight[index] > 0.0:
            reported = reported_weight(fleet, index, request.now)
            if reported > 0.0:
                known += 1
                total += reported
    mean = total / known if known >= 2 else 1.0
    best, total = -1, 0.0
    for index in range(len(weight)):
        if weight[index] > 0.0:
            gain = reported_weight(fleet, index, request.now) if known >= 2 else 1.0
            if gain <= 0.0:
                gain = mean
            total += gain
            current[index] += gain
            if best < 0 or current[index] > current[best]:
                best = index
    if best >= 0:
        current[best] -= total
    return best


def power_aware_reported(
    fleet: Fleet, index: int, now: int, rate: float, error_rate: float, utilisation: float
) -> None:
    """A master's report: answers and errors per second, and the share of workers that are busy.

    weight = rate / (utilisation + penalty x error_rate / rate); a report of nothing done
    changes nothing.
    """
    total, settings = len(fleet.weight), fleet.settings.power
    if rate <= 0.0 or utilisation <= 0.0:
        return
    if fleet.counts[index] == 0 or now - fleet.counts[total + index] >= settings.expiration_ns:
        fleet.counts[index] = now + 1
    fleet.counts[total + index] = now
    used = utilisation + settings.error_penalty * error_rate / rate
    fleet.values[total + index] = rate / used
