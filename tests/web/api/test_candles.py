"""Bars over HTTP: two sessions of one share in SQL, asked for in every way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from ltp.core.bars.bar import BROKER, PARTIAL, Bar
from ltp.core.market.session import Calendar, TradingWindow
from ltp.core.trading_day import IST, day_start
from ltp.db import minute_bars
from ltp.errors import DatabaseError
from ltp.web import bars
from ltp.web.api import candles
from ltp.web.services import EXTENSION

URL = "/api/v1/candles"
HDFC = "NSE_EQ:1333"


def opened(back: int) -> datetime:
    """Return 09:15 of a day before today."""
    day = datetime.now(IST).replace(hour=9, minute=15, second=0, microsecond=0)
    return day - timedelta(days=back)


YESTERDAY, BEFORE = int(opened(1).timestamp()), int(opened(2).timestamp())


def minutes(start: int, count: int, price: int = 1_650_0000) -> list[Bar]:
    return [
        Bar(start + n * 60, price + n * 1000, price + n * 1000 + 500, price, price + n * 1000, 100 + n)
        for n in range(count)
    ]


@pytest.fixture
def stored(site: Any) -> Any:
    bars = minutes(BEFORE, 5) + minutes(YESTERDAY, 12, 1_700_0000)
    bars[-1] = bars[-1]._replace(oi=55, marks=PARTIAL, sources=BROKER)
    minute_bars.upsert(site.engine, {HDFC: bars})
    every_day = replace(site.app.extensions[EXTENSION], calendar=Calendar.always_open)
    site.app.extensions[EXTENSION] = every_day
    return site


def asked(site: Any, **query: Any) -> Any:
    response = site.client.get(URL, query_string={"key": HDFC} | query)
    assert response.status_code == 200, response.text
    assert response.headers["Cache-Control"] == "no-store"
    return response.get_json()


def at(start: int) -> str:
    return datetime.fromtimestamp(start, IST).isoformat()


def starts(document: Any) -> list[str]:
    return [bar["start"] for bar in document["bars"]]


def test_the_newest_bars_come_oldest_first(stored: Any) -> None:
    document = asked(stored, limit=2)
    assert document == {
        "key": HDFC,
        "timeframe": "1m",
        "bars": [
            {
                "start": at(YESTERDAY + 600),
                "open": 1701.0,
                "high": 1701.05,
                "low": 1700.0,
                "close": 1701.0,
                "volume": 110,
                "oi": None,
                "source": "live",
                "marks": [],
                "forming": False,
                "session": "continuous",
            },
            {
                "start": at(YESTERDAY + 660),
                "open": 1701.1,
                "high": 1701.15,
                "low": 1700.0,
                "close": 1701.1,
                "volume": 111,
                "oi": 55,
                "source": "broker",
                "marks": ["partial"],
                "forming": False,
                "session": "continuous",
            },
        ],
        "next": None,
    }
    assert len(asked(stored)["bars"]) == 17


def test_minutes_roll_up_and_keep_source_and_marks(stored: Any) -> None:
    bars = asked(stored, timeframe="5m")["bars"]
    assert [(bar["volume"], bar["source"], bar["marks"]) for bar in bars] == [
        (510, "live", []),
        (510, "live", []),
        (535, "live", []),
        (221, "mixed", ["partial"]),
    ]


def test_from_pages_forward_without_a_gap_or_a_repetition(stored: Any) -> None:
    first = asked(stored, **{"from": at(BEFORE), "limit": 10})
    assert (starts(first)[0], len(first["bars"]), first["next"]) == (at(BEFORE), 10, at(YESTERDAY + 300))
    rest = asked(stored, **{"from": first["next"], "limit": 10})
    assert starts(first) + starts(rest) == starts(asked(stored))
    assert rest["next"] is None


def test_days_are_whole_days_in_india(stored: Any) -> None:
    day = at(BEFORE)[:10]
    assert starts(asked(stored, **{"from": day, "to": day})) == [at(BEFORE + n * 60) for n in range(5)]
    assert starts(asked(stored, to=day, limit=1)) == [at(BEFORE + 240)]
    assert starts(asked(stored, to=at(YESTERDAY + 60), limit=1)) == [at(YESTERDAY)]


def test_the_same_as_columns_and_as_csv(stored: Any) -> None:
    columns = asked(stored, form="columns", limit=2)["bars"]
    assert (columns["start"], columns["volume"]) == ([at(YESTERDAY + 600), at(YESTERDAY + 660)], [110, 111])
    response = stored.client.get(f"{URL}.csv", query_string={"key": HDFC, "limit": 1})
    assert response.content_type == "text/csv; charset=utf-8"
    assert response.text.splitlines() == [
        "start,open,high,low,close,volume,oi,source,marks,forming,session",
        f"{at(YESTERDAY + 660)},1701.1,1701.15,1700.0,1701.1,111,55,broker,partial,False,continuous",
    ]


def test_an_instrument_without_bars_has_none(stored: Any) -> None:
    assert asked(stored, key="NSE_EQ:11536")["bars"] == []
    assert asked(stored, **{"from": "2016-01-01", "to": "2016-02-01"})["bars"] == []


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ({}, 400, "key: '' is not accepted; a key is SEGMENT:SECURITY_ID"),
        ({"key": "NSE_EQ:999"}, 404, "NSE_EQ:999"),
        ({"key": HDFC, "timeframe": "2m"}, 400, "it is one of 1m, 3m, 5m"),
        ({"key": HDFC, "limit": "10001"}, 400, "it is a whole number from 1 to 10000"),
        ({"key": HDFC, "from": "monday"}, 400, "it is a day such as 2026-11-30 or an instant"),
        ({"key": HDFC, "from": "2026-11-30T10:00:00"}, 400, "with its offset from UTC"),
        ({"key": HDFC, "from": "2026-11-30", "to": "2026-11-28"}, 400, "it is not after `to`"),
        ({"key": HDFC, "form": "grid"}, 400, "it is one of rows, columns"),
        ([("key", HDFC), ("key", HDFC)], 400, "it may be given once"),
    ],
)
def test_a_bad_value_is_refused_by_name(stored: Any, query: Any, status: int, sentence: str) -> None:
    response = stored.client.get(URL, query_string=query)
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    assert sentence in response.get_json()["detail"]


def test_a_database_that_is_away_is_503(stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> Iterable[Bar]:
        raise DatabaseError("The database cannot be read")

    monkeypatch.setattr(minute_bars, "fetch_columns", away)
    assert stored.client.get(URL, query_string={"key": HDFC}).status_code == 503


@pytest.mark.parametrize(
    ("minutes", "clock", "start"),
    [
        (5, "09:17:03", "09:15"),
        (5, "09:20:09", "09:15"),  # its last minute may not be stored yet
        (5, "09:20:10", "09:20"),
        (125, "15:20:30", "13:25"),
        (1, "09:17:03", None),
        (5, "09:00:00", None),
        (5, "18:00:00", None),
    ],
)
def test_a_bar_forms_until_its_last_minute_is_stored(
    site: Any, minutes: int, clock: str, start: str | None
) -> None:
    hours = SimpleNamespace(
        windows=lambda _segment, _day: [TradingWindow(OPENED, OPENED + 22_500, "continuous")]
    )
    site.app.extensions[EXTENSION] = replace(site.app.extensions[EXTENSION], calendar=lambda: hours)
    with site.app.app_context():
        found = bars.forming_from(HDFC, minutes, datetime.fromisoformat(f"2026-11-30T{clock}+05:30"))
    assert found == (
        float("inf") if start is None else datetime.fromisoformat(f"2026-11-30T{start}+05:30").timestamp()
    )


def test_the_answer_names_the_bar_that_forms(stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bars, "forming_from", lambda *_: YESTERDAY + 600)
    forming = [bar["forming"] for bar in asked(stored, timeframe="5m")["bars"]]
    assert forming[-1:] == [True]
    assert True not in forming[:-1]


OPENED = 1_796_010_300  # 2026-11-30T09:15:00+05:30


def test_a_page_joins_a_bounded_number_of_minutes(stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candles, "_MOST_MINUTES", 10)
    first = asked(stored, timeframe="5m", **{"from": at(BEFORE)[:10]})
    assert len(first["bars"]) == 2
    assert first["next"] is not None
    assert len(asked(stored, timeframe="5m")["bars"]) == 2


def auction_day(segment: str, day: date) -> list[TradingWindow]:
    """The calendar of a day with every kind, at its first minutes."""
    at_nine = day_start(day) + 9 * 3_600
    return [
        TradingWindow(at_nine, at_nine + 900, "pre_open"),
        TradingWindow(at_nine + 900, at_nine + 1_140, "continuous"),
        TradingWindow(at_nine + 1_140, at_nine + 1_500, "closing_auction"),
    ]


@pytest.fixture
def with_auctions(stored: Any) -> Any:
    """Yesterday's bars from 09:15 to 09:26, and one of the pre-open."""
    minute_bars.upsert(stored.engine, {HDFC: minutes(YESTERDAY - 480, 1, 1_690_0000)})
    hours = SimpleNamespace(windows=auction_day)
    stored.app.extensions[EXTENSION] = replace(stored.app.extensions[EXTENSION], calendar=lambda: hours)
    return stored


def test_each_bar_names_its_session_and_joins_no_two(with_auctions: Any) -> None:
    query = {"timeframe": "5m", "from": at(YESTERDAY)[:10]}
    found = [
        (bar["start"][11:16], bar["volume"], bar["session"]) for bar in asked(with_auctions, **query)["bars"]
    ]
    assert found == [
        ("09:05", 100, "pre_open"),
        ("09:15", 406, "continuous"),  # four minutes: the auction begins at 09:19
        ("09:19", 530, "closing_auction"),
        ("09:24", 109, "closing_auction"),
    ]


@pytest.mark.parametrize(
    ("sessions", "volumes"),
    [
        ("continuous", [406]),
        ("pre_open", [100]),
        ("continuous,pre_open", [100, 406]),
        ("post_close", []),
    ],
)
def test_bars_of_some_sessions(with_auctions: Any, sessions: str, volumes: list[int]) -> None:
    for query in ({"from": at(YESTERDAY)[:10]}, {"to": at(YESTERDAY)[:10], "limit": len(volumes) or 1}):
        found = asked(with_auctions, timeframe="5m", sessions=sessions, **query)["bars"]
        assert [bar["volume"] for bar in found] == volumes


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"sessions": "lunch"}, "one or more of pre_open, continuous, closing_auction, post_close"),
        ({"sessions": "continuous", "timeframe": "1d"}, "a day has all of its trades"),
    ],
)
def test_an_unknown_session_is_refused(stored: Any, query: dict[str, str], sentence: str) -> None:
    response = stored.client.get(URL, query_string={"key": HDFC} | query)
    assert response.status_code == 400
    assert sentence in response.get_json()["detail"]


def test_a_csv_links_its_next_page_until_the_last(stored: Any) -> None:
    day = at(BEFORE)[:10]
    address: str | None = f"{URL}.csv?key={HDFC}&from={day}&limit=7"
    rows, pages = [], 0
    while address:
        response = stored.client.get(address)
        head, *found = response.text.splitlines()
        assert head.startswith("start,open,")
        rows += found
        pages += 1
        link = response.headers.get("Link")
        assert link is None or link.endswith('>; rel="next"')
        address = link and link[1:].partition(">")[0]
        assert address is None or f"key={HDFC.replace(':', '%3A')}&limit=7&from=" in address
    whole = asked(stored, limit=100, **{"from": day})["bars"]
    assert [row.partition(",")[0] for row in rows] == [bar["start"] for bar in whole]
    assert (len(rows), pages) == (17, 3)
    assert "Link" not in stored.client.get(f"{URL}?key={HDFC}&from={day}&limit=7").headers
