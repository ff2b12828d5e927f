"""Links that observers keep open to masters: a process that dies closes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hasim.events import ConnectionClosed
from hasim.simulation.control.post import Post
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.network import master_endpoint


class Connections:
    """Tells every observer when a master's process dies while its host lives.

    A host that loses power closes nothing: it is silent.
    """

    def __init__(self, masters: Iterable[SimMaster], posts: Sequence[Post]) -> None:
        self._lives = {master: master.life for master in masters}
        self._posts = posts

    def changed(self) -> None:
        """Masters are not what they were."""
        for master, life in self._lives.items():
            if master.life != life:
                self._lives[master] = master.life
                if master.refusing:
                    for post in self._posts:
                        post.bring(master_endpoint(master.id), ConnectionClosed(master.id))
