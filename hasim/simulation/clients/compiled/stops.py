"""Why the kernel stops before its time: bits, since one event can have several reasons."""

NOTHING = 0
GROW = 1
"""Some array is full, or all messages that are in memory have arrived."""
ARM = 2
"""A gateway has sent its first attempt since its last regular report."""
REPORT = 4
"""A gateway has to report a master at once."""
ANSWERED = 8
"""A message was answered whose partition went down before that was served, and had no answer."""
OVERLOAD = 16
"""A master became overloaded, or is so no longer."""
PROBED = 32
"""A master answers a deep probe."""
RETRY = 64
"""An attempt failed, and the random numbers of the message's next one are not in memory."""
IN_VAIN = 128
"""A write has waited for its copies for as long as writes do."""
