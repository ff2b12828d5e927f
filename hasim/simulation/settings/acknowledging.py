"""When a write is acknowledged: at once, or when standbys have it; what if they are away."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.settings import Choice, count, duration, settings
from hasim.units import SECOND


@settings
class Asynchronous:
    """A write is acknowledged as soon as its owner has it. Source: the default of PostgreSQL,
    MySQL, MariaDB and Redis."""

    kind: Literal["asynchronous"]


@settings
class SemiSynchronous:
    """A write is acknowledged when so many standbys have received it, or in vain after a time.

    From then on writes are acknowledged as if the mode were asynchronous, until enough standbys
    have caught up.
    """

    kind: Literal["semi-synchronous"]
    replicas: Annotated[
        int,
        count(
            "So many standbys must have received a write.",
            source="MySQL rpl_semi_sync_source_wait_for_replica_count (1)",
        ),
    ] = 1
    timeout_ns: Annotated[
        int,
        duration(
            "The first write that has waited for so long ends the waiting of all.",
            source="MySQL rpl_semi_sync_source_timeout (10 s)",
            above=0,
        ),
    ] = 10 * SECOND
    wait_no_replica: bool = True
    """Whether the timeout is waited for, too, when too few standbys have a connection at all: if
    not, writes are acknowledged without them at once. Source: MySQL
    rpl_semi_sync_source_wait_no_replica (on)."""


@settings
class Synchronous:
    """A write is acknowledged when so many of some standbys have it, however long that takes."""

    kind: Literal["synchronous"]
    standbys: tuple[str, ...] = ()
    """The masters that are waited for; none named: all that hold a copy. Source: PostgreSQL
    synchronous_standby_names."""
    any: Annotated[
        int,
        count(
            "So many of them, whichever are first; 0: all of them.",
            source="PostgreSQL synchronous_standby_names = 'ANY k (...)'; Patroni "
            "synchronous_node_count (1)",
            least=0,
        ),
    ] = 1
    level: Literal["received", "flushed", "applied"] = "flushed"
    """What a standby must have done with it: `received` it, `flushed` it to its disk, or `applied`
    it (`apply`). Source: PostgreSQL synchronous_commit remote_write, on, remote_apply."""
    flush_ns: Annotated[
        int,
        duration("A standby needs so long to flush to its disk what it has received."),
    ] = 0
    if_missing: Literal["hang", "shrink"] = "hang"
    """When too few of them are there: writes `hang` until they are back, or the list is made to
    `shrink` to those that are. Source: Patroni synchronous_mode_strict, synchronous_mode."""
    shrink_after_ns: Annotated[
        int,
        duration(
            "The list shrinks after this time without them.",
            source="Patroni loop_wait (10 s)",
        ),
    ] = 10 * SECOND


Acknowledging = Annotated[Asynchronous | SemiSynchronous | Synchronous, Choice(tag="kind")]
"""When a write is acknowledged."""
