"""Evaluations from candles in SQL to a stored run."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ltp.batch import evaluation
from ltp.batch.evaluation import EvaluatedRun, EvaluationProgress, evaluate
from ltp.core.criteria.spec import Spec, from_params, kind_of, text_of
from ltp.core.history.corporate_action import Action
from ltp.core.history.price_history import ema
from ltp.core.instrument import Instrument
from ltp.core.money import SCALE
from ltp.core.screener import Run
from ltp.core.sizing import Sizing
from ltp.db import candles, chart_closes, corporate_actions, instruments, runs, universes
from ltp.db.engine import open_engine, reading, writing
from ltp.errors import DatabaseError, InputError, NotFoundError
from ltp.screen.finding import Finding
from ltp.screen.study import Study
from tests.batch.trading import LAST, NIFTY, open_market, sessions, walk

SIZING = Sizing(1_000_000, 10_000)
ALL = Spec(universe="all")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def stored(engine: Engine, result: EvaluatedRun) -> Run:
    found = runs.fetch_run(engine, result.run_id)
    assert found is not None
    return found


def list_of_runs(engine: Engine) -> object:
    with reading(engine) as connection:
        return runs.heads_in(connection)


def test_two_built_in_screeners_in_one_pass_give_the_rows_of_each_alone(engine: Engine) -> None:
    open_market(engine)
    together = [stored(engine, each) for each in evaluate(engine, ("swing", "longterm"), ALL, sizing=SIZING)]
    assert [(each.kind, each.as_of, each.universe, each.evaluated, each.sample) for each in together] == [
        ("swing", LAST, "all", 12, False), ("longterm", LAST, "all", 12, False),
    ]  # fmt: skip
    for each in together:
        [alone] = evaluate(engine, (each.kind,), ALL, sizing=SIZING)
        assert stored(engine, alone).rows == each.rows
        assert each.spec == text_of(ALL)


def test_rows_are_named_ranked_by_score_and_complete(engine: Engine) -> None:
    open_market(engine)
    [result] = evaluate(engine, ("swing",), ALL, sizing=SIZING)
    rows = stored(engine, result).rows
    assert [row.rank for row in rows] == list(range(1, 13))
    for unready in (False, True):
        scores = [row.score for row in rows if (row.setup == "NOT_READY") is unready]
        assert scores == sorted(scores, reverse=True, key=float)  # type: ignore[arg-type]
    for row in rows:
        number = row.key.partition(":")[2]
        assert (row.symbol, row.name, row.sector) == (f"SHARE{number}", f"Share {number} Limited", "Banks")
        assert row.facts["price"]
        assert len(row.spark) == 60
        assert row.criteria
        assert row.setup


def test_a_run_of_simulated_candles_is_headed_so_and_goes_with_them(engine: Engine) -> None:
    keys = open_market(engine)
    [real] = evaluate(engine, ("swing",), ALL, sizing=SIZING)
    assert (stored(engine, real).sample, stored(engine, real).source) == (False, "daily candles")
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM daily_candles"))
    candles.upsert(
        engine, "adjusted", {key: walk(300, seed) for seed, key in enumerate(keys)}, simulated=True
    )
    [invented] = evaluate(engine, ("swing",), ALL, sizing=SIZING)
    assert (stored(engine, invented).sample, stored(engine, invented).source) == (True, "simulated candles")
    candles.upsert(engine, "raw", {keys[0]: walk(300, 0)})
    assert runs.fetch_run(engine, invented.run_id) is None
    assert runs.fetch_run(engine, real.run_id) is not None


def test_a_run_that_real_candles_overtake_is_not_stored(engine: Engine) -> None:
    keys = open_market(engine)
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM daily_candles"))
    candles.upsert(
        engine, "adjusted", {key: walk(300, seed) for seed, key in enumerate(keys)}, simulated=True
    )

    def imported(_: EvaluationProgress) -> None:
        candles.upsert(engine, "raw", {keys[0]: walk(300, 0)})

    with pytest.raises(
        DatabaseError, match="were replaced by another source's meanwhile; evaluate the screen again"
    ):
        evaluate(engine, ("swing",), ALL, sizing=SIZING, progress=imported)
    with reading(engine) as connection:
        assert runs.heads_in(connection) == {}


def test_the_universe_decides_which_shares_are_evaluated(engine: Engine) -> None:
    keys = open_market(engine)
    [result] = evaluate(engine, ("swing",), Spec(universe="nifty50"), sizing=SIZING)
    assert {row.key for row in stored(engine, result).rows} == set(keys[:5])
    with pytest.raises(NotFoundError, match="no universe called 'nifty900'"):
        evaluate(engine, ("swing",), Spec(universe="nifty900"), sizing=SIZING)


def test_a_look_back_sees_nothing_later(engine: Engine) -> None:
    open_market(engine)
    back = sessions(40)[0]
    [result] = evaluate(engine, ("swing",), ALL, sizing=SIZING, as_of=back)
    assert stored(engine, result).as_of == back
    for key in ("NSE_EQ:1", "NSE_EQ:7"):
        candles.replace(
            engine, "raw", key, [candle for candle in candles.fetch(engine, "raw", key) if candle.day <= back]
        )
    [again] = evaluate(engine, ("swing",), ALL, sizing=SIZING, as_of=back)
    assert stored(engine, again).rows == stored(engine, result).rows


def test_a_custom_screen_lists_shares_that_meet_all_criteria_with_their_margins(engine: Engine) -> None:
    open_market(engine, shares=30)
    spec = from_params([("c", "close > ema50 and rsi14 > 50"), ("c", "trend == up"), ("universe", "all")])
    [result] = evaluate(engine, (kind_of(spec),), spec, sizing=SIZING)
    found = stored(engine, result)
    assert (found.kind, found.spec, found.evaluated) == (kind_of(spec), text_of(spec), 30)
    assert 0 < len(found.rows) < 30
    for row in found.rows:
        close, rsi, trend = row.criteria
        assert (close.name, rsi.name, trend.name) == ("close > ema50", "rsi14 > 50", "trend == up")
        assert close.value == pytest.approx(row.facts["price"])
        assert rsi.margin is not None
        assert rsi.margin > 0
        assert row.facts["trend"] == "up"
        assert row.score is not None
    [whole] = evaluate(engine, ("swing",), ALL, sizing=SIZING)
    up = {
        row.key
        for row in stored(engine, whole).rows
        if row.facts["trend"] == "up" and float(row.facts["rsi"] or 0) > 50
    }
    assert {row.key for row in found.rows} == up


def test_a_custom_screen_that_no_share_meets_is_an_empty_run(engine: Engine) -> None:
    open_market(engine)
    spec = from_params([("c", "close < 0"), ("universe", "all")])
    [result] = evaluate(engine, (kind_of(spec),), spec, sizing=SIZING)
    assert (result.evaluated, result.found, stored(engine, result).rows) == (12, 0, ())


def test_floors_leave_out_cheap_shares_and_those_with_little_turnover(engine: Engine) -> None:
    open_market(engine)
    candles.replace(engine, "raw", "NSE_EQ:1", walk(300, 1, start=5))
    candles.replace(engine, "raw", "NSE_EQ:2", walk(300, 2, volume=10))
    rows = {}
    for spec in (ALL, ALL._replace(min_price=200_000), ALL._replace(min_turnover=10_000_000)):
        [result] = evaluate(engine, ("swing",), spec, sizing=SIZING)
        rows[spec] = {row.key for row in stored(engine, result).rows}
        assert result.evaluated == 12
    assert len(rows[ALL]) == 12
    assert rows[ALL] - rows[ALL._replace(min_price=200_000)] == {"NSE_EQ:1"}
    assert rows[ALL] - rows[ALL._replace(min_turnover=10_000_000)] == {"NSE_EQ:1", "NSE_EQ:2"}


def test_a_share_without_candles_is_left_out_and_one_with_few_is_listed_with_the_reason(
    engine: Engine,
) -> None:
    keys = open_market(engine)
    instruments.seed(engine, [Instrument("NSE_EQ", 99, "YOUNG", "Young", "", 1, 500, "EQ")])
    universes.replace(engine, "all", "All", "test", [*keys, "NSE_EQ:99", "NSE_EQ:98"])
    [result] = evaluate(engine, ("swing",), ALL, sizing=SIZING)
    assert (result.evaluated, result.found) == (12, 12)
    candles.upsert(engine, "raw", {"NSE_EQ:99": walk(20, 5)})
    [result] = evaluate(engine, ("swing",), ALL, sizing=SIZING)
    last = stored(engine, result).rows[-1]
    assert (last.symbol, last.score, last.setup) == ("YOUNG", None, "NOT_READY")
    assert "20 sessions" in last.why


@pytest.mark.parametrize("index", [True, False])
def test_a_share_that_no_longer_trades_is_listed_without_a_plan(engine: Engine, index: bool) -> None:
    keys = open_market(engine)
    candles.replace(engine, "raw", keys[0], walk(280, 0, last=date(2026, 9, 25)))
    if not index:
        candles.replace(engine, "raw", "IDX_I:13", [])
    for result in evaluate(engine, ("swing", "longterm"), ALL, sizing=SIZING):
        rows = stored(engine, result).rows
        assert [(row.key, row.why) for row in rows if row.score is None] == [
            (keys[0], "Not traded for 56 days before the newest session."),
        ]  # fmt: skip
        assert rows[-1].entry is None


def test_a_suspected_split_is_flagged_on_the_row(engine: Engine) -> None:
    open_market(engine)
    corporate_actions.replace_detected(
        engine, ["NSE_EQ:3"], [Action("NSE_EQ:3", sessions(100)[0], 2, 1, "detected")]
    )
    [result] = evaluate(engine, ("swing",), ALL, sizing=SIZING)
    flagged = {
        row.key: row.flags[0]
        for row in stored(engine, result).rows
        if any("suspected" in flag for flag in row.flags)
    }
    assert list(flagged) == ["NSE_EQ:3"]


@pytest.mark.parametrize("as_of", [None, date(2001, 1, 1)])
def test_a_universe_without_candles_is_a_sentence_and_stores_nothing(
    engine: Engine, as_of: date | None
) -> None:
    open_market(engine)
    if as_of is None:
        universes.replace(engine, "all", "All", "test", [])
    with pytest.raises(InputError, match="has daily candles"):
        evaluate(engine, ("swing",), ALL, sizing=SIZING, as_of=as_of)
    assert not list_of_runs(engine)


def damage(engine: Engine, *keys: str) -> None:
    with writing(engine) as connection:
        for key in keys:
            this = {"id": int(key.partition(":")[2]), "segment": key.partition(":")[0]}
            connection.execute(
                text(
                    "UPDATE daily_candles SET packed = substr(packed, 1, length(packed) - 7)"
                    " WHERE security_id = :id AND segment = :segment"
                ),
                this,
            )


def test_a_chart_of_the_same_candles_has_the_averages_of_the_facts(engine: Engine) -> None:
    open_market(engine, count=900)
    corporate_actions.confirm(engine, [Action("NSE_EQ:3", sessions(100)[0], 2, 1, "confirmed")])
    for back in (None, sessions(40)[0]):
        [result] = evaluate(engine, ("swing",), ALL, sizing=SIZING, as_of=back)
        rows = stored(engine, result).rows
        assert len(rows) == 12
        for row in rows:
            drawn = chart_closes.fetch_candles(engine, row.key)
            at = [each.day for each in drawn].index(result.as_of)
            closes = [each.close / SCALE for each in drawn]
            found = (closes[at], ema(closes, 50)[at], ema(closes, 200)[at])
            assert found == pytest.approx(
                [row.facts[name] for name in ("price", "ema50", "ema200")],
                rel=2e-4 if back else 1e-6,  # adjusted candles are rounded to 1/10,000 rupee
                abs=1e-4,
            )


def test_a_damaged_share_is_left_out_and_named_and_costs_the_others_nothing(engine: Engine) -> None:
    keys = open_market(engine)
    whole = {row.key: row for row in stored(engine, evaluate(engine, ("swing",), ALL, sizing=SIZING)[0]).rows}
    damage(engine, keys[2], keys[6])
    for result in evaluate(engine, ("swing", "longterm"), ALL, sizing=SIZING):
        made = stored(engine, result)
        assert (result.evaluated, made.evaluated, len(made.rows)) == (10, 10, 10)
        assert made.notes == result.notes
        assert re.fullmatch(
            r"2 shares left out: SHARE3 \(damaged candles: .+\), SHARE7 \(damaged candles: .+\)", made.notes
        )
        if made.kind == "swing":
            assert all(row._replace(rank=0) == whole[row.key]._replace(rank=0) for row in made.rows)


def test_a_share_that_an_evaluation_fails_on_is_left_out_of_every_list(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    open_market(engine)
    real = evaluation._BUILT_IN["longterm"]

    def failing(study: Study, sizing: Sizing, tick_size: int) -> Finding:
        finding = real(study, sizing, tick_size)
        if seen.append(study) or len(seen) in (4, 9):  # type: ignore[func-returns-value]
            raise ZeroDivisionError("float division by zero")
        return finding

    seen: list[Study] = []
    monkeypatch.setitem(evaluation._BUILT_IN, "longterm", failing)
    lists = [stored(engine, each) for each in evaluate(engine, ("swing", "longterm"), ALL, sizing=SIZING)]
    why = "its evaluation failed with ZeroDivisionError"
    assert {each.notes for each in lists} == {f"2 shares left out: SHARE4 ({why}), SHARE9 ({why})"}
    assert [len(each.rows) for each in lists] == [10, 10]
    [record] = caplog.records
    assert record.getMessage() == "SHARE4 cannot be evaluated and is left out"


def test_many_that_are_left_out_are_named_in_part(engine: Engine) -> None:
    keys = open_market(engine, shares=20)
    damage(engine, *keys[:10])
    [result] = evaluate(engine, ("swing",), ALL, sizing=SIZING)
    assert result.notes.startswith("10 shares left out: SHARE1 (")
    assert result.notes.endswith(" and 2 more")


def test_where_most_shares_are_damaged_the_run_fails_in_one_sentence(engine: Engine) -> None:
    damage(engine, *open_market(engine)[:7])
    with pytest.raises(
        DatabaseError, match=r"Most shares of all cannot be evaluated; 7 shares left out: SHARE1 \(damaged"
    ):
        evaluate(engine, ("swing",), ALL, sizing=SIZING)
    assert not list_of_runs(engine)


@pytest.mark.parametrize("kind", ["swing", "longterm", "custom"])
def test_rows_without_a_plan_rank_after_those_with_one_at_any_score(engine: Engine, kind: str) -> None:
    open_market(engine, shares=40)
    spec = from_params([("c", "close > 0"), ("universe", "all")]) if kind == "custom" else ALL
    [result] = evaluate(engine, (kind_of(spec) if kind == "custom" else kind,), spec, sizing=SIZING)
    rows = stored(engine, result).rows
    unready = [row.setup == "NOT_READY" for row in rows]
    assert unready == sorted(unready)
    first = unready.index(True)
    assert 0 < first < len(rows)
    assert (rows[first].score or 0) > (rows[first - 1].score or 0), "by the score alone it would be before"
    if kind != "longterm":
        assert all(row.entry for row in rows[:first])


@pytest.mark.parametrize(
    ("index", "note"),
    [
        (0, "NIFTY left out, and strength relative to it unknown (no candles of it)"),
        (
            126,
            "NIFTY's candles begin on 2026-05-29, so strength relative to it over 6 and 12 months is unknown",
        ),
        (127, "NIFTY's candles begin on 2026-05-28, so strength relative to it over 12 months is unknown"),
        (252, "NIFTY's candles begin on 2025-12-04, so strength relative to it over 12 months is unknown"),
        (253, ""),
    ],
)
def test_a_missing_or_short_index_is_one_note_of_the_run_and_marks_no_row(
    engine: Engine, index: int, note: str
) -> None:
    open_market(engine)
    candles.replace(engine, "raw", NIFTY, walk(index, 7) if index else [])
    for result in evaluate(engine, ("swing", "longterm"), ALL, sizing=SIZING):
        made = stored(engine, result)
        assert (result.notes, made.notes) == (note, note)
        assert {row.flags for row in made.rows} == {()}


def test_an_index_as_long_as_the_shares_is_no_note(engine: Engine) -> None:
    open_market(engine, count=200)
    [result] = evaluate(engine, ("longterm",), ALL, sizing=SIZING)
    assert result.notes == ""


def test_an_index_that_ended_is_noted_and_hides_no_share_that_ended(engine: Engine) -> None:
    keys = open_market(engine)
    candles.replace(engine, "raw", NIFTY, walk(280, 0, last=date(2026, 11, 12)))
    candles.replace(engine, "raw", keys[0], walk(280, 0, last=date(2026, 11, 12)))
    [result] = evaluate(engine, ("longterm",), ALL, sizing=SIZING)
    assert result.notes == "NIFTY's candles end on 2026-11-12, so strength relative to it is unknown"
    assert stored(engine, result).rows[-1].why == "Not traded for 8 days before the newest session."


def test_a_damaged_index_leaves_strength_unknown(engine: Engine) -> None:
    open_market(engine)
    damage(engine, NIFTY)
    [result] = evaluate(engine, ("longterm",), ALL, sizing=SIZING)
    assert result.notes.startswith("NIFTY left out, and strength relative to it unknown (damaged candles: ")
    rows = stored(engine, result).rows
    assert len(rows) == 12
    assert all(row.facts["rs6m"] is None for row in rows)


def test_progress_is_reported_on_the_way_and_at_the_end(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_market(engine)
    ticking = iter(range(10_000))
    reports: list[EvaluationProgress] = []
    evaluate(
        engine, ("swing",), ALL, sizing=SIZING, progress=reports.append, monotonic=lambda: next(ticking) * 0.2
    )
    assert [each.done for each in reports] == sorted(each.done for each in reports)
    assert len(reports) > 3
    assert (reports[-1].done, reports[-1].total, reports[-1].found) == (12, 12, 12)
    assert reports[-1].per_s > 0
    best = [(row.setup != "NOT_READY", row.score) for row in reports[-1].best]
    assert len(best) == 10
    assert best == sorted(best, reverse=True)


def test_an_exception_of_progress_ends_the_run_and_stores_nothing(engine: Engine) -> None:
    open_market(engine)

    def stop(_: EvaluationProgress) -> None:
        raise InputError("request", "1", "it was given up")

    with pytest.raises(InputError, match="given up"):
        evaluate(engine, ("swing",), ALL, sizing=SIZING, progress=stop)
    assert not list_of_runs(engine)


def test_a_list_is_no_longer_than_a_connection_can_subscribe(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_market(engine)
    [whole] = evaluate(engine, ("swing",), ALL, sizing=SIZING)
    monkeypatch.setattr(evaluation, "MAX_ROWS", 7)
    [result] = evaluate(engine, ("swing",), ALL, sizing=SIZING)
    assert result.found == 7
    assert [row.rank for row in stored(engine, result).rows] == list(range(1, 8))
    assert stored(engine, result).rows == stored(engine, whole).rows[:7], "what is ready is what is kept"


def test_a_watchlist_has_a_row_for_each_member_with_candles(engine: Engine) -> None:
    open_market(engine)
    candles.replace(engine, "raw", "NSE_EQ:1", walk(300, 1, start=5, volume=10))
    universes.replace(engine, "list-my", "My", "test", ["NSE_EQ:2", "NSE_EQ:1", "IDX_I:13", "NSE_FNO:9"])
    [result] = evaluate(engine, ("list-0123",), Spec(universe="list-my"), sizing=SIZING)
    assert {row.key for row in stored(engine, result).rows} == {"NSE_EQ:1", "NSE_EQ:2", "IDX_I:13"}
