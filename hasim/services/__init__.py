"""The deployable logic: a control plane of detection, failover, routing and monitor; gateways.

Everything here is a sans-IO state machine: `step(now, input)` takes what
happened at integer nanosecond `now` and answers with effects and events,
`next_wakeup()` says when it wants to be called if nothing happens. Nothing in
this package looks at a clock, a socket or a random source.
"""
