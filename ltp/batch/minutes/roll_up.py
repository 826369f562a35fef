"""Five-minute bars of sessions whose one-minute bars are about to be deleted."""

from __future__ import annotations

from typing import Final

from ltp.batch.minutes.hours import Hours
from ltp.batch.progress import Progress
from ltp.core.bars.bar import Bar
from ltp.core.bars.parts import FIVE
from ltp.core.bars.timeframe import rolled_up
from ltp.core.instrument import split_key
from ltp.core.market.session import Calendar
from ltp.db import minute_bars
from ltp.db.bars import five_minute_bars
from ltp.db.engine import Engine

_AT_ONCE: Final = 50  # sessions in one transaction, some 0.1 s


def keep_fives(
    engine: Engine, calendar: Calendar, first: int, before: int, progress: Progress = lambda *_: None
) -> int:
    """Put five-minute bars in the place of the one-minute bars of all sessions from one midnight to another.

    One-minute bars outside of the trading hours are in no five-minute bar. Imported history stays as it is.

    Returns:
        How many blocks of one-minute bars were deleted.
    Raises:
        DatabaseError: what was made by then is right; the same again makes the rest.
    """
    hours = Hours(calendar)

    def of_session(key: str, midnight: int, ones: list[Bar]) -> list[Bar]:
        return list(rolled_up(ones, FIVE, hours.windows(split_key(key)[0], midnight)))

    made = deleted = 0
    for sessions in minute_bars.sessions_between(engine, first, before):
        for begin in range(0, len(sessions), _AT_ONCE):
            progress("making five-minute bars", made, 0)
            done = five_minute_bars.make(engine, sessions[begin : begin + _AT_ONCE], of_session)
            made, deleted = made + done.sessions, deleted + done.deleted
    return deleted
