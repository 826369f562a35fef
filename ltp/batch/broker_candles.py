"""The missing daily candles of each instrument, from the broker's charts into SQL.

The broker restates its prices for each split. Each instrument is stored as soon as it is fetched, so that an
end halfway loses nothing; the next fetch continues there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple, Protocol

from ltp.batch.progress import Progress
from ltp.core.history.candle import Candle
from ltp.core.instrument import split_key
from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST, settled_day
from ltp.db import candle_source, candles
from ltp.db.engine import Engine, writing
from ltp.errors import FeedAuthError, FeedError

INDEX: Final = "IDX_I:13"  # NIFTY 50
_SHARES: Final = "NSE_EQ"
SOURCE: Final = "broker's charts"
SIMULATED: Final = "simulated exchange's charts"
OVERLAP_D: Final = 7  # five sessions that are stored are fetched again: a split shows in them
_SAME_WITHIN: Final = 0.003  # a restated price differs by a fifth at least, a corrected one by some paise
_MAX_FAILURES: Final = 10


class ChartSource(Protocol):
    def daily(self, key: str, instrument_type: str, first: date, last: date) -> list[Candle]: ...


class Fetched(NamedTuple):
    """`behind`: instruments that were not up to date. `changed`: candles that are new or differ. `restated`:
    instruments fetched anew from the first day, because the broker had changed the history. `empty`:
    instruments without a candle. `failed`: a sentence for each instrument that could not be fetched.
    `removed`: instruments that lost simulated candles for real ones.
    """

    behind: int
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
    fetched_one: Callable[[str], None] = lambda _: None,
) -> Fetched:
    """Fetch the missing candles from `first` to `last`, the newest session that has ended.

    An instrument that cannot be fetched is reported and skipped; ten in a row end the fetch. Simulated
    candles are removed with the first real one that is stored, and not before: a broker that refuses the
    account must not cost the candles that are shown.

    Args:
        simulated: the charts are those of the simulated exchange.
        fetched_one: takes each instrument whose candles are stored now.
    Raises:
        FeedAuthError: the broker refuses the credentials.
        FeedError: ten in a row failed.
        DatabaseError: all that was stored by then is right; or simulated candles would join real ones.
    """
    to_remove = _simulated_before(engine, simulated)
    newest = {} if to_remove else candles.last_days(engine, "adjusted")
    missing = [key for key in keys if newest.get(key, date.min) < last]
    # Stored days are noted again: a fetch that was killed may have stored candles and not noted their days.
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
                if isinstance(error, FeedAuthError) or in_a_row >= _MAX_FAILURES:
                    raise
            else:
                in_a_row = 0
                fetched_one(key)
                days.update(each.day for each in fetched)
    finally:
        _note_days(engine, days, simulated)
    progress("fetching candles", len(missing), len(missing))
    removed = to_remove if days else 0
    return Fetched(len(missing), done["changed"], done["restated"], done["empty"], tuple(failed), removed)


def _simulated_before(engine: Engine, simulated: bool) -> int:
    """Return how many instruments have simulated candles that real ones will replace.

    Raises:
        DatabaseError: simulated candles would join real ones.
    """
    if not simulated:
        return candle_source.simulated_instruments(engine)
    candle_source.refuse_simulated(candle_source.origin(engine))
    return 0


def _fetch_one(
    engine: Engine,
    charts: ChartSource,
    key: str,
    newest: date | None,
    first: date,
    last: date,
    simulated: bool,
    done: Counter[str],
) -> list[Candle]:
    """Fetch and store the missing candles of an instrument; count them in `done`.

    Args:
        newest: the newest day that is stored, None without candles.
    """
    fetched = _daily(
        charts, key, first if newest is None else max(first, newest - timedelta(days=OVERLAP_D)), last
    )
    if newest is not None and _is_restated(engine, key, fetched, newest):
        done["restated"] += 1
        fetched = _daily(charts, key, first, last)
        candles.replace(engine, "adjusted", key, fetched, simulated=simulated)
        done["changed"] += len(fetched)
    else:
        done["changed"] += candles.upsert(engine, "adjusted", {key: fetched}, simulated=simulated)
    done["empty"] += not fetched
    return fetched


def _daily(charts: ChartSource, key: str, first: date, last: date) -> list[Candle]:
    return charts.daily(key, "INDEX" if split_key(key)[0] == "IDX_I" else "EQUITY", first, last)


def _is_restated(engine: Engine, key: str, fetched: Sequence[Candle], newest: date) -> bool:
    """Return whether the broker has restated days that are stored. The newest does not count: it may have
    been fetched before its session ended.
    """
    known = {each.day: each.close for each in candles.fetch(engine, "adjusted", key)}
    both = [(known[each.day], each.close) for each in fetched if each.day in known and each.day < newest]
    return any(abs(old - new) > old * _SAME_WITHIN for old, new in both)


def _note_days(engine: Engine, days: Counter[date], simulated: bool) -> None:
    if not days:
        return
    with writing(engine) as connection:
        candle_source.claim(connection, simulated=simulated)
        for day, count in sorted(days.items()):
            candles.note_day(connection, day, SIMULATED if simulated else SOURCE, count)


def last_settled(calendar: Calendar, now: datetime) -> date:
    """Return the newest session of shares with candles that the broker has settled. The candle of a session
    that is on would change until the evening.
    """
    settled = settled_day(now)
    return calendar.session_date(_SHARES, datetime.combine(settled, time.max, IST))
