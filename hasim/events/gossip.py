"""What members say to each other by gossip."""

from __future__ import annotations

from hasim.model import MemberStanding, PacketKind
from hasim.record import record


@record
class MemberNews:
    """A member's standing under one of its incarnations, and who says so.

    Of two pieces of news the one with the higher incarnation counts, which only the member itself
    raises; of one incarnation dead counts before suspected, and that before alive.
    """

    member: str
    standing: MemberStanding
    incarnation: int
    by: str


@record
class GossipPacket:
    """One datagram between members; an answer repeats the number, `about` is whom to ping."""

    kind: PacketKind
    number: int
    about: str
    news: tuple[MemberNews, ...] = ()
