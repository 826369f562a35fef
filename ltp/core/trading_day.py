"""Days of the Indian market: time zone, day and midnight of an instant, newest day whose candles are final."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Final

DAY_S: Final = 86_400
IST_OFFSET_S: Final = 19_800  # India's clock minus UTC
IST: Final = timezone(timedelta(seconds=IST_OFFSET_S))
_FIRST: Final = date(1970, 1, 1)
# After the close, by the time that the broker needs to settle its candles.
_SETTLED_AT: Final = timedelta(hours=16, minutes=15)


def date_of(epoch_s: float) -> date:
    """Return the date in India of an instant in seconds since the epoch."""
    return datetime.fromtimestamp(epoch_s, IST).date()


def session_of(epoch_s: float) -> str:
    """Return the ISO date in India of an instant in seconds since the epoch."""
    return date_of(epoch_s).isoformat()


def days_since_1970(epoch_s: int) -> int:
    """Return the day in India of an instant as a number, which is that of `history.candle.day_number`."""
    return (epoch_s + IST_OFFSET_S) // DAY_S


def midnight_of(epoch_s: int) -> int:
    """Return the midnight in India before an instant; both in seconds since the epoch."""
    return epoch_s - (epoch_s + IST_OFFSET_S) % DAY_S


def day_start(day: date) -> int:
    """Return the start of a day in India in seconds since the epoch."""
    return (day - _FIRST).days * DAY_S - IST_OFFSET_S


def session_date(session: str) -> date | None:
    return date.fromisoformat(session) if session else None


def is_session(value: object) -> bool:
    """Return whether `session_date` can read it."""
    if value == "":
        return True
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def settled_day(now: datetime) -> date:
    """Return the newest day whose candles the broker has settled; those of a later day may still change."""
    return (now.astimezone(IST) - _SETTLED_AT).date()
