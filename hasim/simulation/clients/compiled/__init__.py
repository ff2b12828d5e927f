"""The compiled data plane: messages fast-forwarded between SimPy's events.

It gives what the reference plane (`hasim.simulation.clients.reference.plane`) gives, message by
message and record by record, a hundred times faster. Only `plane` is imported from
outside, and only by a world that asks for it: it loads numba.
"""
