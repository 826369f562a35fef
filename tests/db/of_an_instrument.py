"""What SQL keeps of bars of an instrument beside the bars, for tests of a key that changes its meaning."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from sqlalchemy import Engine

from ltp.core.bars.bar import Bar
from ltp.core.bars.comparison import Comparison, Difference
from ltp.core.bars.coverage import Span
from ltp.db.bars import bar_audits, coverage, worst_minutes
from ltp.db.bars.coverage import Connected, Subscription
from ltp.db.engine import reading, writing
from ltp.db.history import sessions, summary
from ltp.db.history.sessions import Session
from ltp.db.history.summary import MINUTES, Stored

COUNTS, COVERED, REFILLED = Comparison(5), Span(100, 500), 300
_BAR = Bar(1_796_010_300, 10, 12, 9, 11, 100)


def store(engine: Engine, key: str, day: date) -> None:
    """Store an audit, coverage, a refill and a differing minute of one session."""
    bar_audits.add(engine, key, [(day, COUNTS, True)])
    coverage.store(engine, [Connected(1, 100, 900)], [Subscription(key, *COVERED, 1)])
    coverage.note_refill(engine, key, day, REFILLED)
    worst_minutes.keep(engine, key, day, [Difference(_BAR, _BAR, 1, 1)])


def stored(engine: Engine, day: date, keys: Iterable[str]) -> list[str]:
    """Return the keys of `keys` that have all of what `store` stores, after a check that no other key has any."""
    each = {key: coverage.of_instrument(engine, key, 0) for key in keys}
    found = [key for key, spans in each.items() if spans == [COVERED]]
    assert coverage.of_day(engine, 0) == {key: [COVERED] for key in found}
    assert coverage.refills_of_day(engine, day) == dict.fromkeys(found, REFILLED)
    assert {minute.key for minute in worst_minutes.fetch(engine, day)} == set(found)
    return found


def count(engine: Engine, keys: tuple[str, ...]) -> None:
    """Store counts of some bars for each key."""
    day, at = date(2026, 11, 20), datetime(2026, 11, 20, 19, 33, tzinfo=UTC)
    rows = [Stored(key, MINUTES, day, day, 1, 0, 0, "", 9, 9, 0, 0, 0, 99, at) for key in keys]
    with writing(engine) as connection:
        sessions.write(connection, {(key, 20_777): Session(9, 0, 0, 99, 1) for key in keys}, ())
        summary.write_in(connection, rows)


def counted(engine: Engine, keys: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """Return the keys that have counts, by session and by instrument."""
    with reading(engine) as connection:
        return set(sessions.counted_in(connection, keys)), summary.keys_in(connection, MINUTES)
