"""What a dispatcher knows of the messages that are under way, and of their attempts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Attempt:
    """One attempt of a message; it has no `master` as long as it waits at the gateway for room.

    `since_ns`: since when the client waits, for room or for an answer; `connected`: a host has
    accepted the connection (told only where there is a timeout for that); `held`: it waits since
    nobody may take it.
    """

    number: int
    message: int
    since_ns: int
    master: str = ""
    connected: bool = False
    held: bool = False

    @property
    def unconnected(self) -> bool:
        """Whether it was sent, and no connection has come about."""
        return self.master != "" and not self.connected


@dataclass(slots=True)
class Message:
    """A message that has neither been answered nor failed.

    `client` is the number of who sent it, `key` what hashing algorithms go by, None if the message
    is a key of its own. It tries again until `give_up_ns`; `round` is the number of its attempt
    (see `retrying`), and `open` are the numbers of the attempts of this round that have not ended:
    one, or a second one beside it (hedging). `tried` are the masters that have failed it, in turn,
    `master` is the last one that an attempt was sent to, `tries` the number of attempts so far.
    """

    number: int
    partition: str | None
    vip: bool
    key: int | str | None
    give_up_ns: int
    client: int = 0
    round: int = 0
    tries: int = 0
    master: str = ""
    tried: list[str] = field(default_factory=list)
    open: list[int] = field(default_factory=list)
