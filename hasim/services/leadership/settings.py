"""Settings of the leadership among several control planes."""

from __future__ import annotations

from typing import Annotated, ClassVar

from hasim.services.leadership.fixed import FixedSettings
from hasim.services.leadership.leader import LeaderSettings
from hasim.services.leadership.registry import LEADERS, PRESETS
from hasim.settings import settings
from hasim.settings.parts import Part, PartsBeside
from hasim.settings.presets import Preset
from hasim.settings.registry import Named


@settings
class LeadershipSettings(PartsBeside):
    """Which of several control planes acts; the settings of the kind stand beside it."""

    PRESETS: ClassVar[Named[Preset]] = PRESETS

    leader: Annotated[LeaderSettings, Part(LEADERS)] = FixedSettings()
    """How the control plane that acts is found among the observers of a cluster. With any but
    `fixed` every observer is a whole control plane, and the first acts at the start."""

    @property
    def shared(self) -> bool:
        """Whether more than one observer may act, one after the other."""
        return not isinstance(self.leader, FixedSettings)
