"""Everything of a quote page beside its price and its chart: its live columns, and its fixed parts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from markupsafe import Markup

from ltp.core.history.extremes import Past
from ltp.core.instrument import CONTRACT_SEGMENTS, Instrument
from ltp.core.screener import Row
from ltp.core.ticks.depth import has_depth
from ltp.core.ticks.quote import Quote
from ltp.hub.insets import Inset
from ltp.web import times
from ltp.web.quote import ladder, range_cells
from ltp.web.quote.hours import day_hours, hours_markup
from ltp.web.quote.live_depth import is_refusal
from ltp.web.screens.catalogue import SCREENERS
from ltp.web.services import services
from ltp.web.table.screener import Screener

_PRICES: Final = ("ltp", "chg", "chgp", "open", "high", "low", "prev", "volume")
_SHORTEST: Final = 5  # sessions: an average of fewer means nothing


class Fact(NamedTuple):
    """A live value with its label. `title`: its meaning, "" where the label is enough."""

    column: str
    label: str
    title: str = ""


class QuoteParts(NamedTuple):
    """The parts for `instruments/index.html`.

    `ranges`, `facts`: live columns with labels. `depth`, `details`: markup, empty for an index. `hours`: as of
    now; the stream brings those of later. `listed`: the screeners that have the instrument in their current run, each with its row.
    """

    quote: Quote
    ranges: tuple[Fact, ...]
    facts: tuple[Fact, ...]
    depth: Markup
    details: Markup
    hours: Markup
    listed: tuple[tuple[Screener, Row], ...]


def insets(shown: Instrument) -> tuple[Inset, ...]:
    """Return the insets of an open page of an instrument, and want their contents."""
    shared = services()
    depth, hours = shared.watch_depth(shown.key), shared.watch_hours(shown.segment)
    return (hours,) if depth is None else (depth, hours)


def columns(shown: Instrument) -> tuple[str, ...]:
    """Return the live columns of the page of an instrument, for its stream and its polls."""
    past = services().past(shown.key)
    return (
        *_PRICES,
        *(fact.column for fact in (*_ranges(past), *_of_volume(past), *_of_contract(shown, past))),
    )


def parts(shown: Instrument, *, live: bool) -> QuoteParts:
    """Return the parts of the page as of now. `live`: the page will follow them."""
    shared = services()
    past = shared.past(shown.key)
    quote = shared.hub.quotes([shown.key])[0]
    inset = shared.watch_depth(shown.key) if live else None
    return QuoteParts(
        quote,
        tuple(_ranges(past)),
        (*_PRICE_FACTS, *_volume(shown), *_of_volume(past), *_of_contract(shown, past)),
        *_order_book(quote, inset, live=live),
        hours_markup(day_hours(shared.calendar(), shown.segment, datetime.now(UTC)), times.clock()),
        tuple(_listed(shown.key)),
    )


def _order_book(quote: Quote, inset: Inset | None, *, live: bool) -> tuple[Markup, Markup]:
    """Return depth and details. `inset`: that the stream of the page will carry."""
    if not has_depth(quote.key):
        return Markup(), Markup()
    known, now_us = services().known_depth(quote.key), int(time.time() * 1e6)
    late = live and services().is_depth_late(quote.key)
    depth = ladder.depth_markup(known.depth, quote, now_us, paused=not live, is_late=late)
    if inset is not None and is_refusal(inset):
        known, depth = known._replace(depth=None), ladder.REFUSED
    details = ladder.details_markup(known.depth, known.details, quote, now_us)
    return Markup(depth), Markup(details)  # noqa: S704 (only numbers, times and fixed words)


_PRICE_FACTS: Final = (
    Fact("open", "Open"),
    Fact("high", "High"),
    Fact("low", "Low"),
    Fact("prev", "Previous close"),
)


def _volume(shown: Instrument) -> Iterator[Fact]:
    if shown.segment != "IDX_I":  # an index is not traded
        yield Fact("volume", "Volume")


def _ranges(past: Past) -> Iterator[Fact]:
    yield Fact(range_cells.DAY, "Day", "Lowest and highest price of the day; the short line is the open")
    found = past.extremes
    if found is not None:
        label = "52 weeks" if found.full else f"Since {_day(found.first)}"
        title = f"Lowest and highest price from {_day(found.first)} to today, adjusted for splits"
        yield Fact(range_cells.year_column(found.low, found.high, found.close), label, title)


def _of_volume(past: Past) -> Iterator[Fact]:
    found = past.extremes
    if found is not None and found.average_volume and found.volume_sessions >= _SHORTEST:
        yield Fact(
            range_cells.relative_volume_column(found.average_volume),
            f"{found.volume_sessions}-day volume",
            f"Average volume of {found.volume_sessions} sessions before this one, and today's in per cent of it",
        )


def _of_contract(shown: Instrument, past: Past) -> Iterator[Fact]:
    if shown.segment in CONTRACT_SEGMENTS:
        title = "Contracts that are open, and the change since the session before where that is known"
        yield Fact(range_cells.open_interest_column(past.oi), "Open interest", title)


def _listed(key: str) -> Iterator[tuple[Screener, Row]]:
    runs = ((screener, services().catalog.current(screener.kind)) for screener in SCREENERS.values())
    return ((screener, row) for screener, run in runs if run for row in run.rows if row.key == key)


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
