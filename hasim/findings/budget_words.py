"""What the parts of a budget are called, by its measure."""

from __future__ import annotations

from dataclasses import dataclass

CAUSES = {
    "undetected": "detection",
    "deciding": "decision",
    "fencing": "fencing",
    "transferring": "transfer",
    "promoting": "promotion",
    "redirecting": "redirection",
    "mistaken": "false failover",
    "overloaded": "overload",
    "no_capacity": "no backup: waiting for repair",
    "late": "answered too late",
    "unserved": "without the service",
    "unroutable": "nobody to send them to",
    "not_owner": "sent to another than the owner",
    "connect_timeout": "no connection in time",
}
"""What the causes of a shortfall are called in a budget, where they do not speak for themselves."""
WAITING = {
    "name": "by their names",
    "pool": "by pools",
    "stay": "staying until an error",
    "pause": "with nothing to send",
}
"""What keeps clients at the old master."""
OF = {
    "uptime": "every partition up",
    "uptime.mean": "the mean partition up",
    "uptime.k_of_n": "as many masters serve as are needed",
    "success": "messages answered by their deadline",
    "user_uptime": "users' time with the service",
}


@dataclass(frozen=True)
class Words:
    """What a measure of a budget, and what is lost of it, are called."""

    name: str = "Uptime"
    minutes: str = "minutes a year"
    down: str = "minutes down a year"
    each: str = "down per fault"
    bars: str = "How long service is down in a year because of each kind of fault"


_OTHERS = {
    "success": Words(
        "Success",
        "minutes' worth of messages a year",
        "minutes' worth of messages lost a year",
        "lost per fault",
        "For how many minutes' worth of messages there is no answer in a year because of each "
        "kind of fault",
    ),
    "user_uptime": Words(
        "User-uptime",
        "minutes of users' time a year",
        "minutes of users' time lost a year",
        "lost per fault",
        "How much of users' time is without the service in a year because of each kind of fault",
    ),
}


def words_of(measure: str) -> Words:
    """The words of a measure; all kinds of uptime share theirs."""
    return _OTHERS.get(measure, Words())
