"""Daily candles from the broker's charts into SQL, as it restates them: what is missing, share by share.

Each share is stored as soon as it is there, so that an end in the midst loses nothing; started again it goes
on where it was.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple
from typing import Protocol as Shape

from ltp.core.history.candle import Candle
from ltp.core.instrument import split_key
from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST, settled_day
from ltp.db import candle_source, candles
from ltp.db.engine import Engine, writing
from ltp.errors import FeedAuthError, FeedError

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
INDEX: Final = "IDX_I:13"  # NIFTY 50
_SHARES: Final = "NSE_EQ"
SOURCE: Final = "broker's charts"
SIMULATED: Final = "simulated exchange's charts"
OVERLAP_D: Final = 7  # five sessions that are there already are asked for again: they tell a split
_SAME_WITHIN: Final = 0.003  # a restated price differs by a fifth at least, a corrected one by some paise
_MOST_FAILURES: Final = 10


class ChartSource(Shape):
    def daily(self, key: str, instrument_type: str, first: date, last: date) -> list[Candle]: ...


class Fetched(NamedTuple):
    """`asked`: instruments that were not up to date. `restated`: of how many the whole history was fetched
    anew, because the broker had changed it. `empty`: of how many it has nothing. `failed`: a sentence for
    each that could not be fetched. `removed`: how many had simulated candles, which made room for real
    ones.
    """

    asked: int
    changed: int
    restated: int
    empty: int
    failed: tuple[str, ...]
    removed: int = 0


def fetch_history(
    engine: Engine,
    charts: ChartSource,
    keys: Sequence[str],
    *,
    first: date,
    last: date,
    simulated: bool = False,
    progress: Progress = lambda *_: None,
) -> Fetched:
    """Fetch what is missing from `first` to `last`, the newest session that has ended.

    One that cannot be fetched is told and passed over; ten in a row end it. Simulated candles are removed
    with the first real one that is stored, and not before: a broker that refuses us must not cost anybody
    what is shown.

    Args:
        simulated: the charts are those of the simulated exchange.
    Raises:
        FeedAuthError: the broker refuses the credentials.
        FeedError: ten in a row failed.
        DatabaseError: what was stored by then is right; or simulated candles would join real ones.
    """
    if simulated:
        candle_source.refuse_simulated(candle_source.origin(engine))
    to_remove = 0 if simulated else candle_source.simulated_instruments(engine)
    newest = {} if to_remove else candles.last_days(engine, "adjusted")
    missing = [key for key in keys if newest.get(key, date.min) < last]
    # Noted again with the rest: an end that left no time to note them must not hide for ever that they are
    # in.
    days = Counter(newest[key] for key in keys if key in newest)
    done, failed, in_a_row = Counter[str](), [], 0
    try:
        for number, key in enumerate(missing):
            progress("fetching candles", number, len(missing))
            try:
                fetched = _fetch_one(engine, charts, key, newest.get(key), first, last, simulated, done)
            except FeedError as error:
                failed.append(f"{key}: {error}")
                in_a_row += 1
                if isinstance(error, FeedAuthError) or in_a_row >= _MOST_FAILURES:
                    raise
            else:
                in_a_row = 0
                days.update(each.day for each in fetched)
    finally:
        _note(engine, days, simulated)
    progress("fetching candles", len(missing), len(missing))
    removed = to_remove if days else 0
    return Fetched(len(missing), done["changed"], done["restated"], done["empty"], tuple(failed), removed)


def _fetch_one(
    engine: Engine,
    charts: ChartSource,
    key: str,
    known: date | None,
    first: date,
    last: date,
    simulated: bool,
    done: Counter[str],
) -> list[Candle]:
    """Fetch and store what an instrument lacks; count it in `done`. `known`: the newest day that is there."""
    fetched = _fetched(
        charts, key, first if known is None else max(first, known - timedelta(days=OVERLAP_D)), last
    )
    if known is not None and _differs(engine, key, fetched, known):
        done["restated"] += 1
        fetched = _fetched(charts, key, first, last)
        candles.replace(engine, "adjusted", key, fetched, simulated=simulated)
        done["changed"] += len(fetched)
    else:
        done["changed"] += candles.upsert(engine, "adjusted", {key: fetched}, simulated=simulated)
    done["empty"] += not fetched
    return fetched


def _fetched(charts: ChartSource, key: str, first: date, last: date) -> list[Candle]:
    return charts.daily(key, "INDEX" if split_key(key)[0] == "IDX_I" else "EQUITY", first, last)


def _differs(engine: Engine, key: str, fetched: Sequence[Candle], newest: date) -> bool:
    """Tell whether the broker has restated days that are here. The newest may have been fetched before its
    session ended.
    """
    known = {each.day: each.close for each in candles.fetch(engine, "adjusted", key)}
    both = [(known[each.day], each.close) for each in fetched if each.day in known and each.day < newest]
    return any(abs(old - new) > old * _SAME_WITHIN for old, new in both)


def _note(engine: Engine, days: Counter[date], simulated: bool) -> None:
    if not days:
        return
    with writing(engine) as connection:
        candle_source.claim(connection, simulated=simulated)
        for day, count in sorted(days.items()):
            candles.note_day(connection, day, SIMULATED if simulated else SOURCE, count)


def last_settled(calendar: Calendar, now: datetime) -> date:
    """Return the newest session of shares whose candles the broker has settled; one that is on would change
    until tonight.
    """
    settled = settled_day(now)
    return calendar.session_date(_SHARES, datetime.combine(settled, time.max, IST))
