"""What makes a cluster unfit for a study, as seen by the client and by its workers."""

from __future__ import annotations


class ClusterError(ValueError):
    """A cluster that cannot be used; the message says why.

    `begun` says whether it was used before, so that there may be outcomes of it.
    """

    begun = False


class UnlikeError(ClusterError):
    """A worker whose results could differ from those of others, or that lacks the work."""
