from __future__ import annotations

from ltp.db.search.turns import WORK_S, Turns


def test_it_pauses_once_enough_has_been_done_and_counts_anew_from_there() -> None:
    now, pauses = [10.0], []

    def sleep(seconds: float) -> None:
        assert seconds > 0
        pauses.append(now[0])
        now[0] += 1.0

    turns = Turns(lambda: now[0], sleep)
    turns()
    now[0] += WORK_S / 2
    turns()
    assert pauses == []
    now[0] += WORK_S
    turns()
    turns()
    assert len(pauses) == 1
    now[0] += 2 * WORK_S
    turns()
    assert len(pauses) == 2
