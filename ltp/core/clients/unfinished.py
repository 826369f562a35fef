"""Counts of unfinished requests by client, with a limit, so that no client takes the places of others."""

from __future__ import annotations

from ltp.core.clients.client_address import EXEMPT


class UnfinishedRequests:
    """Clients without a request are removed, so there are never more entries than requests."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: dict[str, int] = {}

    def enter(self, client: str) -> RequestSlot | None:
        """Count a request of the client until `RequestSlot.leave`; None if the client is at its limit."""
        count = self._counts.get(client, 0)
        if count >= self._limit and client != EXEMPT:
            return None
        self._counts[client] = count + 1
        return RequestSlot(self._counts, client)

    def __len__(self) -> int:
        """Return the number of clients with an unfinished request."""
        return len(self._counts)


class RequestSlot:
    """One counted request."""

    __slots__ = ("_client", "_counts")

    def __init__(self, counts: dict[str, int], client: str) -> None:
        self._counts: dict[str, int] | None = counts
        self._client = client

    def leave(self) -> None:
        """Stop counting the request. Further calls do nothing."""
        counts, self._counts = self._counts, None
        if counts is None:
            return
        count = counts[self._client] - 1
        if count:
            counts[self._client] = count
        else:
            del counts[self._client]
