"""Days, weeks and months over HTTP, from the daily candles of one share."""

from __future__ import annotations

import sqlite3
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from ltp.core.history.candle import Candle
from ltp.core.history.corporate_action import Action
from ltp.db import candles, corporate_actions
from ltp.db.engine import writing

URL = "/api/v1/candles"
HDFC, TCS = "NSE_EQ:1333", "NSE_EQ:11536"
# Monday 16 to Thursday 26 November 2026; Tuesday 24 is a holiday. Friday 27 is not stored.
DAYS = [16, 17, 18, 19, 20, 23, 25, 26]


def series(price: int) -> list[Candle]:
    return [
        Candle(date(2026, 11, day), price + day, price + day + 50_000, price - day, price + 1, day)
        for day in DAYS
    ]


@pytest.fixture
def stored(site: Any) -> Any:
    october = Candle(date(2026, 10, 30), 900_0000, 910_0000, 890_0000, 905_0000, 1_000)
    candles.upsert(site.engine, "raw", {HDFC: [october, *series(1_000_0000)]})
    return site


def asked(site: Any, timeframe: str, **query: Any) -> Any:
    given = {"key": HDFC, "timeframe": timeframe} | query
    response = site.client.get(URL, query_string=given)
    assert response.status_code == 200, response.text
    assert response.headers["Cache-Control"] == "no-store"
    return response.get_json()


def starts(document: Any) -> list[str]:
    return [bar["start"].removesuffix("T00:00:00+05:30") for bar in document["bars"]]


def test_a_day_is_the_candle_of_the_exchange(stored: Any) -> None:
    assert asked(stored, "1d", limit=1, to="2026-11-26") == {
        "key": HDFC,
        "timeframe": "1d",
        "adjusted": False,
        "bars": [
            {
                "start": "2026-11-26T00:00:00+05:30",
                "open": 1000.0026,
                "high": 1005.0026,
                "low": 999.9974,
                "close": 1000.0001,
                "volume": 26,
                "oi": None,
                "source": "official",
                "marks": [],
                "forming": False,
                "session": None,
            }
        ],
        "next": None,
    }
    assert starts(asked(stored, "1d"))[0] == "2026-10-30"
    assert len(asked(stored, "1d")["bars"]) == 9


def test_a_week_begins_on_monday_and_is_partial_until_its_last_session_is_stored(stored: Any) -> None:
    before, newest = asked(stored, "1w", limit=2)["bars"]
    assert before == {
        "start": "2026-11-16T00:00:00+05:30",
        "open": 1000.0016,
        "high": 1005.002,
        "low": 999.998,
        "close": 1000.0001,
        "volume": 90,
        "oi": None,
        "source": "official",
        "marks": [],
        "forming": False,
        "session": None,
    }
    assert (newest["start"], newest["volume"], newest["marks"]) == (
        "2026-11-23T00:00:00+05:30",
        74,
        ["partial"],
    )
    friday = Candle(date(2026, 11, 27), *[1_000_0000] * 4, 27)
    candles.upsert(stored.engine, "raw", {HDFC: [friday]})
    [newest] = asked(stored, "1w", limit=1)["bars"]
    assert (newest["volume"], newest["close"], newest["marks"]) == (101, 1000.0, [])


def test_a_month_is_partial_until_its_last_session_is_stored(stored: Any) -> None:
    october, november = asked(stored, "1M")["bars"]
    assert (october["start"], october["close"], october["marks"]) == ("2026-10-01T00:00:00+05:30", 905.0, [])
    assert (november["open"], november["volume"], november["marks"]) == (1000.0016, 164, ["partial"])
    monday = Candle(date(2026, 11, 30), *[1_000_0000] * 4, 30)
    candles.upsert(stored.engine, "raw", {HDFC: [monday]})
    assert asked(stored, "1M", limit=1)["bars"][0]["marks"] == []


def test_pages_follow_each_other(stored: Any) -> None:
    first = asked(stored, "1d", limit=2, **{"from": "2026-11-17", "to": "2026-11-20"})
    assert (starts(first), first["next"]) == (["2026-11-17", "2026-11-18"], "2026-11-19T00:00:00+05:30")
    rest = asked(stored, "1d", limit=2, **{"from": first["next"], "to": "2026-11-20"})
    assert (starts(rest), rest["next"]) == (["2026-11-19", "2026-11-20"], None)
    weeks = asked(stored, "1w", limit=2, **{"from": "2026-10-01"})
    assert (starts(weeks), weeks["next"]) == (["2026-10-26", "2026-11-16"], "2026-11-23T00:00:00+05:30")
    assert starts(asked(stored, "1w", limit=2, **{"from": weeks["next"]})) == ["2026-11-23"]


def test_bars_are_those_that_start_within_from_and_to(stored: Any) -> None:
    assert starts(asked(stored, "1d", **{"from": "2026-11-25T00:00:01+05:30"})) == ["2026-11-26"]
    assert starts(asked(stored, "1d", to="2026-11-20T00:00:00+05:30", limit=1)) == ["2026-11-19"]
    assert starts(asked(stored, "1w", **{"from": "2026-11-17"})) == ["2026-11-23"]
    week = asked(stored, "1w", **{"from": "2026-11-16", "to": "2026-11-17"})
    assert (starts(week), week["bars"][0]["volume"]) == (["2026-11-16"], 90)
    assert starts(asked(stored, "1M", **{"from": "2026-10-02"})) == ["2026-11-01"]
    assert starts(asked(stored, "1M", to="2026-10-31", limit=3)) == ["2026-10-01"]
    assert asked(stored, "1d", **{"from": "2025-01-01", "to": "2025-02-01"})["bars"] == []


def test_the_answer_says_its_basis(stored: Any) -> None:
    candles.upsert(stored.engine, "adjusted", {HDFC: series(500_0000), TCS: series(300_0000)})

    def basis(key: str, **query: Any) -> tuple[bool, str, float]:
        document = asked(stored, "1d", key=key, limit=1, **query)
        return document["adjusted"], document["bars"][0]["source"], document["bars"][0]["close"]

    # Raw has a candle more, so it is the longer history.
    assert basis(HDFC) == (False, "official", 1000.0001)
    assert basis(HDFC, adjusted="1") == (True, "official", 1000.0001)
    older = Candle(date(2026, 9, 1), *[500_0000] * 4, 1)
    earlier = Candle(date(2026, 9, 2), *[500_0000] * 4, 1)
    candles.upsert(stored.engine, "adjusted", {HDFC: [older, earlier]})
    assert basis(HDFC, adjusted="0") == (False, "official", 1000.0001)
    assert basis(HDFC, adjusted="1") == (True, "broker", 500.0001)
    assert basis(TCS) == (True, "broker", 300.0001)


def test_candles_before_a_split_are_adjusted_if_asked_for(stored: Any) -> None:
    corporate_actions.confirm(stored.engine, [Action(HDFC, date(2026, 11, 26), 2, 1, "confirmed")])
    [day] = asked(stored, "1d", to="2026-11-25", limit=1)["bars"]
    assert (day["high"], day["volume"]) == (1005.0025, 25)
    [day] = asked(stored, "1d", to="2026-11-25", limit=1, adjusted="1")["bars"]
    assert (day["high"], day["volume"]) == (502.5012, 50)


def test_the_same_as_columns_and_as_csv(stored: Any) -> None:
    columns = asked(stored, "1M", form="columns")["bars"]
    assert (columns["volume"], columns["marks"]) == ([1000, 164], [[], ["partial"]])
    response = stored.client.get(
        f"{URL}.csv", query_string={"key": HDFC, "timeframe": "1M", "to": "2026-10-31"}
    )
    assert response.text.splitlines() == [
        "start,open,high,low,close,volume,oi,source,marks,forming,session",
        "2026-10-01T00:00:00+05:30,900.0,910.0,890.0,905.0,1000,,official,,False,",
    ]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (
            {"timeframe": "1h"},
            "timeframe: '1h' is not accepted; it is one of "
            "1m, 3m, 5m, 10m, 15m, 25m, 30m, 60m, 75m, 125m, 1d, 1w, 1M",
        ),
        (
            {"timeframe": "5m", "adjusted": "1"},
            "adjusted: '1' is not accepted; it is for 1d, 1w, 1M: shorter bars are as traded",
        ),
        ({"timeframe": "1d", "adjusted": "yes"}, "adjusted: 'yes' is not accepted; it is one of 0, 1"),
    ],
)
def test_a_bad_value_is_refused_in_one_sentence(stored: Any, query: dict[str, str], sentence: str) -> None:
    response = stored.client.get(URL, query_string={"key": HDFC} | query)
    assert (response.status_code, response.get_json()["detail"]) == (400, sentence)


@pytest.mark.parametrize("timeframe", ["5m", "1d", "1w", "1M"])
@pytest.mark.parametrize(
    ("query", "bars"),
    [
        ({"to": "0001-01-01"}, 0),
        ({"to": "0001-01-01T00:00:00+14:00"}, 0),
        ({"from": "9999-12-31T23:59:00-14:00", "to": "9999-12-31T23:59:30-14:00"}, 0),
        ({"from": "0001-01-01", "to": "9999-12-30"}, 1),
        ({"to": "9999-12-30"}, 1),
    ],
)
def test_days_out_of_all_reason_are_answered(
    stored: Any, timeframe: str, query: dict[str, str], bars: int
) -> None:
    document = asked(stored, timeframe, limit=1, **query)
    assert len(document["bars"]) == (0 if timeframe == "5m" else bars)


def test_a_locked_database_and_damaged_candles_are_503(stored: Any) -> None:
    query = {"key": HDFC, "timeframe": "1w"}
    other = sqlite3.connect(str(stored.engine.url.database), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert stored.client.get(URL, query_string=query).status_code == 503
    other.close()
    assert stored.client.get(URL, query_string=query).status_code == 200
    with writing(stored.engine) as connection:
        connection.execute(text("UPDATE daily_candles SET packed = substr(packed, 3)"))
    assert stored.client.get(URL, query_string=query).status_code == 503
