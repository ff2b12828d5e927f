"""What clients do for themselves: retries cut by a budget, following the routing, being held."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.measures.facts import Episode, Facts
from hasim.measures.incidents import downs_of_episodes
from hasim.measures.serving import TIER, Down
from hasim.truth import ClientRollup, ClientsFollowed, MessagesHeld
from hasim.units import seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRow:
    """The clients of one gateway, over the whole run, if a budget cut any retry of theirs.

    `retries_cut` were wanted and not allowed by the budget.
    """

    gateway: str
    retries_cut: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowRow:
    """Clients of one gateway that followed a change of its routing: what a failover goes on with.

    At `changed_at_s` the `partition` had another owner; or, if that is empty, stateless messages
    were no more for the master `left`. `incident` is the one that this answers to, if it is any.
    So many `clients` that kept a name or a connection sent elsewhere for the first time after
    that, the last `most_s` later. Each was kept by four things, one after the other, whose sums
    over the clients stand here: its name stood for the old master still (`name_s`), its connection
    was not old yet (`pool_s`), or had not broken (`stay_s`; then it is no pool's), and it had
    nothing to send (`pause_s`).
    """

    incident: int | None
    gateway: str
    left: str
    partition: str
    changed_at_s: float
    clients: int
    name_s: float
    pool_s: float
    stay_s: float
    pause_s: float
    most_s: float

    @property
    def total_s(self) -> float:
        """The sum of the times from the change of routing until each client followed."""
        return self.name_s + self.pool_s + self.stay_s + self.pause_s


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """Attempts that one gateway held while nobody might take them, and then sent.

    Of messages of the `partition` (stateless ones, if empty), by the routing table that it used
    since `tabled_at_s`; `incident` is the one that had taken it down, if it is any. `held_s` is
    the sum of the times for which they were held, `most_s` the longest.
    """

    incident: int | None
    gateway: str
    partition: str
    tabled_at_s: float
    attempts: int
    held_s: float
    most_s: float


def clients_of(facts: Facts) -> list[ClientRow]:
    """The gateways of which there is something to tell."""
    return [
        ClientRow(gateway=body.gateway, retries_cut=body.retries_cut)
        for _, body in facts.records.of(ClientRollup)
    ]


def followed_of(facts: Facts) -> list[FollowRow]:
    """The clients that followed, by gateway and change of routing."""
    return [
        FollowRow(
            incident=None if (of := episode_followed(facts, body)) is None else of.number,
            gateway=body.gateway,
            left=body.left,
            partition=body.partition,
            changed_at_s=seconds(body.since_ns),
            clients=body.clients,
            name_s=seconds(body.name_ns),
            pool_s=seconds(body.pool_ns),
            stay_s=seconds(body.stay_ns),
            pause_s=seconds(body.pause_ns),
            most_s=seconds(body.most_ns),
        )
        for _, body in facts.records.of(ClientsFollowed)
    ]


def held_of(facts: Facts) -> list[HeldRow]:
    """The attempts that were held and sent, by gateway and routing table."""
    bodies = [body for _, body in facts.records.of(MessagesHeld)]
    downs = downs_of_episodes(facts) if bodies else {}
    return [
        HeldRow(
            incident=_episode_held(downs, body),
            gateway=body.gateway,
            partition=body.partition,
            tabled_at_s=seconds(body.tabled_ns),
            attempts=body.attempts,
            held_s=seconds(body.total_ns),
            most_s=seconds(body.most_ns),
        )
        for body in bodies
    ]


def episode_followed(facts: Facts, body: ClientsFollowed) -> Episode | None:
    """The incident that a change of routing answered to: by its failover, or its declaration."""
    if body.partition:
        begun = [c for c in facts.courses_with[body.partition] if c.declared_ns <= body.since_ns]
        return facts.episode_of_course(begun[-1]) if begun else None
    told = [d for d in facts.verdicts[body.left].declarations if d.t_ns <= body.since_ns]
    return facts.episode_of(told[-1]) if told else None


def _episode_held(downs: dict[int, list[Down]], body: MessagesHeld) -> int | None:
    """The incident that had taken down, last of all, what the messages were for."""
    what = body.partition or TIER
    fell = [
        (down.span.start_ns, number)
        for number, own in downs.items()
        for down in own
        if down.partition == what and down.span.start_ns <= body.tabled_ns
    ]
    return max(fell)[1] if fell else None
