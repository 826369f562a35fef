"""Pins read and written within the patience of a request, and the instrument that a text names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ltp.core.instrument import parse_key
from ltp.core.subscriptions.pins import Pin
from ltp.db.pins import pins
from ltp.errors import InputError
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, patiently

_SEGMENTS: Final = ("NSE_EQ", "IDX_I", "BSE_EQ")
_ACCEPTED: Final = "it is a symbol such as HDFCBANK, or a key such as NSE_EQ:1333 of a known instrument"


def all_pins() -> list[Pin]:
    """Raises DatabaseError."""
    return patiently(lambda: pins.fetch(services().engine, busy_timeout_ms=BUSY_TIMEOUT_MS))


def pin_of(key: str) -> Pin | None:
    """Raises DatabaseError."""
    return patiently(lambda: pins.find(services().engine, key, busy_timeout_ms=BUSY_TIMEOUT_MS))


def pin(keys: Sequence[str], mode: str, note: str) -> None:
    """Raises InputError past the limit, DatabaseError."""
    patiently(lambda: pins.pin(services().engine, keys, mode, note, busy_timeout_ms=BUSY_TIMEOUT_MS))


def unpin(keys: Sequence[str]) -> None:
    """Raises NotFoundError for one that is not pinned, DatabaseError."""
    patiently(lambda: pins.unpin(services().engine, keys, busy_timeout_ms=BUSY_TIMEOUT_MS))


def key_of(text: str, where: str = "key") -> str:
    """Return the key of the instrument that a text names.

    Raises:
        InputError: there is none.
        NotReadError: the instruments have not been read yet.
    """
    catalog, name = services().catalog, text.strip().upper()
    try:
        known = catalog.instrument(parse_key(name))
    except InputError:
        found = (catalog.find(segment, name) for segment in _SEGMENTS)
        known = next((each for each in found if each), None)
    if known is None:
        if catalog.instruments_at is None:
            raise catalog.instrument_not_found(name)
        raise InputError(where, text.strip(), _ACCEPTED)
    return known.key
