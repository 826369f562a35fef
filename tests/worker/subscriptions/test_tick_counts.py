from __future__ import annotations

from typing import Any

from ltp.worker.subscriptions.tick_counts import TickCounts


def test_packets_are_counted_from_the_first_look_to_the_last_over_a_minute() -> None:
    now, handed_on = [100.0], []
    counts = TickCounts(lambda: now[0])
    on_ticks = counts.beside(lambda ticks: handed_on.append(len(ticks)) or 0.02)

    def come(*keys: str) -> None:
        ticks: Any = [(key,) for key in keys]
        assert on_ticks(ticks) == 0.02

    come("a")
    assert counts.per_min() is None
    come("a", "b", "a")
    now[0] += 2
    assert counts.per_min() is None  # too short for a figure
    come("a")
    now[0] += 4
    assert counts.per_min() == {"a": 30, "b": 10}
    now[0] += 59
    come("b")
    assert counts.per_min() == {"a": 1, "b": 1}  # the first two seconds are older than a minute
    counts.stop()
    come("a")
    assert counts.per_min() is None
    assert handed_on == [1, 3, 1, 1, 1]
