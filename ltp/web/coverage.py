"""Which minutes of a session the feed covered of one instrument, for its page and for the API."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from ltp.core.bars.bar import MINUTE_S
from ltp.core.bars.coverage import KNOWN_WITHIN_S, ended, gaps, minutes
from ltp.core.instrument import split_key
from ltp.core.trading_day import DAY_S, IST, day_start
from ltp.db.bars import bar_audits, coverage
from ltp.errors import DatabaseError, NotFoundError
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS

_NAMED: Final = 4


class Gap(NamedTuple):
    """Minutes `[start, until)` that were not covered. `filled`: the broker's bars of them are in place."""

    start: int
    until: int
    filled: bool


class Coverage(NamedTuple):
    """`minutes`: of the session's trading hours that are over. `lasts`: whether more will follow."""

    day: date
    minutes: int
    covered: int
    gaps: tuple[Gap, ...]
    lasts: bool


def of_session(key: str, day: date, now: datetime) -> Coverage:
    """Return the coverage of a day; without a session it has no minutes.

    Raises:
        DatabaseError: the database cannot be read, or not within a moment.
    """
    engine, midnight = services().engine, day_start(day)
    windows = [(each.start, each.end) for each in services().calendar().windows(split_key(key)[0], day)]
    over = ended(windows, int(now.timestamp()) - KNOWN_WITHIN_S)
    covered = coverage.of_instrument(engine, key, midnight, busy_timeout_ms=BUSY_TIMEOUT_MS)
    found = gaps(covered, over)
    all_minutes = sum(end - start for start, end in over) // MINUTE_S
    lasts = bool(windows) and over != windows
    filled = _filled_until(key, day) if found else 0
    return Coverage(
        day,
        all_minutes,
        all_minutes - minutes(found),
        tuple(Gap(*gap, filled=gap.until <= filled) for gap in found),
        lasts,
    )


def sentence(key: str) -> str:
    """Return a sentence about the newest session, "" where nothing is known."""
    now = datetime.now(UTC)
    try:
        day = services().calendar().session_date(split_key(key)[0], now)
        found = of_session(key, day, now)
    except (DatabaseError, NotFoundError):
        return ""
    return words(found)


def words(found: Coverage) -> str:
    day = f"{found.day.day} {found.day:%b %Y}"
    if not found.minutes:
        return ""
    session = f"{'minute' if found.minutes == 1 else 'minutes'} of the session of {day}"
    so_far = " so far" if found.lasts else ""
    if not found.gaps:
        return f"The feed covered all {found.minutes} {session}{so_far}."
    named = ", ".join(_times(gap) for gap in found.gaps[:_NAMED])
    more = len(found.gaps) - _NAMED
    if more > 0:
        named += f" and {more} more"
    filled = sum(gap.filled for gap in found.gaps)
    if filled == len(found.gaps):
        bars = "these have the broker's bars"
    elif filled:
        has = "has" if filled == 1 else "have"
        bars = f"{filled} of these {len(found.gaps)} gaps {has} the broker's bars"
    else:
        bars = "the broker's bars of them are not fetched yet"
    covered = found.covered or "none"
    return f"The feed covered {covered} of {found.minutes} {session}{so_far}; not covered: {named} ({bars})."


def _times(gap: Gap) -> str:
    start, until = (datetime.fromtimestamp(each, IST) for each in (gap.start, gap.until))
    return f"{start:%H:%M} to {until:%H:%M}"


def _filled_until(key: str, day: date) -> int:
    """Return the second up to which gaps have the broker's bars."""
    engine = services().engine
    if bar_audits.final_days(engine, key, day, day, busy_timeout_ms=BUSY_TIMEOUT_MS):
        return day_start(day) + DAY_S
    return coverage.refilled_until(engine, key, day, busy_timeout_ms=BUSY_TIMEOUT_MS)
