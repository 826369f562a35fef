"""Comparison of the date in a file's name with the dates of its rows.

A spreadsheet that opens a file and saves it again may write the 7th of August as the 8th of July. It changes
only the rows, so the name still has the true date. A file saved under the name of another day is found too.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from typing import Final

from ltp.errors import InputError

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_YEAR: Final = r"(?P<year>(?:19|20)\d\d)"
_FORMS: Final = tuple(
    re.compile(rf"(?<!\d){form}(?!\d)", re.ASCII | re.IGNORECASE)
    for form in (
        rf"{_YEAR}[-_. ]?(?P<month>\d\d)[-_. ]?(?P<day>\d\d)",
        rf"(?P<day>\d\d)[-_. ]?(?P<month>\d\d)[-_. ]?{_YEAR}",
        rf"(?P<day>\d\d?)[-_. ]?(?P<month>{'|'.join(_MONTHS)})[a-z]*[-_. ]?{_YEAR}",
        rf"{_YEAR}[-_. ]?(?P<month>{'|'.join(_MONTHS)})[a-z]*[-_. ]?(?P<day>\d\d?)",
    )
)
# NSE's names of files with one session. Under any other name with a date the file may be a longer history.
_OF_ONE_DAY: Final = re.compile(
    r"bhavcopy_nse_cm|cm\d\d[a-z]{3}\d{4}bhav|sec_bhavdata|ind_close_all", re.ASCII | re.IGNORECASE
)
_LISTED: Final = 3


def days_in(name: str) -> set[date]:
    """Return the dates in a name, such as 20240807, 07082024, 07AUG2024, 2024-08-07 or 07-08-2024."""
    found = set()
    for form in _FORMS:
        for match in form.finditer(name):
            month = match["month"].upper()
            number = _MONTHS.index(month) + 1 if month in _MONTHS else int(month)
            try:
                found.add(date(int(match["year"]), number, int(match["day"])))
            except ValueError:
                continue  # eight digits that are no date
    return found


def refuse_other_day(name: str, days: Collection[date]) -> None:
    """Raise InputError if a file's name has another date than its rows.

    Args:
        name: of the file; in an archive the archive's and the file's name with a slash between. Without a
            date nothing is compared. The name of an archive, or of a file of many days, counts only if it is
            NSE's name for a file of one session.
        days: of the rows.
    """
    parts = name.split("/")
    for part in parts:
        stated, of_one_day = days_in(part), _OF_ONE_DAY.search(part) is not None
        if not stated or not (of_one_day or (len(days) == 1 and part == parts[-1])):
            continue
        others = sorted(set(days) - stated)
        if others:
            raise InputError(
                name,
                _list(others),
                f"the file's name states {_list(sorted(stated))}; {_advice(others[0], stated)}",
            )


def _advice(day: date, stated: set[date]) -> str:
    if any((day.day, day.month, day.year) == (each.month, each.day, each.year) for each in stated):
        return "a program such as a spreadsheet exchanged day and month in the rows: download the file again"
    return "download the file again, or rename it if its rows are right"


def _list(days: list[date]) -> str:
    more = f" and {len(days) - _LISTED:,} more" if len(days) > _LISTED else ""
    return ", ".join(map(date.isoformat, days[:_LISTED])) + more
