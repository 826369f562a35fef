from __future__ import annotations

from datetime import UTC, datetime

from ltp.core.screener import Run
from ltp.web.table.run_cache import RunCache


def run(id_: int, day: int = 23) -> Run:
    return Run(id_, "swing", datetime(2026, 11, day, tzinfo=UTC), False, "", ())


def test_a_value_is_computed_once_and_the_least_recently_used_is_dropped() -> None:
    made: list[str] = []
    cache = RunCache[str](2)

    def of(id_: int, what: str, day: int = 23) -> str:
        return cache.get_or_compute(run(id_, day), what, lambda: made.append(what) or f"{id_} {what} {day}")

    assert [of(1, "a"), of(1, "a"), of(1, "b"), of(1, "a")] == ["1 a 23", "1 a 23", "1 b 23", "1 a 23"]
    assert made == ["a", "b"]
    assert of(2, "a") == "2 a 23"
    of(1, "a")
    assert made == ["a", "b", "a"], "b was unused longest"


def test_a_run_of_another_database_with_the_same_id_is_another_run() -> None:
    cache = RunCache[int](8)
    assert (
        cache.get_or_compute(run(1, 23), None, lambda: 1),
        cache.get_or_compute(run(1, 24), None, lambda: 2),
    ) == (1, 2)
