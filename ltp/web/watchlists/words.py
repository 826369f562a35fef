"""Texts about lists for pages: symbols in place of keys, and the changes since a version."""

from __future__ import annotations

import re
from typing import Final

from ltp.core.instrument import SEGMENTS
from ltp.db.watchlists import store
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, patiently

_KEY: Final = re.compile(rf"\b(?:{'|'.join(SEGMENTS)}):[0-9]{{1,10}}\b")
_SHOWN: Final = 5


def symbol_of(key: str) -> str:
    """Return the symbol of an instrument, its key if the master has none."""
    instrument = services().catalog.instrument(key)
    return instrument.symbol if instrument else key


def with_symbols(words: str) -> str:
    """Return a sentence of `core.watchlists.edits` with symbols in place of keys."""
    return _KEY.sub(lambda found: symbol_of(found[0]), words)


def changes_after(slug: str, version: int) -> list[str]:
    """Return the changes of a list after a version, the newest first, at most a few, and then their number.

    Raises:
        DatabaseError: they cannot be read.
    """
    engine = services().engine
    found = patiently(lambda: store.changes(engine, slug, version, busy_timeout_ms=BUSY_TIMEOUT_MS))
    more = len(found) - _SHOWN
    return [with_symbols(each.words) for each in found[:_SHOWN]] + ([f"and {more} more"] if more > 0 else [])
