"""Functions for templates: cells, numbers and times as pages write them, addresses of static files."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from flask import Flask
from markupsafe import Markup

from ltp.core.instrument import element_id
from ltp.core.money import group_indian
from ltp.core.ticks.quote import Quote
from ltp.core.trading_day import IST
from ltp.web import market, swaps, times, urls
from ltp.web.help.access_keys import KEYS
from ltp.web.live import notices, status_line
from ltp.web.live.poll import NOTICES_LIVE
from ltp.web.screens.catalogue import SCREENERS
from ltp.web.services import services
from ltp.web.table import rows
from ltp.web.table.filters.grammar import COLUMNS
from ltp.web.table.screen_query import SIZES

_HASH_LENGTH: Final = 12


def install(app: Flask) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        asset=_assets(app),
        static=app.static_url_path,
        canonical=urls.canonical,
        cell=cell,
        chip=rows.chip,
        clock=times.clock,
        day=times.day,
        days_since=days_since,
        element_id=element_id,
        filter_options=_filter_options(),
        grouped=lambda number: group_indian(str(number)),
        ist=times.ist,
        keys=KEYS,
        kept_url=swaps.KEPT,
        lost_url=swaps.LOST,
        money=rows.money,
        number=rows.number,
        row_id=rows.row_id,
        segment_names=market.SEGMENT_NAMES,
        sizes=SIZES,
        all_screeners=tuple(SCREENERS.values()),
        notices_live=NOTICES_LIVE,
        universe_title=universe_title,
        unseen_notices=notices.unseen,
        status_line=lambda: Markup(status_line.render(services().hub)),  # noqa: S704 (escapes what it shows)
    )
    app.context_processor(_page)


def cell(quote: Quote, column: str) -> Markup:
    """Render a cell for the first paint with the hub's function, without the flash of an earlier move."""
    markup = services().cell(quote._replace(moved=False), column)
    return Markup(markup)  # noqa: S704 (only numbers, fixed words and a parsed date)


def days_since(session: date) -> int:
    """Return the age of a session in days, in India. A page must not show an old run like one of today."""
    return (datetime.now(IST).date() - session).days


def universe_title(name: str) -> str:
    """Return the title of a universe, its name if it is no longer stored."""
    universe = services().catalog.universes().get(name)
    return universe.title if universe else name


def _filter_options() -> Markup:
    """Return the columns that rows can be filtered by, as suggestions for a text field."""
    option = Markup('<option value="{} {} " label="{}">')
    return Markup("").join(
        option.format(column.name, "=" if column.text else ">", column.label) for column in COLUMNS.values()
    )


def _page() -> dict[str, Any]:
    return {"simulated": services().source() == "simulator"}


def _assets(app: Flask) -> Any:
    """Return the template function that adds a content hash to the address of a static file.

    The address changes with the content, so browsers may keep the file for ever.
    """
    folder = Path(str(app.static_folder))
    hashes: dict[str, str] = {}

    def asset(name: str) -> str:
        if name not in hashes or app.debug:
            hashes[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()[:_HASH_LENGTH]
        # Not by url_for, which fails where the Host header is no name: the error page is refused as well then.
        return f"{app.static_url_path}/{name}?v={hashes[name]}"

    return asset
