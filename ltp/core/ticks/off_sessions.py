"""Trades dated on a day without a session by the calendar: of a drill, or of a session that the calendar
does not know.

Such a price is refused until the calendar has the day: a mock price would stand as the close, and the real
one would be refused as older.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from ltp.core.ticks.tick import Tick
from ltp.core.trading_day import session_of

_KEPT: Final = 8  # days


class OffSessions:
    """May be read from any thread while one adds: the table of days is replaced as a whole.

    Args:
        is_session: returns whether the calendar has a session of a segment on an ISO date.
    """

    def __init__(self, is_session: Callable[[str, str], bool] = lambda _segment, _session: True) -> None:
        self._is_session = is_session
        self._found: Mapping[str, tuple[str, ...]] = {}

    @property
    def found(self) -> dict[str, tuple[str, ...]]:
        """Segments with refused trades by ISO date, without days that have become sessions since."""
        left = {
            day: tuple(segment for segment in segments if not self._is_session(segment, day))
            for day, segments in sorted(self._found.items())
        }
        return {day: segments for day, segments in left.items() if segments}

    def refuses(self, tick: Tick) -> bool:
        """Return whether the trade of this price is dated on a day without a session; note that day."""
        if tick.ltt is None or tick.ltp is None:
            return False
        segment, day = tick.key.partition(":")[0], session_of(tick.ltt)
        if self._is_session(segment, day):
            return False
        segments = self._found.get(day, ())
        if segment not in segments:
            found = {**self._found, day: tuple(sorted((*segments, segment)))}
            self._found = {kept: found[kept] for kept in sorted(found)[-_KEPT:]}
        return True


def lines_to_add(found: Mapping[str, Iterable[str]]) -> str:
    """Return lines for the override file that make those days sessions with ordinary hours."""
    return "\n\n".join(
        "\n".join(
            (
                "[[trading_days]]",
                "segments = [" + ", ".join(f'"{segment}"' for segment in segments) + "]",
                f'days = [{{ date = {day}, name = "Special session" }}]',
            )
        )
        for day, segments in sorted(found.items())
    )
