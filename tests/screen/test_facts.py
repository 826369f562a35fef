"""The facts of the newest session: names as in the table, numbers computed by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from statistics import median, stdev

import numpy as np
import pytest

from ltp.core.criteria.facts import FACT, FACTS
from ltp.screen.history import History, weekly
from ltp.screen.study import Study

Make = Callable[..., History]
WORDS = {"trend", "weekly_trend", "supertrend_side", "weekly_supertrend_side"}


def upto(history: History, sessions: int) -> History:
    return History(*(each[:sessions] for each in history))


def test_the_names_are_those_of_the_table(walk: Make) -> None:
    assert set(Study(walk(300)).facts) == {fact.name for fact in FACTS} == set(FACT)


def test_the_page_on_strategies_names_every_fact() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "strategies.md").read_text(encoding="utf-8")
    assert [name for name in FACT if f"`{name}`" not in page] == []
    assert len(FACTS) == len(FACT)


def test_in_a_long_history_only_facts_of_the_index_are_unknown(walk: Make) -> None:
    history = walk(500)
    unknown = {name for name, value in Study(history).facts.items() if value is None}
    assert unknown == {"rs6m", "rs12m"}
    facts = Study(history, walk(500, seed=8)).facts
    for name, value in facts.items():
        assert isinstance(value, str if name in WORDS else float), name


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("change_pct", 2),
        ("gap_pct", 2),
        ("rsi", 15),
        ("atr_pct", 15),
        ("di_diff", 15),
        ("supertrend_side", 11),
        ("adx", 28),
        ("macd_hist_pct", 34),
        ("ema20_over_ema50", 50),
        ("ema50_over_ema200", 200),
        ("dist_sma200", 200),
        ("trend", 200),
        ("days_in_trend", 200),
        ("slope_sma200", 221),
        ("turnover", 20),
        ("relvol", 21),
        ("updown_volume", 21),
        ("bb_pct", 20),
        ("high20", 21),
        ("high55", 56),
        ("low10", 10),
        ("ret1m", 22),
        ("ret12m", 253),
        ("high52", 252),
        ("pct_from_low52", 252),
        ("drawdown_pct", 252),
        ("volatility", 253),
        ("rs6m", 127),
        ("rs12m", 253),
        ("weekly_rsi", 15 * 5 - 4),  # the first day of the 15th week
        ("weekly_adx", 28 * 5 - 4),
        ("weekly_trend", 50 * 5 - 4),
    ],
)
def test_a_fact_is_unknown_one_session_before_its_warm_up_is_over(walk: Make, name: str, first: int) -> None:
    history, index = walk(260), walk(260, seed=8)
    assert Study(upto(history, first - 1), index).facts[name] is None
    assert Study(upto(history, first), index).facts[name] is not None


def test_no_history_is_no_fact(walk: Make) -> None:
    assert set(Study(upto(walk(5), 0)).facts.values()) == {None}


def test_prices_and_volumes_by_hand(closes_history: Make) -> None:
    closes = [100.0] * 10 + [100.0, 110.0] * 5 + [108.0]
    history = closes_history(closes)
    volume = np.array([1_000.0] * 20 + [3_000.0])
    facts = Study(history._replace(volume=volume, open=np.append(history.open[:-1], 115.5))).facts
    assert facts["price"] == 108
    assert facts["change_pct"] == pytest.approx(100 * (108 / 110 - 1), abs=1e-4)
    assert facts["gap_pct"] == pytest.approx(5)
    assert facts["volume"] == 3_000
    assert facts["relvol"] == 3
    # Five rises of 1,000 shares; four falls of 1,000 and the newest of 3,000.
    assert facts["updown_volume"] == pytest.approx(5_000 / 7_000, abs=1e-4)
    assert facts["turnover"] == median(
        [close * traded for close, traded in zip(closes[-20:], volume[-20:], strict=True)]
    )


def test_distances_by_hand(closes_history: Make) -> None:
    closes = [100.0] * 199 + [103.0]
    facts = Study(closes_history(closes)).facts
    ema20, ema200 = (
        100 + 3 * 2 / 21,
        100 + 3 / 200,
    )  # the 200th candle is the seed of the EMA 200: the plain average
    assert facts["ema20"] == pytest.approx(ema20, abs=1e-4)
    assert facts["ema200"] == facts["sma200"] == pytest.approx(ema200, abs=1e-4)
    assert facts["dist_ema20"] == pytest.approx(100 * (103 / ema20 - 1), abs=1e-4)
    # Ranges of 2.02 (101 less 99) and 103 × 1.01 − 99 = 5.03.
    atr = (13 * 2 + 5.03) / 14
    assert facts["atr"] == pytest.approx(atr, abs=1e-4)
    assert facts["ext_ema20"] == pytest.approx((103 - ema20) / atr, abs=1e-4)
    assert facts["trend"] == "up"
    assert facts["days_in_trend"] == 1


def test_the_year_by_hand(closes_history: Make) -> None:
    closes = [50.0] * 48 + [100.0 + n / 10 for n in range(200)] + [90.0] * 51 + [96.0]
    history = closes_history(closes)
    facts = Study(history).facts
    highest = 119.9
    assert facts["high52"] == pytest.approx(highest * 1.01, abs=1e-4)
    assert facts["low52"] == pytest.approx(
        49.5
    )  # 252 sessions back is the first one at 100, which opened at 50
    assert facts["pct_from_high52"] == pytest.approx(100 * (1 - 96 / (highest * 1.01)), abs=1e-4)
    assert facts["pct_from_low52"] == pytest.approx(100 * (96 / 49.5 - 1), abs=1e-4)
    assert facts["drawdown_pct"] == pytest.approx(100 * (1 - 96 / highest), abs=1e-4)
    assert facts["max_drawdown_pct"] == pytest.approx(100 * (1 - 90 / highest), abs=1e-4)
    assert facts["ret1m"] == pytest.approx(100 * (96 / 90 - 1), abs=1e-4)
    assert facts["ret12m"] == pytest.approx(100 * (96 / 50 - 1), abs=1e-4)
    logs = [math.log(after / before) for before, after in zip(closes[-253:], closes[-252:], strict=False)]
    assert facts["volatility"] == pytest.approx(100 * stdev(logs) * math.sqrt(252), abs=1e-4)


def test_a_breakout_has_to_pass_the_highs_before_today(closes_history: Make) -> None:
    facts = Study(closes_history([100.0] * 40 + [120.0] + [100.0] * 30 + [130.0])).facts
    assert facts["high20"] == pytest.approx(101)
    assert facts["high55"] == pytest.approx(121.2)
    assert facts["low10"] == pytest.approx(99)


def test_relative_strength_compares_the_same_days(closes_history: Make) -> None:
    share, index = closes_history([100.0] * 200 + [120.0]), closes_history([20_000.0] * 200 + [22_000.0])
    assert Study(share, index).facts["rs6m"] == pytest.approx(100 * (1.2 / 1.1 - 1), abs=1e-4)
    assert Study(share, index).facts["rs12m"] is None
    missed = History(
        *(np.delete(each, 200 - 126) for each in index)
    )  # the index lacks that session: the one before counts
    assert Study(share, missed).facts["rs6m"] == pytest.approx(100 * (1.2 / 1.1 - 1), abs=1e-4)
    assert Study(share, upto(index, 100)).facts["rs6m"] is None
    assert Study(share, upto(index, 0)).facts["rs6m"] is None


def test_a_down_trend_is_shown_as_text(closes_history: Make) -> None:
    facts = Study(closes_history([300.0 - n * 0.5 for n in range(300)])).facts
    assert (facts["trend"], facts["weekly_trend"], facts["supertrend_side"]) == ("down", "down", "down")
    assert facts["days_in_trend"] == 101  # since the EMA 200 is known
    assert isinstance(facts["dist_supertrend"], float)
    assert facts["dist_supertrend"] < 0


def test_weekly_facts_are_the_daily_ones_of_weekly_candles(walk: Make) -> None:
    history = walk(500)
    facts, weeks = Study(history).facts, Study(weekly(history)).facts
    for name in (
        "rsi",
        "adx",
        "atr",
        "macd_hist",
        "dist_ema20",
        "supertrend",
        "supertrend_side",
        "ema20_over_ema50",
    ):
        assert facts[f"weekly_{name}"] == weeks[name]


def test_a_share_that_never_moves_has_no_momentum(closes_history: Make) -> None:
    facts = Study(closes_history([10.0] * 300, swing=0, volume=0)).facts
    assert [facts[name] for name in ("rsi", "relvol", "updown_volume", "bb_pct", "ext_ema20")] == [None] * 5
    assert (facts["volatility"], facts["atr"], facts["turnover"]) == (0, 0, 0)
