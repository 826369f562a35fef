"""What an alert can watch: instruments by symbol or key, lists and screens, and their names on pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ltp.core.alerts.alert import KEY, SCREEN, UNIVERSE, Target, Terms
from ltp.core.alerts.terms import Known, checked
from ltp.core.instrument import parse_key
from ltp.core.trading_day import IST
from ltp.db.alerts import history
from ltp.errors import InputError
from ltp.web.screens.catalogue import SCREENERS
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS

# Where a symbol is looked for, first come first.
_SEGMENTS: Final = (
    "NSE_EQ",
    "IDX_I",
    "BSE_EQ",
    "NSE_FNO",
    "MCX_COMM",
    "NSE_CURRENCY",
    "BSE_FNO",
    "BSE_CURRENCY",
)


def key_of(text: str, field: str) -> str:
    """Return the key of a symbol or of a key.

    Raises:
        InputError: names the field.
    """
    catalog, name = services().catalog, text.strip().upper()
    if not name:
        raise InputError(field, text, "a symbol or a key is expected, such as HDFCBANK or NSE_EQ:1333")
    try:
        found = catalog.instrument(parse_key(name))
    except InputError:
        segment, _, symbol = name.rpartition(":")
        places = (segment,) if segment else _SEGMENTS
        found = next((each for each in (catalog.find(place, symbol) for place in places) if each), None)
    if found is None:
        raise InputError(field, text, "the instrument master has no such symbol or key")
    return found.key


def accepted(terms: Terms) -> Terms:
    """Return the terms as they are kept, checked against what exists.

    Raises:
        InputError: names the field.
        DatabaseError: the channels cannot be read.
    """
    ids = history.channels(services().engine, busy_timeout_ms=BUSY_TIMEOUT_MS) if terms.channels else ()
    catalog = services().catalog
    known = Known(
        lambda key: catalog.instrument(key) is not None,
        catalog.universes().__contains__,
        lambda slug: slug in SCREENERS or catalog.screen(slug) is not None,
        ids,
    )
    return checked(terms, datetime.now(IST).date(), known)


def screens() -> Mapping[str, str]:
    """Return the titles of all screens by their short names."""
    found = {kind: screener.title for kind, screener in SCREENERS.items()}
    return found | {screen.slug: screen.name for screen in services().catalog.screens()}


def title_of(target: Target) -> str:
    """Return what a target is called on pages; its plain name where it is gone."""
    catalog, name = services().catalog, target.name
    if target.kind == KEY:
        return symbol_of(name)
    if target.kind == UNIVERSE:
        universe = catalog.universes().get(name)
        return f"each of {universe.title if universe else name}"
    if target.kind == SCREEN:
        return f"each row of {screens().get(name, name)}"
    return "the market"


def symbol_of(key: str) -> str:
    """Return the symbol of an NSE share, of others with the segment in front."""
    found = services().catalog.instrument(key)
    if found is None:
        return key
    return found.symbol if found.segment == "NSE_EQ" else f"{found.segment}:{found.symbol}"


def path_of(target: Target) -> str:
    """Return the address of the page of a target, "" without one."""
    if target.kind == KEY and services().catalog.instrument(target.name) is not None:
        return f"/instruments/{target.name.replace(':', '/')}"
    if target.kind == SCREEN and target.name in screens():
        return f"/screeners/{target.name}"
    return ""
