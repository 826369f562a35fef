"""Imported days with far fewer shares than the days around them, mostly from a file cut at the end of a line.

Such a file looks whole by itself, so it is imported; only the days around it show that rows are missing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from heapq import nsmallest
from statistics import median
from typing import Final

from ltp.core.counted import counted
from ltp.db.candles import CandleDay

_NEIGHBOURS: Final = 5
_NEAR: Final = timedelta(days=30)  # lists grow over the years; within weeks a day has as many as the next
_LEAST: Final = 100  # shares; a day of fewer comes from histories of single shares
_USUAL: Final = 0.6


def thin_days(sessions: Sequence[CandleDay], imported: Collection[date]) -> list[str]:
    """Return a sentence for each imported day with under 60% of the shares of the five nearest days."""
    full = [each for each in sessions if each.instruments >= _LEAST]
    sentences = []
    for session in (each for each in sessions if each.day in imported):
        near = [each for each in full if each.day != session.day and abs(each.day - session.day) <= _NEAR]
        usual = [
            each.instruments
            for each in nsmallest(_NEIGHBOURS, near, key=lambda each: abs(each.day - session.day))
        ]
        if usual and session.instruments < _USUAL * median(usual):
            sentences.append(
                f"{session.day} has {counted(session.instruments, 'share')}, and the days around it "
                f"{median(usual):,.0f}: {session.source} may have been cut; "
                "import that day again from a whole file."
            )
    return sentences
