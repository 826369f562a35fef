"""The trading hours of a day as a quote page shows them: each window, the one that is on, the next session."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from markupsafe import Markup

from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST, day_start
from ltp.web import times

_PHASES: Final = {
    "pre_open": "Pre-open",
    "continuous": "Continuous",
    "closing_auction": "Closing auction",
    "post_close": "Post-close",
}


class WindowLine(NamedTuple):
    """`name`: of the phase. `begins`, `ends`: HH:MM in India, `ends` excluded. `on`: now lies in it."""

    name: str
    begins: str
    ends: str
    on: bool


class DayHours(NamedTuple):
    """The trading hours of a day. `name`: of a holiday or of a special session, "" for an ordinary day.

    `windows`: none on a day without a session. `on_next`: a sentence about the next window, "" while one is
    on.
    """

    day: date
    name: str
    windows: tuple[WindowLine, ...]
    on_next: str


def day_hours(calendar: Calendar, segment: str, now: datetime) -> DayHours:
    """Return the hours of the day of `now`, an aware datetime."""
    at, day = now.timestamp(), now.astimezone(IST).date()
    began = day_start(day)
    windows = tuple(
        WindowLine(
            _PHASES.get(window.phase, window.phase),
            _clock(window.start - began),
            _clock(window.end - began),
            window.start <= at < window.end,
        )
        for window in calendar.windows(segment, day)
    )
    name = calendar.day_name(segment, day) or ("" if windows else "No session today")
    is_on = any(window.on for window in windows)
    return DayHours(day, name, windows, "" if is_on else _next(calendar, segment, now, day))


def hours_markup(hours: DayHours, at: Markup | None = None) -> Markup:
    """Return the hours for a page.

    Args:
        at: the present time of day, for a page that does not follow them.
    """
    on = Markup(" <i>(on now)</i>") if at is None else Markup(" (on at {})").format(at)
    name = f": {hours.name}" if hours.name else ""
    parts = [Markup("<span>{}{}</span>").format(times.day(hours.day), name)]
    for window in hours.windows:
        words = f"{window.name} {window.begins}–{window.ends}"
        parts.append(
            Markup('<span class="on">{}{}</span>').format(words, on)
            if window.on
            else Markup("<span>{}</span>").format(words)
        )
    if hours.on_next:
        parts.append(Markup("<span>{}</span>").format(hours.on_next))
    return Markup(" ").join(parts)


def _next(calendar: Calendar, segment: str, now: datetime, day: date) -> str:
    window = calendar.next_window(segment, now)
    if window is None:
        return ""
    begins = datetime.fromtimestamp(window.start, UTC).astimezone(IST)
    when = "" if begins.date() == day else f"{begins:%a} {begins.day} {begins:%b}, "
    return f"Next: {_PHASES.get(window.phase, window.phase).lower()}, {when}{begins:%H:%M}"


def _clock(seconds: int) -> str:
    return f"{seconds // 3_600:02d}:{seconds // 60 % 60:02d}"
