"""A study: its cache, its spark line, and its lag behind the index."""

from __future__ import annotations

from collections.abc import Callable

from ltp.screen.history import History
from ltp.screen.study import Study

Make = Callable[..., History]


def test_indicators_and_facts_are_computed_once(walk: Make) -> None:
    study = Study(walk(300))
    assert study.facts is study.facts
    assert study.daily.supertrend is study.daily.supertrend
    assert study.weekly.macd is study.weekly.macd
    assert len(study.weekly) == 60


def test_the_spark_is_the_newest_sixty_closes(closes_history: Make) -> None:
    assert Study(closes_history([n + 0.126 for n in range(1, 101)])).spark == tuple(
        round(n + 0.126, 2) for n in range(41, 101)
    )
    assert Study(closes_history([1.0, 2.0])).spark == (1.0, 2.0)


def test_lag_is_counted_in_days_behind_the_index(walk: Make) -> None:
    index = walk(100)
    share = History(*(each[:95] for each in walk(100)))
    assert Study(share, index).lag_days == 7
    assert Study(index, share).lag_days == 0
    assert Study(share).lag_days == 0
    assert Study(share, None, int(index.days[-1])).lag_days == 7
    assert Study(share, index, int(index.days[-1]) - 30).lag_days == 7
    assert Study(share, index, int(index.days[-1]) + 30).lag_days == 37, "the index ended before the shares"
    assert Study(share, History(*(each[:0] for each in index))).lag_days == 0
