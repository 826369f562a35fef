"""The lists as this web process has read them, and each as a run for the table of screeners.

Every request reads the version of its list, so a change is seen at once in all processes; the lines are read again
only when the version is another. While the database cannot be read the last content is shown.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime
from itertools import count
from typing import Final, NamedTuple, cast

from flask import current_app

from ltp.core.screener import FIRST_UNSTORED, Row, Run
from ltp.core.watchlists.watchlist import Line, Watchlist, kind_of, universe_of
from ltp.db.engine import Engine
from ltp.db.watchlists import store
from ltp.errors import DatabaseError
from ltp.web.screens.catalogue import custom_screener
from ltp.web.services import services
from ltp.web.table.columns import FLAG, NOTE, SECTION
from ltp.web.table.screener import Screener, in_table_order
from ltp.web.waits import BUSY_TIMEOUT_MS, patiently

EXTENSION: Final = "ltp_watchlists"
PATH: Final = "/watchlists"
_KEPT_LISTS: Final = 100
_KEPT_RUNS: Final = 8  # of up to some megabytes each


class Lists:
    """Reads lists and keeps the ones used last."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lists: OrderedDict[str, Watchlist] = OrderedDict()
        self._runs: OrderedDict[Hashable, Run] = OrderedDict()
        self._ids = count(FIRST_UNSTORED)

    def get(self, slug: str) -> Watchlist:
        """Return a list as it is now.

        Raises:
            NotFoundError: there is none.
            DatabaseError: it cannot be read, and this process has not read it before.
        """
        known = self._lists.get(slug)
        try:
            if known is None or self._version(slug) != (known.version, known.changed_at):
                known = patiently(lambda: store.fetch(self._engine, slug, busy_timeout_ms=BUSY_TIMEOUT_MS))
        except DatabaseError:
            if known is None:
                raise
        self._lists[slug] = known
        self._lists.move_to_end(slug)
        if len(self._lists) > _KEPT_LISTS:
            self._lists.popitem(last=False)
        return known

    def run(self, watchlist: Watchlist) -> Run:
        """Return the run whose rows are the lines of a list: the same one until the list or its facts change."""
        sources = _sources(watchlist)
        made = tuple((run.id, run.created_at) for run in sources)
        place = (
            watchlist.slug,
            watchlist.version,
            watchlist.changed_at,
            made,
            services().catalog.instruments_at,
        )
        run = self._runs.pop(place, None) or _run(next(self._ids), watchlist, sources)
        self._runs[place] = run
        if len(self._runs) > _KEPT_RUNS:
            self._runs.popitem(last=False)
        return run

    def _version(self, slug: str) -> tuple[int, datetime]:
        # Once, because the content that is known can be shown: polls and streams of many pages come here.
        return store.version(self._engine, slug, busy_timeout_ms=BUSY_TIMEOUT_MS)


class ListTable(NamedTuple):
    """A list with what its table needs."""

    watchlist: Watchlist
    screener: Screener
    run: Run


def lists() -> Lists:
    """Return the lists of the app that handles the present request."""
    return cast(Lists, current_app.extensions[EXTENSION])


def list_table(slug: str) -> ListTable:
    """Return a list as its table sees it. Raises as `Lists.get`."""
    watchlist = lists().get(slug)
    screener = custom_screener(kind_of(slug), watchlist.title, slug=slug)
    screener = screener._replace(
        candidates=in_table_order((*screener.candidates, FLAG, NOTE)),
        recommendations=in_table_order((*screener.recommendations, "rank", FLAG, NOTE)),
        labels={"rank": "No."},
        is_list=True,
    )
    return ListTable(watchlist, screener, lists().run(watchlist))


def _sources(watchlist: Watchlist) -> list[Run]:
    """Return the runs that have facts and plans of the list's instruments: its own one, and the swing screener's.

    Only runs of the newest session: facts of two sessions side by side would be compared.
    """
    catalog = services().catalog
    own = catalog.current_id(kind_of(watchlist.slug))
    runs = [own and services().run(own), catalog.current("swing")]
    found = [run for run in runs if run]
    newest = max((run.as_of for run in found if run.as_of), default=None)
    found = [run for run in found if run.as_of == newest]
    return [run for run in found if run.sample == found[0].sample]


def _run(run_id: int, watchlist: Watchlist, sources: list[Run]) -> Run:
    wanted = {line.key for line in watchlist.rows}
    known: dict[str, Row] = {}
    for source in reversed(sources):
        known |= {row.key: row for row in source.rows if row.key in wanted}
    rows = tuple(
        _row(place, section, line, known.get(line.key))
        for place, (section, line) in enumerate(watchlist.in_sections(), start=1)
    )
    facts = sources[0] if sources else None
    return Run(
        run_id,
        kind_of(watchlist.slug),
        watchlist.changed_at,
        sample=facts.sample if facts else False,
        source="",
        rows=rows,
        as_of=facts.as_of if facts else None,
        universe=universe_of(watchlist.slug),
        evaluated=len(known),
        notes=facts.notes if facts and facts.kind == kind_of(watchlist.slug) else "",
    )


def _row(place: int, section: str, line: Line, known: Row | None) -> Row:
    if known is None:
        instrument = services().catalog.instrument(line.key)
        if instrument is None:
            known = Row(line.key, place, line.key, "no longer in the instrument master")
        else:
            known = Row(line.key, place, instrument.symbol, instrument.name, instrument.sector)
    own = {NOTE: line.note, FLAG: line.flag, SECTION: section}
    return known._replace(
        rank=place, facts={**known.facts, **{name: text for name, text in own.items() if text}}
    )
