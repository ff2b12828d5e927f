"""Small defects for the services, put in one at a time: what a hunt must find.

Each is a function that is given pytest's `MonkeyPatch` and replaces one method, or one name.
"""

from __future__ import annotations

from tests.defects import detection, failover, fencing, gateways, promotion, rest
from tests.defects.registry import DEFECTS

__all__ = ["DEFECTS", "detection", "failover", "fencing", "gateways", "promotion", "rest"]
