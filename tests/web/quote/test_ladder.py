"""The markup of the order book and of the broker's values of the day, from literal values."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ltp.core.ticks.depth import LIVE_FOR_US, Depth, Level, QuoteDetails
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import State, Tick
from ltp.web.quote.ladder import DEPTH, depth_markup, details_markup, is_live, partial

KEY = "NSE_EQ:1333"
NOW = 1_795_408_200_000_000  # 2026-11-23 10:00 in India
BOOK = Depth(
    KEY,
    NOW - 1_000_000,
    (Level(14_020_000, 1_200, 3), Level(14_019_000, 300, 4)),
    (Level(14_021_000, 600, 5),),
    13_998_712,
    6_45_321,
    8_12_345,
)
DETAILS = QuoteDetails(KEY, NOW - 60_000_000, 12_514_000, 15_294_000, 13_990_000)


def quote(state: State = "live", ltp: int | None = 14_020_000, key: str = KEY) -> Quote:
    return Quote(key, Tick(key, ltp, session="2026-11-23"), state)


def rows(markup: str) -> list[list[str]]:
    """Return the texts of the cells of each row of the body."""
    body = markup.partition("<tbody>")[2].partition("</tbody>")[0]
    return [
        [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
        for row in body.split("</tr>")[:-1]
    ]


def test_bids_are_left_and_asks_right_best_first() -> None:
    assert rows(depth_markup(BOOK, quote(), NOW)) == [
        ["3", "1,200", "1,402.00", "1,402.10", "600", "5"],
        ["4", "300", "1,401.90", "–", "–", "–"],
        ["–"] * 6,
        ["–"] * 6,
        ["–"] * 6,
    ]


def test_bars_are_as_long_as_their_part_of_the_largest_quantity_and_meet_in_the_middle() -> None:
    bars = re.findall(r'<rect class="(\w+)" x="(\d+)" width="(\d+)"', depth_markup(BOOK, quote(), NOW))
    assert bars == [("bid", "0", "100"), ("ask", "0", "50"), ("bid", "75", "25")]


def test_the_smallest_quantity_is_seen() -> None:
    book = BOOK._replace(bids=(Level(14_020_000, 1_000_000, 1), Level(14_019_000, 1, 1)), asks=())
    assert '<rect class="bid" x="99" width="1"' in depth_markup(book, quote(), NOW)


def test_spread_and_all_orders() -> None:
    head = depth_markup(BOOK, quote(), NOW).partition("</p>")[0]
    assert "spread 0.10 (0.01%)" in head
    assert "all bids 6,45,321 (44%), all asks 8,12,345 (56%)" in head
    empty = depth_markup(Depth(KEY, NOW), quote(), NOW)
    assert "spread" not in empty
    assert "all bids" not in empty
    assert rows(empty) == [["–"] * 6] * 5


@pytest.mark.parametrize(
    ("state", "age_us", "words"),
    [
        ("live", 0, "<i>live</i>"),
        ("quiet", LIVE_FOR_US, "<i>live</i>"),
        ("live", LIVE_FOR_US + 1, '<i class="w">not live, of 09:59:49</i>'),
        ("stale", 0, '<i class="w">stale, of 10:00:00</i>'),
        ("closed", 0, '<i class="w">closed, of 10:00:00</i>'),
        ("unknown", 0, '<i class="w">unknown, of 10:00:00</i>'),
        ("closed", 86_400_000_000, '<i class="w">closed, of 22 Nov, 10:00:00</i>'),
    ],
)
def test_only_a_fresh_book_of_a_feed_that_is_up_is_live(state: State, age_us: int, words: str) -> None:
    book = BOOK._replace(received_at=NOW - age_us)
    markup = depth_markup(book, quote(state), NOW)
    assert words in markup
    live = words == "<i>live</i>"
    assert is_live(book, quote(state), NOW) is live
    assert markup.startswith('<p class="meta">' if live else '<p class="meta was">')


def test_without_a_book_there_is_a_sentence() -> None:
    assert "<table" not in depth_markup(None, quote(), NOW)
    assert "No order book is known yet" in depth_markup(None, quote(), NOW)


def facts(markup: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", markup))


def note(markup: str) -> str:
    """Return the line below the facts, without tags."""
    return re.sub(r"<[^>]+>", "", markup.partition("</dl>")[2])


def test_average_and_circuits() -> None:
    markup = details_markup(BOOK, DETAILS, quote(), NOW)
    assert facts(markup) == {
        "Average price": "1,399.87",
        "Lower circuit": "1,251.40",
        "Upper circuit": "1,529.40",
    }
    assert note(markup) == "Circuit limits: as of 09:59"


def test_without_a_book_the_average_is_that_of_rest_with_its_time() -> None:
    markup = details_markup(None, DETAILS, quote(), NOW)
    assert facts(markup)["Average price"] == "1,399.00"
    assert note(markup) == "Average price and circuit limits: as of 09:59"
    for depth, details in ((None, None), (Depth(KEY, NOW), QuoteDetails(KEY, NOW))):
        markup = details_markup(depth, details, quote(), NOW)
        assert set(facts(markup).values()) == {"–"}
        assert note(markup) == ""


def test_a_contract_has_the_range_of_its_open_interest() -> None:
    key = "NSE_FNO:35084"
    details = DETAILS._replace(key=key, oi_low=90_000, oi_high=1_20_000)
    markup = details_markup(None, details, quote(key=key), NOW)
    assert facts(markup)["OI of the day"] == "90,000 to 1,20,000"
    assert note(markup) == "Average price, circuit limits and open interest of the day: as of 09:59"
    found = facts(details_markup(None, QuoteDetails(key, NOW), quote(key=key), NOW))
    assert found["OI of the day"] == "–"


@pytest.mark.parametrize(
    ("ltp", "state", "sentence"),
    [
        (15_294_000, "live", "The price is at the upper circuit. "),
        (12_514_000, "quiet", "The price is at the lower circuit. "),
        (15_293_900, "live", ""),
        (15_294_000, "stale", ""),
        (None, "live", ""),
    ],
)
def test_a_price_at_a_circuit_is_told_while_it_is_the_present_one(
    ltp: int | None, state: State, sentence: str
) -> None:
    below = note(details_markup(BOOK, DETAILS, quote(state, ltp), NOW))
    assert below == f"{sentence}Circuit limits: as of 09:59"


def test_a_currency_has_four_decimals() -> None:
    key = "NSE_CURRENCY:1"
    book = Depth(key, NOW, (Level(832_475, 5, 1),), (Level(832_500, 6, 1),), 832_480)
    assert rows(depth_markup(book, quote(key=key), NOW))[0][2:4] == ["83.2475", "83.2500"]
    assert facts(details_markup(book, None, quote(key=key), NOW))["Average price"] == "83.2480"


def test_a_part_replaces_the_element_of_its_name() -> None:
    assert partial(DEPTH, KEY, "x") == '<hx-partial id="depth-NSE_EQ-1333">x</hx-partial>'


def test_nothing_in_the_markup_needs_a_style_or_a_script() -> None:
    markup: Any = depth_markup(BOOK, quote(), NOW) + details_markup(BOOK, DETAILS, quote(), NOW)
    assert not re.search(r"style=|<script|on\w+=", markup)


def test_a_paused_page_has_no_live_book() -> None:
    assert '<p class="meta was"><i class="w">paused, of 09:59:59</i>' in depth_markup(
        BOOK, quote(), NOW, paused=True
    )
    assert '<i class="w">stale, of 09:59:59</i>' in depth_markup(BOOK, quote("stale"), NOW, paused=True)
