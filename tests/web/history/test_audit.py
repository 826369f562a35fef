"""`/candles/audit`: sums by session, the worst instruments of one, and the same as files."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest

from ltp.core.bars.bar import BROKER, INFERRED_HIGH, REVISED, Bar
from ltp.core.bars.comparison import Comparison, Difference
from ltp.db.bars import bar_audits, worst_minutes
from ltp.errors import DatabaseError

FRIDAY, MONDAY = date(2026, 11, 27), date(2026, 11, 30)
OPEN = 1_796_010_300  # 09:15 of Monday in India
HDFC, MM, UNKNOWN = "NSE_EQ:1333", "NSE_EQ:2031", "NSE_EQ:99999"
SHARES = (
    "equal_open_pct,equal_high_pct,equal_low_pct,equal_close_pct,equal_volume_pct,inferred,inferred_right"
)


@pytest.fixture
def audited(site: Any) -> Any:
    """Two sessions; of the newest one instrument was fetched before its end."""
    bar_audits.add(site.engine, HDFC, [(FRIDAY, Comparison(375, 372, 370, 370, 375, 300), True)])
    bar_audits.add(
        site.engine, HDFC, [(MONDAY, Comparison(1000, 1000, 999, 998, 1000, 990, 1_240, 1_238), True)]
    )
    bar_audits.add(site.engine, MM, [(MONDAY, Comparison(3, 2, 1, 1, 3, 0), False)])
    bar_audits.add(site.engine, UNKNOWN, [(MONDAY, Comparison(100, 99, 99, 99, 99, 99), True)])
    bar_audits.add(site.engine, "NSE_EQ:11536", [(MONDAY, Comparison(), True)])
    return site


def rows(page: str) -> list[list[str]]:
    """Return the texts of the cells of all rows."""
    found = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in found]
    return [[unescape(re.sub("<[^>]+>", "", cell)).strip() for cell in row] for row in cells]


def test_sessions_come_newest_first_with_their_shares(audited: Any) -> None:
    page = audited.page("/candles/audit")
    assert rows(page) == [
        ["Session", "Instruments", "Minutes", "Open", "High", "Low", "Close", "Volume", "Inferred", "Final"],
        [
            "30 Nov 2026",
            "3",
            "1,103",
            "99.81%",
            "99.63%",
            "99.54%",
            "99.90%",
            "98.73%",
            "1,238 of 1,240",
            "no",
        ],
        ["27 Nov 2026", "1", "375", "99.20%", "98.66%", "98.66%", "100.00%", "80.00%", "–", "yes"],
    ]
    assert 'href="/candles/audit?day=2026-11-30"' in page
    assert 'href="/candles/audit.csv"' in page


def test_a_session_has_its_instruments_the_worst_first(audited: Any) -> None:
    page = audited.page("/candles/audit?day=2026-11-30")
    assert rows(page)[1:] == [
        [
            "30 Nov 2026",
            "3",
            "1,103",
            "99.81%",
            "99.63%",
            "99.54%",
            "99.90%",
            "98.73%",
            "1,238 of 1,240",
            "no",
        ],
        ["Instrument", "Minutes", "Open", "High", "Low", "Close", "Volume", "Inferred", "Final"],
        ["M&M NSE_EQ:2031", "3", "66.66%", "33.33%", "33.33%", "100.00%", "0.00%", "–", "no"],
        ["NSE_EQ:99999", "100", "99.00%", "99.00%", "99.00%", "99.00%", "99.00%", "–", "yes"],
        [
            "HDFCBANK NSE_EQ:1333",
            "1,000",
            "100.00%",
            "99.90%",
            "99.80%",
            "100.00%",
            "99.00%",
            "1,238 of 1,240",
            "yes",
        ],
    ]
    assert 'href="/instruments/NSE_EQ/2031?timeframe=1m"' in page
    assert "/instruments/NSE_EQ/99999" not in page  # the instrument master has none: its page would be a 404
    assert 'href="/candles/audit.json?day=2026-11-30"' in page


def test_the_page_has_bounds(site: Any) -> None:
    days = [(MONDAY - timedelta(days=each), Comparison(1), True) for each in range(61)]
    bar_audits.add(site.engine, HDFC, days)
    for security_id in range(5001, 5201):
        bar_audits.add(site.engine, f"NSE_EQ:{security_id}", [(MONDAY, Comparison(1), True)])
    found = site.client.get("/candles/audit.json").json["sessions"]
    assert [each["day"] for each in found] == [day.isoformat() for day, *_ in days[:60]]
    page = site.page("/candles/audit?day=2026-11-30")
    assert len(rows(page)) == 2 + 1 + 200
    assert "The 200 worst of 201." in page


def test_where_nothing_is_stored_a_sentence_has_the_way_to_it(site: Any) -> None:
    page = site.page("/candles/audit")
    assert (
        '<p class="empty">No bars have been compared yet: that is done when the broker\'s are fetched, by the worker '
        "after each session or by <code>python -m ltp candles minutes fetch</code>.</p>" in page
    )
    assert site.client.get("/candles/audit.json").json == {"sessions": []}


def test_a_session_without_comparisons_is_named(audited: Any) -> None:
    page = audited.page("/candles/audit?day=2026-11-29")
    assert 'No bars of <time datetime="2026-11-29">29 Nov 2026</time> have been compared.' in page
    assert audited.client.get("/candles/audit.json?day=2026-11-29").json == {
        "sessions": [],
        "instruments": [],
        "minutes": [],
    }


def test_instruments_without_a_compared_minute_have_dashes(site: Any) -> None:
    bar_audits.add(site.engine, HDFC, [(MONDAY, Comparison(), True)])
    assert rows(site.page("/candles/audit"))[1] == [
        "30 Nov 2026",
        "0",
        "0",
        "–",
        "–",
        "–",
        "–",
        "–",
        "–",
        "yes",
    ]
    assert site.client.get("/candles/audit.json").json["sessions"][0]["equal_open_pct"] is None


def test_json_has_the_session_and_its_instruments(audited: Any) -> None:
    answer = audited.client.get("/candles/audit.json?day=2026-11-27")
    assert answer.headers["Cache-Control"] == "no-store"
    shares = {
        "equal_open_pct": 99.2,
        "equal_high_pct": 98.66,
        "equal_low_pct": 98.66,
        "equal_close_pct": 100.0,
        "equal_volume_pct": 80.0,
        "inferred": 0,
        "inferred_right": 0,
    }
    assert answer.json == {
        "sessions": [{"day": "2026-11-27", "instruments": 1, "minutes": 375, **shares, "final": True}],
        "instruments": [{"key": "NSE_EQ:1333", "minutes": 375, **shares, "final": True}],
        "minutes": [],
    }


def test_csv_has_the_sessions_or_the_instruments_of_one(audited: Any) -> None:
    assert audited.client.get("/candles/audit.csv").text.splitlines() == [
        f"day,instruments,minutes,{SHARES},final",
        "2026-11-30,3,1103,99.81,99.63,99.54,99.9,98.73,1240,1238,False",
        "2026-11-27,1,375,99.2,98.66,98.66,100.0,80.0,0,0,True",
    ]
    assert audited.client.get("/candles/audit.csv?day=2026-11-27").text.splitlines() == [
        f"key,minutes,{SHARES},final",
        "NSE_EQ:1333,375,99.2,98.66,98.66,100.0,80.0,0,0,True",
    ]


@pytest.fixture
def differing(audited: Any) -> Any:
    """The worst minutes of Monday: a share's, and that of an instrument that the master lacks."""
    own = Bar(OPEN, 1_650_0000, 1_660_0000, 1_640_0500, 1_655_0000, 123_456, None, REVISED | INFERRED_HIGH)
    broker = own._replace(high=1_661_0000, volume=123_457, marks=0, sources=BROKER)
    worst_minutes.keep(audited.engine, HDFC, MONDAY, [Difference(own, broker, 602, 8)])
    worst_minutes.keep(audited.engine, UNKNOWN, MONDAY, [Difference(own, own, 1, 0)])
    return audited


def test_a_session_has_its_worst_minutes_with_both_values(differing: Any) -> None:
    page = differing.page("/candles/audit?day=2026-11-30")
    marks = "revised, inferred"
    assert rows(page.partition("Minutes that differ most")[2]) == [
        ["Instrument", "Start, IST", "Open", "High", "Low", "Close", "Volume", "Marks"],
        ["HDFCBANK", "09:15", "1,650.00", "1,660.00 ≠ 1,661.00", "1,640.05", "1,655.00", "1,23,456 ≠ 1,23,457", marks],
        ["NSE_EQ:99999", "09:15", "1,650.00", "1,660.00", "1,640.05", "1,655.00", "1,23,456", marks],
    ]  # fmt: skip
    assert 'href="/candles/audit.csv?day=2026-11-30&amp;rows=minutes"' in page
    assert "Minutes that differ most" not in differing.page("/candles/audit?day=2026-11-27")


def test_files_have_the_worst_minutes(differing: Any) -> None:
    found = differing.client.get("/candles/audit.json?day=2026-11-30").json["minutes"]
    assert [each["key"] for each in found] == [HDFC, UNKNOWN]
    assert found[0] == {
        "key": HDFC,
        "start": "2026-11-30T09:15:00+05:30",
        "open": 1650.0,
        "high": 1660.0,
        "low": 1640.05,
        "close": 1655.0,
        "volume": 123_456,
        "broker_open": 1650.0,
        "broker_high": 1661.0,
        "broker_low": 1640.05,
        "broker_close": 1655.0,
        "broker_volume": 123_457,
        "marks": ["revised", "inferred"],
    }
    assert differing.client.get("/candles/audit.csv?day=2026-11-30&rows=minutes").text.splitlines()[:2] == [
        "key,start,open,high,low,close,volume,broker_open,broker_high,broker_low,broker_close,broker_volume,marks",
        "NSE_EQ:1333,2026-11-30T09:15:00+05:30,1650.0,1660.0,1640.05,1655.0,123456,"
        "1650.0,1661.0,1640.05,1655.0,123457,revised inferred",
    ]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [("rows=minutes", "it is for a session: give its `day` too"), ("rows=bars", "instruments, minutes")],
)
def test_other_rows_are_refused(site: Any, query: str, sentence: str) -> None:
    answer = site.client.get(f"/candles/audit.csv?{query}")
    assert answer.status_code == 400
    assert sentence in unescape(answer.text)


@pytest.mark.parametrize("day", ["yesterday", "2026-11-31", "20261130", "2026-W49-1"])
@pytest.mark.parametrize("ending", ["", ".json", ".csv"])
def test_a_bad_day_is_refused(site: Any, day: str, ending: str) -> None:
    answer = site.client.get(f"/candles/audit{ending}?day={day}")
    assert answer.status_code == 400
    detail = f"day: '{day}' is not accepted; it is a day such as 2026-11-30"
    assert detail in (answer.json["detail"] if ending == ".json" else unescape(answer.text))


@pytest.mark.parametrize(
    ("name", "query"), [("newest_days", ""), ("sessions", ""), ("sessions", "?day=2026-11-30")]
)
def test_a_database_that_is_busy_is_a_503(
    audited: Any, monkeypatch: pytest.MonkeyPatch, name: str, query: str
) -> None:
    def busy(*_: object, busy_timeout_ms: int) -> None:
        assert busy_timeout_ms == 50
        raise DatabaseError("busy")

    monkeypatch.setattr(bar_audits, name, busy)
    assert "The database cannot be reached." in audited.page(f"/candles/audit{query}", 503)


def test_other_pages_lead_to_it(site: Any) -> None:
    for url in ("/status", "/instruments/NSE_EQ/1333"):
        assert 'href="/candles/audit"' in site.page(url)
