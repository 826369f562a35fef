from __future__ import annotations

from datetime import date

import pytest

from ltp.batch import unknown_rows
from ltp.batch.unknown_rows import UnknownRows, UnknownSymbol
from ltp.core.history import candle
from ltp.core.history.candle import Candle

FIRST, SECOND = date(2025, 6, 23), date(2025, 6, 24)


def records(*days: date) -> bytes:
    return b"".join(candle.record(Candle(day, 10, 12, 9, 11, 5)) for day in days)


def test_symbols_are_counted_and_named_with_their_days() -> None:
    unknown = UnknownRows()
    unknown.add({"A": records(SECOND), "B": records(FIRST)})
    unknown.add({"A": records(FIRST), "C": b""})
    assert unknown.named() == (UnknownSymbol("A", 2, FIRST, SECOND), UnknownSymbol("B", 1, FIRST, FIRST))
    assert dict(unknown.packed()) == {"A": records(FIRST, SECOND), "B": records(FIRST)}


def test_taken_rows_are_no_longer_unknown() -> None:
    unknown = UnknownRows()
    unknown.add({"A": records(SECOND, FIRST), "B": records(FIRST)})
    assert unknown.take("A") == records(FIRST, SECOND)
    assert unknown.rows == {"B": 1}


def test_rows_beyond_the_bound_are_counted_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unknown_rows, "_MAX_BYTES", candle.RECORD.size)
    unknown = UnknownRows()
    for day in (FIRST, SECOND):
        unknown.add({"A": records(day)})
    unknown.add({"B": records(FIRST)})
    assert unknown.named() == (UnknownSymbol("A", 2, FIRST, FIRST), UnknownSymbol("B", 1, None, None))
    assert unknown.take("A") == records(FIRST)
    assert unknown.rows == {"A": 1, "B": 1}
