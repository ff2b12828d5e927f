"""What crosses the network between an observer and everybody else: all of it can be lost."""

from __future__ import annotations

from collections.abc import Callable

from hasim.events import Input
from hasim.simulation.clock import ARRIVAL, INPUT, Call, Clock
from hasim.simulation.control.driver import Driver
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.network import Network, master_endpoint, observer_endpoint


class Post:
    """Carries orders out, and answers back to the driver."""

    def __init__(self, env: Clock, network: Network, driver: Driver) -> None:
        self.env = env
        self.network = network
        self.observer = driver.observer
        self.endpoint = observer_endpoint(driver.observer)
        self.receive = driver.receive
        self.hand_in = driver.feed
        """For what does not cross the network: the input is there now."""

    def send(self, target: str, rank: int, then: Callable[[], None]) -> None:
        """`then` happens when a packet has come to the target's endpoint, if it comes."""
        delay = self.network.cross(self.endpoint, target, self.env.now)
        if delay >= 0:
            Call(self.env, delay, rank, lambda _: then())

    def order(self, master: SimMaster, then: Callable[[], None]) -> None:
        """A command on a connection: it never reaches a process that started after it was sent."""
        life = master.life

        def arrive() -> None:
            if master.life == life or master.refusing:
                then()

        self.send(master_endpoint(master.id), ARRIVAL, arrive)

    def answer(self, master: SimMaster, item: Input) -> None:
        """A master answers an order."""
        self.bring(master_endpoint(master.id), item)

    def bring(self, source: str, item: Input) -> None:
        """An input crosses from an endpoint to the observer."""
        delay = self.network.cross(source, self.endpoint, self.env.now)
        if delay >= 0:
            Call(self.env, delay, INPUT, self.receive, item)
