"""News of members on its way: each piece is sent so many times, the least sent first."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hasim.events import MemberNews

MOST = 30
"""Pieces in one packet: a datagram of 1,400 bytes (memberlist UDPBufferSize)."""


def sendings(mult: int, members: int) -> int:
    """How often a piece is sent: mult x ceil(log10(n + 1)) (memberlist retransmitLimit)."""
    return mult * math.ceil(math.log10(members + 1))


@dataclass(slots=True)
class Piece:
    """A piece of news, and how often it was sent."""

    news: MemberNews
    sent: int = 0


@dataclass(slots=True)
class Outbox:
    """The latest piece about each member."""

    pieces: list[Piece] = field(default_factory=list)

    def put(self, news: MemberNews) -> None:
        """A new piece; an older one about the same member is sent no more."""
        self.pieces = [piece for piece in self.pieces if piece.news.member != news.member]
        self.pieces.append(Piece(news))

    def take(self, limit: int) -> tuple[MemberNews, ...]:
        """What goes with one packet."""
        if not self.pieces:
            return ()
        chosen = sorted(self.pieces, key=lambda piece: piece.sent)[:MOST]
        for piece in chosen:
            piece.sent += 1
        self.pieces = [piece for piece in self.pieces if piece.sent < limit]
        return tuple(piece.news for piece in chosen)
