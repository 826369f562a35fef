"""How far back bars of minutes are kept."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple


class KeptDays(NamedTuple):
    """The oldest days whose bars outlast the coming night. `ones`: as one-minute bars. `fives`: as five-minute bars,
    which one-minute bars of older days become.
    """

    ones: date
    fives: date

    @classmethod
    def of(cls, today: date, ones_days: int, fives_days: int) -> KeptDays:
        """Return them for a day in India and the days for which both are kept."""
        fives_days = max(ones_days, fives_days)
        return cls(today - timedelta(days=ones_days - 1), today - timedelta(days=fives_days - 1))

    @property
    def refusal(self) -> str:
        """The reason why a day before `fives` is not fetched."""
        return f"bars of days before {self.fives} are not kept, see LONGER_BARS_DAYS"

    def note(self, first: date) -> str:
        """Return a sentence about bars that are fetched from a day on; "" where all stay one-minute bars."""
        if first >= self.ones:
            return ""
        return f"Bars of days before {self.ones} become five-minute bars at 01:00 in India, see MINUTE_BARS_DAYS."
