"""The bars of the day and of 52 weeks; their numbers are tested in test_values.py."""

from __future__ import annotations

from ltp.core.history.extremes import Ends
from ltp.core.history.plan import Plan
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick
from ltp.web.table.range_bars import with_bars

KEY = "NSE_EQ:1333"
YEAR = Ends(900_0000, 1100_0000, 1030_0000)
PLAN = Plan(1050_0000, 1050_0000, 1050_0000, 950_0000, 1100_0000, "2026-11-20")
TICK = Tick(KEY, 1040_0000, low=1030_0000, high=1070_0000, session="2026-11-23")


def bar(column: str, quote: Quote, plans: dict[str, Plan] | None = None) -> str:
    draw = with_bars(lambda _column: None, lambda _run: plans or {}, {KEY: YEAR}.get)(column)
    assert draw is not None
    return draw(quote)


def test_a_bar_has_the_mark_of_the_price_and_the_dot_of_the_entry() -> None:
    markup = bar("range_day@17", Quote(KEY, TICK, "live"), {KEY: PLAN})
    assert markup == (
        '<svg class="range" width="96" height="12" viewBox="0 0 96 12" role="img"'
        ' aria-label="25%: of the day, 1,030.00 to 1,070.00, entry 1,050.00"><path class="rail" d="M3 6h90"/>'
        '<path class="at" d="M25 0v12"/><circle class="entry" cx="48" cy="6" r="3"/></svg>'
    )


def test_the_year_is_of_stored_candles_and_widened_by_today() -> None:
    assert "70%: of 52 weeks, 900.00 to 1,100.00" in bar("range_52w", Quote(KEY, TICK, "live"))
    higher = TICK._replace(high=1200_0000)
    assert "46%: of 52 weeks, 900.00 to 1,200.00" in bar("range_52w@1", Quote(KEY, higher, "live"))
    other = Quote("NSE_EQ:1", TICK._replace(key="NSE_EQ:1"), "live")
    assert bar("range_52w@1", other) == "–"


def test_a_price_that_is_not_live_is_hollow_and_the_label_has_its_state() -> None:
    markup = bar("range_day", Quote(KEY, TICK, "stale"))
    assert 'class="at was"' in markup
    assert 'aria-label="25%, stale: of the day' in markup


def test_an_entry_outside_is_an_arrow_at_that_end() -> None:
    quote = Quote(KEY, TICK, "live")
    below, above = (PLAN._replace(entry=entry) for entry in (1000_0000, 1080_0000))
    assert '<path class="entry" d="M0 6l6-4v8z"/>' in bar("range_day@1", quote, {KEY: below})
    assert '<path class="entry" d="M96 6l-6-4v8z"/>' in bar("range_day@1", quote, {KEY: above})


def test_a_plan_that_no_longer_applies_has_no_dot() -> None:
    assert "entry" not in bar("range_day@1", Quote(KEY, TICK, "live"), {KEY: PLAN._replace(entry=2000_0000)})
    assert "entry" not in bar("range_day@1", Quote(KEY, TICK, "live"))


def test_one_price_alone_is_in_the_middle_and_none_is_a_dash() -> None:
    alone = TICK._replace(low=1040_0000, high=1040_0000)
    markup = bar("range_day", Quote(KEY, alone, "live"))
    assert 'aria-label="one price: of the day' in markup
    assert 'd="M48 0v12"' in markup
    for tick in (None, Tick(KEY, None), Tick(KEY, 1040_0000)):
        assert bar("range_day", Quote(KEY, tick, "unknown")) == "–"


def test_other_columns_are_not_drawn_here() -> None:
    find = with_bars({"state@1": str}.get, lambda _run: {}, lambda _key: None)
    assert find("state@1") is str
    assert [find(column) for column in ("ltp", "range_day@x", "range_day@\u0661")] == [None] * 3
