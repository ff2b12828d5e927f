"""An observer: a control plane at its site, with what it orders and what it is told."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.simulation.control.commands import Commands
from hasim.simulation.control.driver import Driver
from hasim.simulation.control.post import Post


@dataclass(frozen=True)
class Observer:
    """The parts that a world has for each of its control planes."""

    driver: Driver
    post: Post
    commands: Commands
