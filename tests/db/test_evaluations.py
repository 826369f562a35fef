from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, func, select, update

from ltp.core.criteria.spec import Spec
from ltp.db import evaluations, saved_screens
from ltp.db.engine import open_engine, reading, writing
from ltp.db.evaluations import Evaluation, TopRow
from ltp.db.schema import screenings as table
from ltp.errors import LimitError

BEST = [TopRow("NSE_EQ:1333", "HDFCBANK", 91.5, "READY"), TopRow("NSE_EQ:1", "A", None, "")]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def newest(engine: Engine, kind: str = "swing") -> Evaluation | None:
    with reading(engine) as connection:
        return evaluations.newest_in(connection).get(kind)


def fall_silent(engine: Engine, evaluation_id: int) -> None:
    with writing(engine) as connection:
        long_ago = datetime.now(UTC) - timedelta(seconds=evaluations.SILENT_S + 1)
        connection.execute(update(table).where(table.c.id == evaluation_id).values(beat_at=long_ago))


def test_an_evaluation_from_the_queue_to_the_end(engine: Engine) -> None:
    queued = evaluations.enqueue(engine, "swing", "{}", "nifty100")
    waiting = evaluations.next_queued(engine)
    assert waiting is not None
    assert (waiting.id, waiting.kind, waiting.spec, waiting.universe, waiting.state) == (
        queued,
        "swing",
        "{}",
        "nifty100",
        "queued",
    )
    assert waiting.open
    running = evaluations.claim(engine, queued)
    assert running is not None
    assert (running.state, running.done, running.best) == ("running", 0, ())
    assert evaluations.beat(engine, queued, done=5, total=9, found=2, per_s=3.5, best=BEST)
    seen = newest(engine)
    assert seen is not None
    assert (seen.done, seen.total, seen.found, seen.per_s, seen.best) == (5, 9, 2, 3.5, tuple(BEST))
    assert evaluations.finish(engine, queued, 7)
    done = newest(engine)
    assert done is not None
    assert (done.state, done.run_id, done.open, done.done) == ("done", 7, False, 5)
    assert not evaluations.fail(engine, queued, "too late")
    assert not evaluations.beat(engine, queued, done=6, total=9, found=2, per_s=3.5)
    assert newest(engine) == done


def test_a_kind_has_one_open_evaluation(engine: Engine) -> None:
    first = evaluations.enqueue(engine, "swing")
    assert evaluations.enqueue(engine, "swing") == first
    assert evaluations.enqueue(engine, "longterm") != first
    evaluations.claim(engine, first)
    assert evaluations.enqueue(engine, "swing") == first
    evaluations.finish(engine, first, 1)
    assert evaluations.enqueue(engine, "swing") > first


def test_one_claim_of_many_wins(engine: Engine) -> None:
    queued = evaluations.enqueue(engine, "swing")
    won: list[object] = []
    threads = [
        threading.Thread(target=lambda: won.append(evaluations.claim(engine, queued))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 8
    assert len([each for each in won if each]) == 1
    assert evaluations.claim(engine, queued + 1) is None


def test_the_oldest_waits_first_and_one_runs_at_a_time(engine: Engine) -> None:
    assert evaluations.next_queued(engine) is None
    first, second = evaluations.enqueue(engine, "longterm"), evaluations.enqueue(engine, "swing")
    assert evaluations.next_queued(engine).id == first  # type: ignore[union-attr]
    evaluations.claim(engine, first)
    assert evaluations.next_queued(engine) is None
    evaluations.fail(engine, first, "no candles")
    assert evaluations.next_queued(engine).id == second  # type: ignore[union-attr]


def test_a_running_evaluation_without_a_beat_for_a_minute_fails(engine: Engine) -> None:
    silent, other = evaluations.enqueue(engine, "swing"), evaluations.enqueue(engine, "longterm")
    evaluations.claim(engine, silent)
    fall_silent(engine, silent)
    assert evaluations.next_queued(engine).id == other  # type: ignore[union-attr]
    failed = newest(engine)
    assert failed is not None
    assert (failed.state, failed.message) == ("failed", "given up: no sign of life for 60 s")
    assert not evaluations.beat(engine, silent, done=1, total=2, found=0, per_s=1)
    assert not evaluations.finish(engine, silent, 1)
    assert evaluations.enqueue(engine, "swing") > silent


def test_a_queued_evaluation_without_a_beat_does_not_fail(engine: Engine) -> None:
    queued = evaluations.enqueue(engine, "swing")
    fall_silent(engine, queued)
    assert evaluations.next_queued(engine).id == queued  # type: ignore[union-attr]


def test_an_evaluation_past_the_queue_is_refused_while_one_of_its_kind_runs(engine: Engine) -> None:
    begun = evaluations.begin(engine, "swing", "{}", "all")
    assert begun is not None
    assert evaluations.begin(engine, "swing") is None
    assert evaluations.begin(engine, "longterm") is not None
    fall_silent(engine, begun)
    assert evaluations.begin(engine, "swing") is not None


def test_too_many_open_evaluations_are_refused(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluations, "MAX_OPEN", 3)
    for number in range(3):
        evaluations.enqueue(engine, f"custom-{number}")
    with pytest.raises(LimitError):
        evaluations.enqueue(engine, "custom-3")
    evaluations.enqueue(engine, "custom-2")


def test_a_client_at_its_quota_does_not_block_other_clients(engine: Engine) -> None:
    first = [
        evaluations.enqueue(engine, f"custom-a{number}", client="198.51.100.1")
        for number in range(evaluations.QUOTA)
    ]
    with pytest.raises(
        LimitError, match="The limit of 5 screens of yours that wait to be evaluated is reached"
    ):
        evaluations.enqueue(engine, "custom-a9", client="198.51.100.1")
    assert evaluations.enqueue(engine, "custom-a0", client="198.51.100.1") == first[0]
    evaluations.enqueue(engine, "custom-b", client="198.51.100.2")
    evaluations.enqueue(engine, "custom-c")
    evaluations.claim(engine, first[0])
    evaluations.enqueue(engine, "custom-a9", client="198.51.100.1")


def test_a_full_queue_takes_one_more_of_each_client_without_any(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluations, "MAX_OPEN", 6)
    monkeypatch.setattr(evaluations, "MAX_CLIENTS", 7)
    for number in range(6):
        evaluations.enqueue(engine, f"custom-{number}", client=f"198.51.100.{number % 2}")
    with pytest.raises(LimitError, match="The limit of 6 screens that wait"):
        evaluations.enqueue(engine, "custom-6", client="198.51.100.0")
    evaluations.enqueue(engine, "custom-6", client="198.51.100.9")
    with pytest.raises(LimitError, match="The limit of 7 screens that wait"):
        evaluations.enqueue(engine, "custom-7", client="198.51.100.8")
    evaluations.enqueue(engine, "custom-7")


def test_built_in_and_saved_screens_are_not_kept_out_by_others_and_come_first(engine: Engine) -> None:
    saved = saved_screens.save(engine, "mine", "Mine", Spec(("close > 1",)))
    crowd = [evaluations.enqueue(engine, f"custom-{n}", client=f"198.51.100.{n // 5}") for n in range(50)]
    with pytest.raises(LimitError):
        evaluations.enqueue(engine, "custom-50", client="198.51.100.0")
    own = evaluations.enqueue(engine, saved.kind, client="198.51.100.0")
    swing = evaluations.enqueue(engine, "swing", client="198.51.100.0")
    assert served(engine, 3) == [swing, own, crowd[5]]  # the first of a client that was not served yet


def test_clients_take_turns_among_equals(engine: Engine) -> None:
    a = [evaluations.enqueue(engine, f"custom-a{number}", client="198.51.100.1") for number in range(4)]
    owner = [evaluations.enqueue(engine, f"custom-o{number}") for number in range(2)]
    b = evaluations.enqueue(engine, "custom-b", client="198.51.100.2")
    assert served(engine, 3) == [a[0], owner[0], b]
    late = evaluations.enqueue(engine, "custom-c", client="198.51.100.3")
    assert served(engine, 5) == [late, a[1], owner[1], a[2], a[3]]


def served(engine: Engine, number: int) -> list[int]:
    """Run the next evaluations of the queue to their end and return their ids in order."""
    found = []
    for _ in range(number):
        waiting = evaluations.next_queued(engine)
        assert waiting is not None
        assert evaluations.claim(engine, waiting.id)
        assert evaluations.next_queued(engine) is None
        evaluations.finish(engine, waiting.id, 1)
        found.append(waiting.id)
    return found


def test_the_newest_of_each_kind_are_kept(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluations, "KEPT", 2)
    monkeypatch.setattr(evaluations, "KEPT_IN_ALL", 4)
    first = evaluations.enqueue(engine, "swing")
    for _ in range(5):
        queued = evaluations.enqueue(engine, "swing")
        evaluations.claim(engine, queued)
        evaluations.finish(engine, queued, 1)
    with reading(engine) as connection:
        ids = connection.execute(select(table.c.id)).scalars().all()
    assert ids
    assert first not in ids
    for number in range(6):
        evaluations.fail(engine, evaluations.enqueue(engine, f"custom-{number}"), "x")
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(table)).scalar_one() <= 5
        assert "custom-5" in evaluations.newest_in(connection)


def test_the_version_changes_with_every_change(engine: Engine) -> None:
    marks = []

    def look() -> None:
        with reading(engine) as connection:
            marks.append(evaluations.version_in(connection))

    look()
    queued = evaluations.enqueue(engine, "swing")
    look()
    evaluations.claim(engine, queued)
    look()
    evaluations.beat(engine, queued, done=1, total=2, found=0, per_s=1)
    look()
    evaluations.fail(engine, queued, "x" * 9_000)
    look()
    assert len(set(marks)) == 5
    look()
    assert len(set(marks)) == 5
    failed = newest(engine)
    assert failed is not None
    assert len(failed.message) == 500


def test_an_empty_queue_is_read_without_a_write_lock(engine: Engine) -> None:
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    assert evaluations.next_queued(engine) is None
    assert "BEGIN" in seen, "and not BEGIN IMMEDIATE"
    assert [each for each in seen if each != "BEGIN" and not each.startswith(("SELECT", "PRAGMA busy"))] == []


def test_a_beat_from_before_the_clock_was_set_back_keeps_no_evaluation_open(engine: Engine) -> None:
    queued = evaluations.enqueue(engine, "swing", "{}", "nifty100")
    assert evaluations.claim(engine, queued)
    with writing(engine) as connection:
        ahead = datetime.now(UTC) + timedelta(hours=5, minutes=30)
        connection.execute(update(table).where(table.c.id == queued).values(beat_at=ahead))
    assert evaluations.next_queued(engine) is None
    failed = newest(engine)
    assert failed is not None
    assert failed.state == "failed"
