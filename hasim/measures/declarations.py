"""What the detection service said: when it declared a master failed, and took it back."""

from __future__ import annotations

from dataclasses import dataclass, field

from hasim.events import StatusChanged
from hasim.measures.records import Records
from hasim.measures.spans import Steps
from hasim.model import Status


@dataclass(frozen=True, slots=True)
class Declaration:
    """A master declared as failed; `ended_ns` is None if that still stood at the end.

    A declaration stands while the master is failed or recovering: a relapse
    from recovering to failed is no new declaration.
    """

    master: str
    t_ns: int
    ended_ns: int | None
    reason: str


@dataclass
class Verdicts:
    """The verdicts on one master."""

    status: Steps[Status] = field(default_factory=lambda: Steps(Status.UNKNOWN))
    declared: Steps[bool] = field(default_factory=lambda: Steps(before=False))
    declarations: list[Declaration] = field(default_factory=list)


def verdicts(records: Records) -> dict[str, Verdicts]:
    """The verdicts on each master, in the order of the masters."""
    found = {master.id: Verdicts() for master in records.masters}
    open_since: dict[str, tuple[int, str]] = {}
    for t_ns, change in records.of(StatusChanged):
        one = found.setdefault(change.master, Verdicts())
        one.status.set(t_ns, change.new)
        if change.new is Status.FAILED and change.master not in open_since:
            open_since[change.master] = (t_ns, change.reason)
            one.declared.set(t_ns, value=True)
        elif change.new not in (Status.FAILED, Status.RECOVERING) and change.master in open_since:
            since_ns, reason = open_since.pop(change.master)
            one.declarations.append(Declaration(change.master, since_ns, t_ns, reason))
            one.declared.set(t_ns, value=False)
    for master, (since_ns, reason) in open_since.items():
        found[master].declarations.append(Declaration(master, since_ns, None, reason))
    return found
