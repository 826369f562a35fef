"""`/candles`: what history is stored by list, jobs on it, and the lists that are fetched after each session."""

from __future__ import annotations

import time
from datetime import date, datetime
from functools import partial
from typing import Final, NamedTuple

from flask import Blueprint, Response, make_response, render_template, request

from ltp.core.bars.kept_days import KeptDays
from ltp.core.trading_day import IST
from ltp.db.history import schedules, summary
from ltp.db.history.summary import DAYS, EVERYTHING, MINUTES, TIMEFRAMES, OfList
from ltp.web import params, redirect_marks
from ltp.web.history import form, job_lines
from ltp.web.history.form import NAMED, Typed
from ltp.web.history.job_lines import ACTION_TITLES, EVERYTHING_TITLE
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, patiently

bp = Blueprint("history", __name__)
PATH: Final = "/candles"
ASKED: Final = "asked"  # parameter: the mark of a job that was requested
SUBJECT: Final = "history job"
TIMEFRAME_TITLES: Final = {MINUTES: "one-minute bars", DAYS: "daily candles"}
_PAUSE_S: Final = 0.001  # between two reads, in which the streams go on


class ListLine(NamedTuple):
    """A list in a timeframe. `members`: how many instruments it has. `url`: of its instruments."""

    title: str
    timeframe: str
    members: int
    url: str
    stored: OfList | None


@bp.get(PATH)
def page() -> Response:
    given = params.single(request.args.items(multi=True))
    of = given.get("of", "")
    typed = form.empty(today(), of if of in services().catalog.universes() else "")
    return render(typed, asked=bool(redirect_marks.signed_at(redirect_marks.from_request(ASKED), SUBJECT)))


@bp.get(f"{PATH}/progress")
def progress() -> str:
    """Return the progress of the job that runs; after a change of any, a fragment that makes the page load them."""
    seen = params.single(request.args.items(multi=True)).get("seen", "")
    return render_template("candles/_progress.html", jobs=job_lines.read(), seen=seen)


def render(typed: Typed, status: int = 200, *, asked: bool = False) -> Response:
    """Render the page. Raises DatabaseError."""
    engine = services().engine
    universes = services().catalog.universes()
    found = job_lines.read()
    return make_response(
        render_template(
            "candles/index.html",
            lists=_lines(),
            timeframe_titles=TIMEFRAME_TITLES,
            jobs=found,
            seen=found.version,
            form=typed,
            actions=ACTION_TITLES,
            choices=[
                *((each.name, each.title) for each in universes.values()),
                (EVERYTHING, EVERYTHING_TITLE),
            ],
            named=NAMED,
            most_keys=form.MOST_KEYS,
            today=today().isoformat(),
            universes=list(universes.values()),
            scheduled=patiently(lambda: schedules.scheduled(engine, busy_timeout_ms=BUSY_TIMEOUT_MS)),
            asked=asked,
            kept=kept_days(),
            live=None,
        ),
        status,
    )


def today() -> date:
    return datetime.now(IST).date()


def kept_days() -> KeptDays:
    return KeptDays.of(today(), services().bars_days, services().longer_bars_days)


def _lines() -> list[ListLine]:
    engine, universes = services().engine, services().catalog.universes()
    found: dict[tuple[str, str], OfList] = {}
    for timeframe in TIMEFRAMES:
        lists = patiently(partial(summary.of_lists, engine, timeframe, busy_timeout_ms=BUSY_TIMEOUT_MS))
        found |= {(name, timeframe): each for name, each in lists.items()}
        time.sleep(_PAUSE_S)
        every = patiently(partial(summary.of_everything, engine, timeframe, busy_timeout_ms=BUSY_TIMEOUT_MS))
        if every is not None:
            found[EVERYTHING, timeframe] = every
        time.sleep(_PAUSE_S)
    names = [(each.name, each.title, each.size) for each in universes.values()]
    stored = max((each.instruments for (name, _), each in found.items() if name == EVERYTHING), default=0)
    return [
        ListLine(title, timeframe, size, f"{PATH}/{name}?timeframe={timeframe}", found.get((name, timeframe)))
        for name, title, size in (*names, (EVERYTHING, EVERYTHING_TITLE, stored))
        for timeframe in TIMEFRAMES
    ]
