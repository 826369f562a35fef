"""Days of the Indian market: the time zone, the day of an instant, the newest day whose candles are final."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Final

IST: Final = timezone(timedelta(hours=5, minutes=30))
_SETTLED_AT: Final = timedelta(
    hours=16, minutes=15
)  # the close, and the time the broker needs to settle its candles


def session_of(epoch_s: float) -> str:
    """Return the ISO date in India of an instant in seconds since the epoch."""
    return datetime.fromtimestamp(epoch_s, IST).date().isoformat()


def session_date(session: str) -> date | None:
    return date.fromisoformat(session) if session else None


def settled_day(now: datetime) -> date:
    """Return the newest day whose candles the broker has settled; those of a later day still change."""
    return (now.astimezone(IST) - _SETTLED_AT).date()
