from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from ltp.core.bars.bar import Bar
from ltp.db import minute_bars
from ltp.errors import InputError
from ltp.web.charts.query import choices, parse

PAGE = "/instruments/NSE_EQ/1333"
HDFC = "NSE_EQ:1333"


def at(clock: str) -> int:
    return int(datetime.fromisoformat(f"2026-08-03T{clock}+05:30").timestamp())


def minute(clock: str, price: int, volume: int = 10) -> Bar:
    return Bar(at(clock), price, price, price, price, volume)


@pytest.fixture
def auctions(site: Any) -> Any:
    """The first day with a closing auction: one trade of each auction, two minutes, two after the close."""
    bars = [
        minute("09:07", 990_0000, 1_000),
        minute("15:13", 1_000_0000),
        minute("15:14", 1_002_0000),
        minute("15:31", 1_010_0000, 5_000),
        minute("15:50", 1_010_0000),
        minute("15:55", 1_010_0000),
    ]
    minute_bars.upsert(site.engine, {HDFC: bars})
    return site


def rows(page: str) -> list[tuple[str, str, str]]:
    """Return time, close and marks of the table, oldest first."""
    body = page.partition("bars of the chart")[2].partition("<tbody>")[2].partition("</tbody>")[0]
    found = [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in body.splitlines() if row]
    return [(each[0], each[4], each[6]) for each in reversed(found)]


def test_a_chart_has_the_continuous_session_and_the_closing_auction_apart(auctions: Any) -> None:
    page = auctions.page(f"{PAGE}?timeframe=60m")
    assert rows(page) == [
        ("3 Aug 14:15", "1,002.00", ""),
        ("3 Aug 15:15", "1,010.00", "closing auction"),
    ]
    assert page.count('<path class="rose apart"') == 1
    assert "volume 5,000\nclosing auction</title>" in page
    assert "Dashed candles are of the closing auction: no bar joins them with others" in page


def test_the_others_are_shown_when_asked_for(auctions: Any) -> None:
    every = "sessions=pre_open,continuous,closing_auction,post_close"
    assert rows(auctions.page(f"{PAGE}?timeframe=60m&{every}")) == [
        ("3 Aug 09:00", "990.00", "pre-open"),
        ("3 Aug 14:15", "1,002.00", ""),
        ("3 Aug 15:15", "1,010.00", "closing auction"),
        ("3 Aug 15:50", "1,010.00", "post-close"),
    ]
    page = auctions.page(f"{PAGE}?timeframe=60m&sessions=continuous")
    assert rows(page) == [("3 Aug 14:15", "1,002.00", "")]
    assert "Dashed candles" not in page
    assert "apart" not in page.partition("<figure")[2]


def test_averages_leave_auctions_out(auctions: Any) -> None:
    """VWAP of 1,000 and 1,002 with equal volumes; 5,000 of the auction at 1,010 would make it 1,009.97."""
    page = auctions.page(f"{PAGE}?timeframe=1m&vwap=1")
    assert "VWAP 1,001.00" in page
    assert "VWAP 1,001.00" in auctions.page(f"{PAGE}?timeframe=1m&vwap=1&sessions=continuous")


def test_before_the_open_the_newest_session_is_the_one_before(auctions: Any) -> None:
    next_day = Bar(at("09:07") + 86_400, 995_0000, 995_0000, 995_0000, 995_0000, 7)
    minute_bars.upsert(auctions.engine, {HDFC: [next_day]})
    assert [row[0] for row in rows(auctions.page(f"{PAGE}?timeframe=60m"))] == ["3 Aug 14:15", "3 Aug 15:15"]
    shown = rows(auctions.page(f"{PAGE}?timeframe=60m&sessions=pre_open,continuous"))
    assert shown == [("4 Aug 09:00", "995.00", "pre-open")]


def test_links_add_and_remove_a_kind() -> None:
    links = {each.label: each for each in choices(PAGE, {}, parse({}))["Sessions"]}
    assert [label for label, each in links.items() if each.chosen] == ["Closing auction"]
    assert links["Pre-open"].url == f"{PAGE}?sessions=pre_open,continuous,closing_auction"
    assert links["Closing auction"].url == f"{PAGE}?sessions=continuous"
    given = {"sessions": "pre_open,continuous,closing_auction"}
    [pre_open] = [each for each in choices(PAGE, given, parse(given))["Sessions"] if each.label == "Pre-open"]
    assert (pre_open.url, pre_open.chosen) == (PAGE, True)
    assert "Sessions" not in choices(PAGE, {"timeframe": "1d"}, parse({"timeframe": "1d"}))
    [day] = [each for each in choices(PAGE, given, parse(given))["Timeframe"] if each.label == "1d"]
    assert day.url == f"{PAGE}?timeframe=1d"


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        ({"sessions": "lunch"}, "it is one or more of pre_open, continuous, closing_auction, post_close"),
        ({"sessions": ""}, "it is one or more of"),
        ({"sessions": "continuous,continuous"}, "it is one or more of"),
        ({"sessions": "continuous", "timeframe": "1d"}, "it is for bars of minutes"),
    ],
)
def test_a_refusal_names_the_kinds(given: dict[str, str], accepted: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(given)
    assert refused.value.where == "sessions"
    assert refused.value.accepted.startswith(accepted)
