"""Candles fetched and evaluations requested after a session, or at a start that missed it."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from ltp.core.criteria.spec import BUILT_IN, Spec, kind_of, text_of
from ltp.core.market.session import Calendar
from ltp.core.screener import Row
from ltp.core.watchlists import edits
from ltp.core.watchlists.watchlist import Line
from ltp.core.watchlists.watchlist import kind_of as list_kind
from ltp.db import candles, evaluations, runs, saved_screens, universes
from ltp.db.engine import open_engine, reading
from ltp.db.evaluations import Evaluation
from ltp.db.watchlists import lists, store
from ltp.errors import DatabaseError, NotFoundError
from ltp.worker.after_close import LOOK_EVERY_S, RETRY_S, AfterClose
from tests.batch.trading import note, walk
from tests.worker.fake_command import FakeCommand

FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)
MONDAY_NOON = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)  # 12:00 in India
MONDAY_NIGHT = datetime(2026, 11, 23, 10, 45, tzinfo=UTC)  # 16:15 in India
FETCH = ["candles", "fetch", "--universe", "nifty50"]


class Evening:
    """AfterClose with ten shares in nifty50; the test sets the time, the candles and the lease."""

    def __init__(self, engine: Engine, *, fetches: bool = True, simulated: bool = False) -> None:
        self.engine, self.command, self.now, self.elapsed, self.active = (
            engine,
            FakeCommand(),
            MONDAY_NOON,
            0.0,
            True,
        )
        self.keys = [f"NSE_EQ:{number}" for number in range(1, 11)]
        self.calendar = Calendar.load()
        self.error: Exception | None = None
        universes.replace(engine, "nifty50", "NIFTY 50", "test", self.keys)
        command: Any = self.command
        self.job = AfterClose(
            engine,
            session_on=lambda at: self.calendar.session_date("NSE_EQ", at),
            universe=self.universe,
            fetches=fetches,
            simulated=simulated,
            active=lambda: self.active,
            command=command,
            now=lambda: self.now,
            monotonic=lambda: self.elapsed,
        )

    def universe(self) -> str:
        if self.error:
            raise self.error
        return "nifty50"

    def trade(self, day: date, keys: list[str] | None = None, *, simulated: bool = False) -> None:
        traded = {key: walk(5, 1, last=day) for key in keys or self.keys}
        candles.upsert(self.engine, "adjusted", traded, simulated=simulated)
        note(self.engine, day)

    def look(self) -> None:
        self.elapsed += LOOK_EVERY_S
        self.job()

    def requested(self) -> dict[str, Evaluation]:
        with reading(self.engine) as connection:
            return {kind: each for kind, each in evaluations.newest_in(connection).items() if each.open}

    def evaluated(self, kind: str, day: date) -> None:
        evaluations.fail(self.engine, self.requested()[kind].id, "done elsewhere")
        runs.insert_run(self.engine, kind, [Row("NSE_EQ:1", 1, "A")], sample=False, as_of=day)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def test_an_empty_database_is_filled_then_the_built_in_screeners_are_requested(engine: Engine) -> None:
    evening = Evening(engine)
    assert not evening.job.fetching
    evening.look()
    assert evening.command.started == [FETCH]
    assert evening.job.fetching
    evening.look()
    assert evening.requested() == {}
    evening.trade(FRIDAY)
    evening.command.end = (0, "fetched.")
    evening.job()  # at once: a visitor may be waiting for the first list
    requests = evening.requested()
    assert {kind: (each.spec, each.universe) for kind, each in requests.items()} == {
        "swing": (text_of(BUILT_IN), "nifty50"), "longterm": (text_of(BUILT_IN), "nifty50"),
    }  # fmt: skip
    assert evening.command.started == [FETCH]


def test_candles_are_fetched_when_the_session_has_settled_and_not_before(engine: Engine) -> None:
    evening = Evening(engine)
    evening.trade(FRIDAY)
    evening.look()
    evening.now = MONDAY_NIGHT - timedelta(seconds=1)
    evening.look()
    assert evening.command.started == []
    evening.now = MONDAY_NIGHT
    evening.look()
    assert evening.command.started == [FETCH]


def test_each_session_is_evaluated_once(engine: Engine) -> None:
    evening = Evening(engine)
    evening.trade(FRIDAY)
    evening.look()
    for kind in ("swing", "longterm"):
        evening.evaluated(kind, FRIDAY)
    evening.look()
    assert evening.requested() == {}
    evening.trade(MONDAY)
    evening.look()
    assert set(evening.requested()) == {"swing", "longterm"}


def test_a_screen_that_fails_is_not_requested_again_until_there_are_new_candles(engine: Engine) -> None:
    evening = Evening(engine)
    evening.trade(FRIDAY)
    evening.look()
    evaluations.fail(engine, evening.requested()["swing"].id, "x")
    evening.look()
    assert set(evening.requested()) == {"longterm"}
    evening.trade(MONDAY)
    evening.look()
    assert set(evening.requested()) == {"longterm", "swing"}


def test_results_that_were_imported_are_followed_by_computed_ones(engine: Engine) -> None:
    evening = Evening(engine)
    runs.insert_run(engine, "swing", [Row("NSE_EQ:1", 1, "A")], sample=False)
    evening.trade(FRIDAY)
    evening.look()
    assert "swing" in evening.requested()


def test_saved_screens_are_evaluated_too_as_far_as_there_is_room(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = [Spec((f"close > {number}",), "all") for number in range(1, 4)]
    for number, spec in enumerate(specs):
        saved_screens.save(engine, f"s{number}", f"S{number}", spec)
    monkeypatch.setattr(evaluations, "MAX_OPEN", 4)
    evening = Evening(engine)
    evening.trade(FRIDAY)
    evening.look()
    requests = evening.requested()
    assert set(requests) == {"swing", "longterm", kind_of(specs[0]), kind_of(specs[1])}
    assert (requests[kind_of(specs[0])].spec, requests[kind_of(specs[0])].universe) == (
        text_of(specs[0]),
        "all",
    )
    evening.evaluated("swing", FRIDAY)
    evening.look()
    assert set(evening.requested()) == {"longterm", *map(kind_of, specs)}


def test_a_few_shares_without_a_candle_are_no_reason_to_fetch(engine: Engine) -> None:
    evening = Evening(engine)
    evening.trade(FRIDAY, evening.keys[:5])
    evening.look()
    assert evening.command.started == []
    assert set(evening.requested()) == {"swing", "longterm"}


def test_most_shares_without_a_candle_are_fetched_though_the_day_is_noted(engine: Engine) -> None:
    evening = Evening(engine)
    evening.trade(FRIDAY, evening.keys[:4])
    evening.look()
    assert evening.command.started == [FETCH]
    assert evening.requested() == {}


def test_a_fetch_that_failed_or_found_nothing_is_tried_again_later(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    evening = Evening(engine)
    evening.look()
    evening.command.end = (1, "Not fetched: the token has expired")
    evening.look()
    assert "the token has expired" in caplog.text
    evening.elapsed = RETRY_S - LOOK_EVERY_S
    evening.look()
    assert len(evening.command.started) == 1
    evening.look()
    assert len(evening.command.started) == 2


def test_without_a_feed_candles_are_imported_by_hand_and_evaluated(engine: Engine) -> None:
    evening = Evening(engine, fetches=False)
    evening.look()
    assert (evening.command.started, evening.requested()) == ([], {})
    evening.trade(FRIDAY, evening.keys[:1])
    evening.look()
    assert evening.command.started == []
    assert set(evening.requested()) == {"swing", "longterm"}


def test_the_simulated_exchange_fills_an_empty_database_and_its_own(engine: Engine) -> None:
    evening = Evening(engine, simulated=True)
    evening.look()
    assert evening.command.started == [FETCH]
    evening.trade(FRIDAY, simulated=True)
    evening.command.end = (0, "fetched.")
    evening.job()
    assert set(evening.requested()) == {"swing", "longterm"}
    evening.now, evening.elapsed = MONDAY_NIGHT, RETRY_S
    evening.look()
    assert evening.command.started == [FETCH, FETCH]


def test_simulated_candles_are_not_fetched_beside_real_ones(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    evening = Evening(engine, simulated=True)
    evening.trade(FRIDAY, evening.keys[:1])
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            evening.look()
    assert evening.command.started == []
    assert [each.getMessage() for each in caplog.records] == [
        "No simulated candles are fetched: the database holds real ones, which screens go on with"
    ]
    assert set(evening.requested()) == {"swing", "longterm"}


def test_real_candles_are_fetched_at_once_in_place_of_simulated_ones(engine: Engine) -> None:
    evening = Evening(engine)
    evening.trade(FRIDAY, simulated=True)
    evening.look()
    assert (evening.command.started, evening.requested()) == ([FETCH], {})


def test_without_a_feed_nothing_is_made_of_simulated_candles(engine: Engine) -> None:
    evening = Evening(engine, fetches=False)
    evening.trade(FRIDAY, simulated=True)
    evening.look()
    assert (evening.command.started, evening.requested()) == ([], {})


def test_screens_are_requested_again_when_real_candles_came_for_the_same_session(engine: Engine) -> None:
    evening = Evening(engine, simulated=True)
    evening.trade(FRIDAY, simulated=True)
    evening.look()
    for each in evening.requested().values():
        evaluations.fail(engine, each.id, "x")
    evening.look()
    assert evening.requested() == {}
    evening.trade(FRIDAY)
    evening.look()
    assert set(evening.requested()) == {"swing", "longterm"}


def test_a_worker_that_stands_by_does_nothing(engine: Engine) -> None:
    evening = Evening(engine)
    evening.active = False
    evening.trade(FRIDAY)
    evening.look()
    assert (evening.command.started, evening.requested()) == ([], {})


@pytest.mark.parametrize("error", [NotFoundError("universe", "nifty50"), DatabaseError("locked")])
def test_a_missing_universe_or_database_is_waited_for(
    engine: Engine, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    evening = Evening(engine)
    evening.error = error
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            evening.look()
    assert len(caplog.records) == 1
    evening.error = None
    evening.elapsed += 60
    evening.look()
    assert evening.command.started == [FETCH]


def test_a_command_that_cannot_be_started_is_logged(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    evening = Evening(engine)
    evening.command.refuses = True
    evening.look()
    assert "The candles cannot be fetched: Cannot allocate memory" in caplog.text


def test_its_command_ends_with_it(engine: Engine) -> None:
    evening = Evening(engine)
    evening.job.stop()
    assert evening.command.stopped


def test_a_watchlist_is_evaluated_after_each_session_and_each_change_of_its_members(engine: Engine) -> None:
    evening = Evening(engine)
    made = lists.create(engine, "My", [Line("NSE_EQ:1")], source="test")
    lists.create(engine, "Empty", source="test")
    kind = list_kind(made.slug)
    evening.trade(FRIDAY)
    evening.look()
    request = evening.requested()[kind]
    assert (request.spec, request.universe) == ("", "list-my")
    assert len(evening.requested()) == 3  # with the built-in ones; an empty list has nothing to evaluate
    store.change(engine, "my", edits.add(["NSE_EQ:2"]), "test")
    evening.look()
    assert evening.requested()[kind].id == request.id
    # Its members were read before the change, though it has ended after it.
    runs_took = {"took_s": 600.0, "as_of": FRIDAY}
    evaluations.fail(engine, request.id, "done elsewhere")
    runs.insert_run(engine, kind, [Row("NSE_EQ:1", 1, "A")], sample=False, **runs_took)
    evening.look()
    second = evening.requested()[kind]
    assert second.id != request.id
    store.change(engine, "my", edits.move("NSE_EQ:2", "top"), "test")
    evaluations.fail(engine, second.id, "it cannot be evaluated")
    evening.look()
    assert kind not in evening.requested()  # neither a move nor a failure is a reason
    evening.trade(MONDAY)
    evening.look()
    assert kind in evening.requested()
