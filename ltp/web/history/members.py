"""`/candles/<list>`: the instruments of a list with what is stored of each, and the sessions that lack bars."""

from __future__ import annotations

from typing import Final, NamedTuple

from flask import Blueprint, render_template, request

from ltp.core.instrument import split_key
from ltp.db.history import summary
from ltp.db.history.summary import EVERYTHING, MINUTES, SORTS, TIMEFRAMES, Member
from ltp.errors import NotFoundError
from ltp.web import params, urls
from ltp.web.history.job_lines import title_of
from ltp.web.history.overview import PATH, TIMEFRAME_TITLES, kept_days, today
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, patiently

bp = Blueprint("history_members", __name__)
SIZE: Final = 100  # instruments of a page
_MAX_PAGE: Final = 10_000
_DEFAULT_SORT: Final = "-missing"
# Head, and whether the first press sorts the largest first.
_HEADS: Final = {
    "symbol": ("Instrument", False),
    "missing": ("Missing sessions", True),
    "covered": ("Covered", True),
    "from": ("From", False),
    "to": ("To", True),
    "bars": ("Bars", True),
    "bytes": ("Size", True),
}


class Head(NamedTuple):
    """The head of a column that can be sorted. `sorted`: ascending, descending, or ""."""

    name: str
    title: str
    url: str
    sorted: str


class Query(NamedTuple):
    timeframe: str
    sort: str
    page: int

    def url(self, path: str, **changed: str | int) -> str:
        """Return the address with some values changed; those by default are left out."""
        new = self._replace(**changed)  # type: ignore[arg-type]
        pairs = [("timeframe", new.timeframe)]
        pairs += [("sort", new.sort)] if new.sort != _DEFAULT_SORT else []
        pairs += [("page", str(new.page))] if new.page > 1 else []
        return urls.address(path, pairs)


@bp.get(f"{PATH}/<name>")
def page(name: str) -> str:
    if name != EVERYTHING and name not in services().catalog.universes():
        raise NotFoundError("list", name)
    query = _query()
    count, found = patiently(
        lambda: summary.members(
            services().engine,
            name,
            query.timeframe,
            sort=query.sort.removeprefix("-"),
            descending=query.sort.startswith("-"),
            first=(query.page - 1) * SIZE,
            most=SIZE,
            busy_timeout_ms=BUSY_TIMEOUT_MS,
        )
    )
    path = f"{PATH}/{name}"
    pages = max(1, -(-count // SIZE))
    return render_template(
        "candles/list.html",
        name=name,
        title=title_of(name),
        query=query,
        count=count,
        first=(query.page - 1) * SIZE + 1,
        members=[(each, _url(each, query.timeframe)) for each in found],
        heads=[_head(each, query, path) for each in SORTS],
        tabs=[(each, TIMEFRAME_TITLES[each], query.url(path, timeframe=each, page=1)) for each in TIMEFRAMES],
        pages=pages,
        previous=query.url(path, page=query.page - 1) if query.page > 1 else "",
        following=query.url(path, page=query.page + 1) if query.page < pages else "",
        everything=EVERYTHING,
        oldest=kept_days().ones.isoformat(),
        today=today().isoformat(),
        minutes=MINUTES,
        live=None,
    )


def _query() -> Query:
    given = params.single(request.args.items(multi=True))
    sorts = [f"{sign}{name}" for name in SORTS for sign in ("", "-")]
    return Query(
        params.choice(given, "timeframe", TIMEFRAMES, MINUTES),
        params.choice(given, "sort", sorts, _DEFAULT_SORT),
        params.whole(given, "page", _MAX_PAGE, 1),
    )


def _head(name: str, query: Query, path: str) -> Head:
    title, descends = _HEADS[name]
    largest_first = not query.sort.startswith("-") if query.sort.removeprefix("-") == name else descends
    state = ""
    if query.sort.removeprefix("-") == name:
        state = "descending" if query.sort.startswith("-") else "ascending"
    return Head(name, title, query.url(path, sort="-" * largest_first + name, page=1), state)


def _url(member: Member, timeframe: str) -> str:
    """Return the address of an instrument's chart, "" if the instrument master lacks it."""
    segment, security_id = split_key(member.key)
    return f"/instruments/{segment}/{security_id}?timeframe={timeframe}" if member.symbol else ""
