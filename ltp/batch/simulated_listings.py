"""What the simulated exchange may list beyond its own universe: whatever the instrument master knows, at its
last close.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import cached_property

from ltp.core.instrument import Instrument, split_key
from ltp.core.money import Price, price_from_rupees
from ltp.db import chart_closes, instruments
from ltp.db.engine import Engine
from ltp.errors import DatabaseError, NotFoundError

log = logging.getLogger(__name__)


class SimulatedListings:
    """`open_` gives the database; it is opened when something is asked for that the exchange does not list by
    itself.
    """

    def __init__(self, open_: Callable[[], Engine]) -> None:
        self._open = open_

    def __call__(self, keys: Iterable[str]) -> list[tuple[Instrument, Price]]:
        """Return each instrument that the master knows, with its last close, 0 where there is none.

        What cannot be read now is left out, and found when it is asked for again.
        """
        found = []
        for key in keys:
            try:
                found.append((instruments.fetch_one(self._engine, *split_key(key)), self._last_close(key)))
            except NotFoundError:
                continue
            except DatabaseError as error:
                log.warning("The simulated exchange cannot list %s yet: %s", key, error)
                break
        return found

    @cached_property
    def _engine(self) -> Engine:
        return self._open()

    def _last_close(self, key: str) -> Price:
        history = chart_closes.fetch(self._engine, key)
        return 0 if history is None else price_from_rupees(history.closes[-1]) or 0
