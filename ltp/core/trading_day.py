"""Days of the Indian market: time zone, day of an instant, newest day whose candles are final."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Final

IST: Final = timezone(timedelta(hours=5, minutes=30))
# After the close, by the time that the broker needs to settle its candles.
_SETTLED_AT: Final = timedelta(hours=16, minutes=15)


def session_of(epoch_s: float) -> str:
    """Return the ISO date in India of an instant in seconds since the epoch."""
    return datetime.fromtimestamp(epoch_s, IST).date().isoformat()


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
