"""Which sessions of an instrument lack bars. Days are numbers as of `trading_day.days_since_1970`: dates would take
several times as long, and a summary looks at a million of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

_FIRST: Final = date(1970, 1, 1)
THIN: Final = 0.5  # a session with fewer bars than this share of its minutes


class MissingSessions(NamedTuple):
    """`expected`: how many sessions there are since the first day with a bar. `missing`: those without a bar.
    `thin`: those with far fewer bars than minutes. Both oldest first.
    """

    expected: int
    missing: tuple[int, ...]
    thin: tuple[int, ...]

    @property
    def days(self) -> list[int]:
        """Both kinds, oldest first."""
        return sorted((*self.missing, *self.thin))


def find(
    bars: Mapping[int, int], minutes: Mapping[int, int], settled: Collection[int] = ()
) -> MissingSessions:
    """Return the sessions that an instrument lacks.

    Args:
        bars: how many bars a day has; days without any are absent.
        minutes: the trading minutes of each session that is over, oldest first.
        settled: days whose bars were fetched after the session: the market traded in no other minute.
    """
    if not bars:
        return MissingSessions(0, (), ())
    first = min(bars)
    sessions = [day for day in minutes if day >= first]
    missing = tuple(day for day in sessions if not bars.get(day))
    thin = tuple(day for day in sessions if 0 < bars.get(day, 0) < THIN * minutes[day] and day not in settled)
    return MissingSessions(len(sessions), missing, thin)


def in_words(days: Iterable[int], sessions: Sequence[int], most: int) -> str:
    """Return days as text, the newest first: `2026-11-17 to 2026-11-20, 2026-11-12`.

    Args:
        days: a selection of `sessions`, which are oldest first. Successive sessions are joined.
        most: how many parts are named; then "…" follows.
    """
    chosen = set(days)
    parts, run = list[str](), list[int]()
    for day in (*reversed(sessions), None):
        if day in chosen:
            run.append(day)
        elif run:
            newest, oldest = _iso(run[0]), _iso(run[-1])
            parts.append(newest if newest == oldest else f"{oldest} to {newest}")
            run = []
    return ", ".join(parts[:most]) + (", …" if len(parts) > most else "")


def _iso(day: int) -> str:
    return (_FIRST + timedelta(days=day)).isoformat()
