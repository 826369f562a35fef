"""How many requests each client has under way, with a bound: one client never takes the places that others
need.
"""

from __future__ import annotations

from ltp.core.clients.client_address import EXEMPT


class UnfinishedRequests:
    """Counts by client. It forgets a client that has none, so it holds no more entries than there are
    requests.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: dict[str, int] = {}

    def enter(self, client: str) -> RequestSlot | None:
        """Count one more request of the client until its place is left; None where it has as many as it may."""
        count = self._counts.get(client, 0)
        if count >= self._limit and client != EXEMPT:
            return None
        self._counts[client] = count + 1
        return RequestSlot(self._counts, client)

    def __len__(self) -> int:
        """Return how many clients have a request under way."""
        return len(self._counts)


class RequestSlot:
    """One request that counts."""

    __slots__ = ("_client", "_counts")

    def __init__(self, counts: dict[str, int], client: str) -> None:
        self._counts: dict[str, int] | None = counts
        self._client = client

    def leave(self) -> None:
        """Count it no longer; more than once is as good as once."""
        counts, self._counts = self._counts, None
        if counts is None:
            return
        count = counts[self._client] - 1
        if count:
            counts[self._client] = count
        else:
            del counts[self._client]
