"""Fencing tokens: what an owner writes is refused by whoever has seen a later promotion."""

from __future__ import annotations

from typing import ClassVar

from hasim.services.failover.fencing.none import NoFencing, NoFencingSettings
from hasim.settings import settings


@settings
class TokenSettings(NoFencingSettings):
    """A token that grows with every promotion: the epoch, which rides on orders and on writes."""

    ONE_PRIMARY: ClassVar[bool] = True


class Token(NoFencing):
    """Nobody is powered off; an owner acknowledges a write only if a majority takes its token.

    The token is the epoch of its promotion. It is kept by the first owner of the partition
    and the holders of its copies: masters that refuse an older token than the latest that they
    have seen. A promotion needs a majority of them, too, so that no older token has one from then
    on. An owner that reaches no majority holds its writes, and one whose token is refused steps
    down by itself. (Kleppmann, "How to do distributed locking", 2016: fencing tokens; BookKeeper:
    fencing of a ledger; a majority as in Gifford 1979.)
    """

    settings: TokenSettings
    DEPOSES: ClassVar[bool] = True

    def __init__(self, settings: TokenSettings) -> None:
        super().__init__(settings)
