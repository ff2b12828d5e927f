"""Recorded inputs: arrivals, round-trip times, jitter, service times, outages, from files.

`reading` has all of a world's; each of the others reads one kind of them. They are imported only
where there is something to read, since pyarrow takes a while to load.
"""
