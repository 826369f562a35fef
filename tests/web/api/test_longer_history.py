"""Bars over HTTP of a share whose older sessions have five-minute bars alone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from ltp.core.bars.bar import BROKER, PARTIAL, Bar
from ltp.core.bars.timeframe import rolled_up
from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST, midnight_of
from ltp.db import minute_bars
from ltp.db.bars import five_minute_bars

URL = "/api/v1/candles"
PAGE = "/instruments/NSE_EQ/1333"
HDFC, TCS = "NSE_EQ:1333", "NSE_EQ:11536"
DAY_S = 86_400
CALENDAR = Calendar.load()


def opened(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T09:15+05:30").timestamp())


# Thursday to Tuesday, before the closing auction; each of 375 minutes, with marks and sources of its own.
DAYS = ("2026-06-11", "2026-06-12", "2026-06-15", "2026-06-16")


def session(day: str, price: int) -> list[Bar]:
    each = [
        Bar(opened(day) + n * 60, price + n, price + n + 9, price - 9, price + n + 3, 10 + n)
        for n in range(375)
    ]
    each[7] = each[7]._replace(marks=PARTIAL, sources=BROKER)
    return each


BARS = [bar for number, day in enumerate(DAYS) for bar in session(day, 100_0000 + number * 1_0000)]


def older(engine: Any, key: str, before: str) -> None:
    """Leave five-minute bars alone of the sessions before a day, as the upkeep does."""

    def rolled(_: str, midnight: int, ones: list[Bar]) -> list[Bar]:
        return list(rolled_up(ones, 5, [(midnight + 555 * 60, midnight + 930 * 60)]))

    end = midnight_of(opened(before))
    for sessions in minute_bars.sessions_between(engine, 0, end):
        five_minute_bars.make(engine, [each for each in sessions if each[0] == key], rolled)
    minute_bars.prune(engine, end)


@pytest.fixture
def stored(site: Any) -> Any:
    """Minutes of two days of HDFC, five-minute bars of the two before."""
    minute_bars.upsert(site.engine, {HDFC: BARS})
    older(site.engine, HDFC, DAYS[2])
    return site


def asked(site: Any, **query: Any) -> Any:
    response = site.client.get(URL, query_string={"key": HDFC} | query)
    assert response.status_code == 200, response.text
    return response.get_json()


def test_few_bars_of_each_of_many_sessions(site: Any) -> None:
    """More sessions than one read has: each has one bar, so the page cannot tell beforehand how many it needs."""
    days = [f"2026-{month:02d}-{day:02d}" for month in (2, 3, 4) for day in range(2, 28)]
    starts = [opened(day) + 600 for day in days if CALENDAR.windows("NSE_EQ", date.fromisoformat(day))]
    assert len(starts) > 50
    minute_bars.upsert(site.engine, {HDFC: [Bar(start, 100, 100, 100, 100, 1) for start in starts]})
    older(site.engine, HDFC, "2026-04-06")
    whole = asked(site, timeframe="5m", **{"from": days[0], "to": days[-1]})
    assert [bar["start"][:10] for bar in whole["bars"]] == [
        str(datetime.fromtimestamp(start, IST).date()) for start in starts
    ]
    assert asked(site, timeframe="5m", to=days[-1])["bars"] == whole["bars"]
    assert asked(site, timeframe="5m", to=days[-1], limit=40)["bars"] == whole["bars"][-40:]
    some = asked(site, timeframe="5m", limit=40, **{"from": days[0], "to": days[-1]})
    assert (some["bars"], some["next"]) == (whole["bars"][:40], whole["bars"][40]["start"])


@pytest.mark.parametrize("timeframe", ["5m", "10m", "15m", "25m", "30m", "60m", "75m", "125m"])
def test_two_parts_read_as_if_all_minutes_were_there(site: Any, timeframe: str) -> None:
    minute_bars.upsert(site.engine, {HDFC: BARS})
    query = {"timeframe": timeframe, "from": DAYS[0], "to": DAYS[-1], "limit": 800}
    whole = asked(site, **query)
    assert len(whole["bars"]) >= 12
    older(site.engine, HDFC, DAYS[2])
    assert minute_bars.fetch(site.engine, HDFC, 0, opened(DAYS[2])) == []
    assert asked(site, **query) == whole
    newest = asked(site, timeframe=timeframe, to=DAYS[-1], limit=800)
    assert newest["bars"] == whole["bars"]


def test_pages_go_on_over_the_boundary(stored: Any) -> None:
    query = {"timeframe": "5m", "to": DAYS[-1], "limit": 70}
    starts: list[str] = []
    following: str | None = DAYS[0]
    while following:
        page = asked(stored, **query, **{"from": following})
        starts += [bar["start"] for bar in page["bars"]]
        following = page["next"]
    assert (len(starts), starts) == (300, sorted(set(starts)))
    marked = [bar for bar in asked(stored, timeframe="5m", to=DAYS[-1], limit=800)["bars"] if bar["marks"]]
    assert [(bar["start"][11:16], bar["marks"], bar["source"]) for bar in marked] == [
        ("09:20", ["partial"], "mixed")
    ] * 4


@pytest.mark.parametrize("timeframe", ["1m", "3m"])
def test_short_bars_say_how_long_they_are_kept(stored: Any, timeframe: str) -> None:
    page = asked(stored, timeframe=timeframe, **{"from": DAYS[0], "to": DAYS[1]})
    assert page["bars"] == []
    assert page["note"] == (
        f"Bars of {timeframe} are kept for 60 days, those of 5m and its multiples for 730; imported history stays."
    )
    today = datetime.now().astimezone().date()
    assert "note" not in asked(stored, timeframe=timeframe, **{"from": f"{today - timedelta(days=50)}"})
    assert "note" not in asked(stored, timeframe=timeframe)


def test_longer_bars_say_so_of_older_years(stored: Any) -> None:
    page = asked(stored, timeframe="5m", **{"from": "2016-01-01", "limit": 1})
    assert page["bars"][0]["start"] == "2026-06-11T09:15:00+05:30"
    assert page["note"] == "Bars of 5m are kept for 730 days; imported history stays."


def test_imported_minutes_of_2016_are_found(stored: Any) -> None:
    monday = session("2016-03-07", 90_0000)
    minute_bars.upsert_session(stored.engine, midnight_of(opened("2016-03-07")), {HDFC: monday}, kept=True)
    page = asked(stored, timeframe="1m", **{"from": "2016-03-01", "to": "2016-03-31"})
    assert [len(page["bars"]), page["bars"][0]["start"]] == [375, "2016-03-07T09:15:00+05:30"]
    assert len(asked(stored, timeframe="75m", to="2020-01-01")["bars"]) == 5
    over = asked(stored, timeframe="125m", **{"from": "2016-03-01", "to": DAYS[0]})["bars"]
    assert [bar["start"][:10] for bar in over] == ["2016-03-07"] * 3 + [DAYS[0]] * 3


def test_a_chart_has_the_older_part_too(stored: Any) -> None:
    page = stored.page(f"{PAGE}?timeframe=75m&range=5d")
    assert "20 bars of 75 minutes from 11 Jun 2026, 09:15, to 16 Jun 2026, 14:15 IST" in page
    assert "10 bars" not in page


def test_a_chart_of_a_share_without_minutes_leads_to_longer_bars(site: Any) -> None:
    minute_bars.upsert(site.engine, {HDFC: BARS})
    older(site.engine, HDFC, "2026-07-01")
    sentence = "Bars of 3m are kept for 60 days, and those of HDFCBANK are older: choose 5m."
    assert sentence in site.page(f"{PAGE}?timeframe=3m")
    assert "5 bars of 75 minutes from 16 Jun 2026" in site.page(f"{PAGE}?timeframe=75m")


def test_imported_minutes_of_2016_do_not_hide_newer_five_minute_bars_on_a_chart(site: Any) -> None:
    minute_bars.upsert(site.engine, {HDFC: BARS})
    older(site.engine, HDFC, "2026-07-01")
    monday = session("2016-03-07", 90_0000)
    minute_bars.upsert_session(site.engine, midnight_of(opened("2016-03-07")), {HDFC: monday}, kept=True)
    assert "5 bars of 75 minutes from 16 Jun 2026" in site.page(f"{PAGE}?timeframe=75m")
    assert "125 bars of 3 minutes from 7 Mar 2016" in site.page(f"{PAGE}?timeframe=3m")
