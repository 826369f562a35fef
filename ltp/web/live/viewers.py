"""How many open pages and API clients of this process want each instrument, told to the worker while somebody looks
at the table of subscriptions.
"""

from __future__ import annotations

import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from ltp.errors import StoreError
from ltp.hub.view import View
from ltp.store import subscription_table
from ltp.store.client import Client
from ltp.store.subscription_table import Counts

_AT_MOST_EVERY_S: Final = 3.0
_COUNTED_AT_ONCE: Final = 5_000


class ViewerCounts:
    """`tell` is for one thread.

    Args:
        views: the open views of this process.
        clients: the number of API clients by instrument.
    """

    def __init__(
        self,
        client: Client,
        views: Iterable[View],
        clients: Callable[[], Mapping[str, int]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._views, self._clients, self._monotonic = client, views, clients, monotonic
        self._process = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._due = float("-inf")

    def tell(self) -> None:
        """Write the numbers, if somebody looks and the last ones are older than three seconds."""
        now = self._monotonic()
        if now < self._due:
            return
        self._due = now + _AT_MOST_EVERY_S
        try:
            if subscription_table.is_looked_at(self._client):
                counts = Counts(self._viewers(), self._clients())
                subscription_table.write_counts(self._client, self._process, counts, time.time())
        except StoreError:
            return  # whoever looks is told that Redis does not answer

    def _viewers(self) -> dict[str, int]:
        viewers, counted = Counter[str](), 0
        for view in self._views:
            for key in view.keys if view.streams else ():
                viewers[key] += view.streams
            counted += len(view.keys)
            if counted >= _COUNTED_AT_ONCE:
                counted = 0
                time.sleep(0)  # the streams of this process go on
        return dict(viewers)
