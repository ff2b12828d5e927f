"""What the parts of a budget are called, by its measure."""

from __future__ import annotations

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
NAMES = {"success": "Success", "user_uptime": "User-uptime"}
"""What a measure is called; the others are uptime."""
MINUTES_OF = {
    "success": "minutes' worth of messages a year",
    "user_uptime": "minutes of users' time a year",
}
"""What a minute of a budget is; of the others one of downtime."""
