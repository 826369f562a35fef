"""Listings of the simulated exchange beyond its own universe: any known instrument, at its last close."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import cached_property

from ltp.core.instrument import Instrument, split_key
from ltp.core.money import Price
from ltp.db import chart_closes, instruments
from ltp.db.engine import Engine
from ltp.errors import DatabaseError, NotFoundError

log = logging.getLogger(__name__)


class SimulatedListings:
    """`open_`: opens the database, at the first key that the exchange does not list by itself."""

    def __init__(self, open_: Callable[[], Engine]) -> None:
        self._open = open_

    def __call__(self, keys: Iterable[str]) -> list[tuple[Instrument, Price]]:
        """Return the instruments of `keys` that the master knows, each with its last close, 0 without one.

        Keys that cannot be read now are left out; the exchange asks for them again.
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
        try:
            history = chart_closes.fetch_candles(self._engine, key)
        except ValueError:
            return 0  # damaged; an import names them
        return history[-1].close if history else 0
