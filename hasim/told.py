"""A journal that was cut, up to where it tells everything."""

from __future__ import annotations

import dataclasses

from hasim.deployed import control_plane, settings_of
from hasim.events import ProbeReply, SendProbe
from hasim.journal import Journal, JournalError
from hasim.replay import exchanges
from hasim.services.door import take
from hasim.singles import singly


def as_told(journal: Journal, observer: str | None = None) -> Journal:
    """What a cut journal tells whole, as an observer saw it; one that is whole is given as it is.

    A quiet stretch of probes is told when it ends: those that were under way are missing with
    what was cut, though their beginning lies before. So this ends, horizon and all, where the
    control plane, fed anew, sends the first probe that is told nowhere or whose end may be, and
    at the latest before the last instant, of which something may be missing. Raises JournalError
    if that is at once, and JournalError or SettingsError if the header does not describe a
    control plane.
    """
    if not journal.cut:
        return journal
    name = journal.observer(observer)
    seen = singly(journal.seen_by(name))
    until_ns = min(seen.records[-1].t_ns if seen.records else 0, _first_untold(seen, name))
    if until_ns == 0:
        raise JournalError("cut before anything is told whole")
    records = [record for record in seen.records if record.t_ns < until_ns]
    header = {**journal.header, "horizon_ns": until_ns}
    cut = f"{journal.cut}; all is told of the first {until_ns / 1e9:,.9g} s"
    return dataclasses.replace(seen, header=header, records=records, cut=cut)


def _first_untold(seen: Journal, observer: str) -> int:
    """When a probe is sent of which nothing is told, or just after one of which no end is."""
    last: dict[str, int] = {}
    open_ns = dict[str, int]()
    for t_ns, body in seen.of(SendProbe, ProbeReply):
        if isinstance(body, SendProbe):
            last[body.master] = open_ns[body.master] = t_ns
        else:
            open_ns.pop(body.master, None)
    horizon_ns = min((t_ns + 1 for t_ns in open_ns.values()), default=seen.horizon_ns)
    plane = control_plane(seen, observer, settings_of(seen, observer))
    for t_ns, item, _ in exchanges(seen):
        if t_ns >= horizon_ns:
            break
        outputs = plane.start(t_ns) if item is None else take(plane, t_ns, item)
        for output in outputs:
            if type(output) is SendProbe and t_ns > last.get(output.master, -1):
                return t_ns
    return horizon_ns
