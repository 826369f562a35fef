from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltp.core.ticks.conflate import Conflator
from ltp.core.ticks.tick import Tick
from ltp.core.trading_day import IST

HDFC, TCS, NIFTY, USDINR = "NSE_EQ:1333", "NSE_EQ:11536", "IDX_I:13", "NSE_CURRENCY:10093"
MONDAY_10 = int(datetime(2026, 11, 23, 10, 0, tzinfo=IST).timestamp())
DAY = 86_400


def us(seconds: float) -> int:
    return int(seconds * 1_000_000)


def tick(key: str = HDFC, ltp: int | None = 16_500_000, ltt: int | None = MONDAY_10, **fields: Any) -> Tick:
    received_at = fields.pop("received_at", us(ltt if ltt is not None else MONDAY_10))
    return Tick(key, ltp, ltt, received_at, **fields)


def conflator(
    *keys: str,
    open_: tuple[str, ...] = ("NSE_EQ", "IDX_I", "NSE_CURRENCY"),
    tick_size: Callable[[str], int] = lambda _: 0,
    sessions: dict[str, str] | None = None,
) -> Conflator:
    table = Conflator()
    table.admit(keys or (HDFC, TCS, NIFTY, USDINR))
    table.configure(
        tick_size=tick_size, prev_close_from=frozenset(open_), sessions=sessions or {}, delay_s={}
    )
    return table


def after(table: Conflator, *ticks: Tick) -> Tick:
    table.apply(ticks)
    known = table.get(ticks[-1].key)
    assert known is not None
    return known


def test_it_is_known_when_the_newest_tick_came_also_of_one_that_was_no_news() -> None:
    table = conflator()
    after(table, tick(received_at=us(MONDAY_10 + 1)), tick(received_at=us(MONDAY_10 + 9)))
    assert table.received_at([HDFC, "NSE_EQ:2"]) == {HDFC: us(MONDAY_10 + 9)}


def test_two_instruments_in_one_batch_both_survive() -> None:
    table = conflator()
    table.apply([tick(HDFC, 100), tick(TCS, 200)])
    assert {known.key: known.ltp for known in table.take()} == {HDFC: 100, TCS: 200}


def test_only_the_newest_of_each_is_taken_and_only_once() -> None:
    table = conflator()
    table.apply(
        [tick(HDFC, 100), tick(TCS, 200), tick(HDFC, 101, MONDAY_10 + 1), tick(HDFC, 102, MONDAY_10 + 2)]
    )
    assert [(known.key, known.ltp) for known in map(Tick._make, table.take())] == [(HDFC, 102), (TCS, 200)]
    assert table.take() == []
    assert not table.changed()


def test_a_packet_without_a_price_blanks_nothing_and_confirms_no_price() -> None:
    """A price from before a reconnect must not become live because open interest or a previous close came
    after it.
    """
    table = conflator()
    full = after(table, tick(volume=10, open=1, high=3, low=1, prev_close=2, oi=7))
    table.take()
    table.connected(us(MONDAY_10 + 1))
    assert after(table, tick(ltp=None, ltt=None, oi=8, received_at=us(MONDAY_10 + 2))) == full._replace(oi=8)
    assert after(
        table, tick(ltp=None, ltt=None, prev_close=4, received_at=us(MONDAY_10 + 3))
    ) == full._replace(oi=8, prev_close=4)


def test_fields_beside_a_missing_price_count_until_there_is_one() -> None:
    table = conflator()
    known = after(table, tick(ltp=None, ltt=None, volume=0, prev_close=7))
    assert (known.ltp, known.volume, known.prev_close, known.traded_at) == (None, 0, 7, 0)
    assert after(table, tick(ltp=9, ltt=MONDAY_10 + 1, volume=3)).prev_close == 7


def test_the_close_beside_a_missing_price_is_no_previous_close_while_the_segment_is_shut() -> None:
    assert after(conflator(open_=()), tick(ltp=None, ltt=None, volume=0, prev_close=7)).prev_close is None


def test_a_ticker_packet_keeps_what_a_quote_packet_said() -> None:
    table = conflator()
    after(table, tick(volume=10, open=1, high=3, low=1, prev_close=2, oi=7))
    known = after(table, tick(ltp=55, ltt=MONDAY_10 + 1))
    assert (known.ltp, known.volume, known.open, known.high, known.low, known.prev_close, known.oi) == (
        55,
        10,
        1,
        3,
        1,
        2,
        7,
    )


def test_a_new_session_starts_without_the_old_days_values() -> None:
    table = conflator()
    after(table, tick(volume=10, open=1, high=3, low=1, prev_close=2, oi=7))
    known = after(table, tick(ltp=55, ltt=MONDAY_10 + DAY))
    assert known.session == "2026-11-24"
    assert (known.volume, known.open, known.high, known.low, known.prev_close, known.oi) == (None,) * 6


def test_the_session_is_the_date_in_india() -> None:
    late_evening_utc = int(datetime(2026, 11, 23, 0, 30, tzinfo=IST).timestamp())
    assert after(conflator(), tick(ltt=late_evening_utc)).session == "2026-11-23"


def test_a_price_without_a_time_belongs_to_the_calendars_last_session() -> None:
    saturday = MONDAY_10 - 2 * DAY
    known = after(conflator(sessions={"NSE_EQ": "2026-11-20"}), tick(ltt=0, received_at=us(saturday)))
    assert (known.session, known.ltt) == ("2026-11-20", None)


def test_an_older_trade_of_the_same_session_is_dropped_and_counted() -> None:
    table = conflator()
    known = after(table, tick(ltp=100, ltt=MONDAY_10 + 5))
    assert after(table, tick(ltp=99, ltt=MONDAY_10 + 4, received_at=us(MONDAY_10 + 6))) == known
    assert table.counters["out_of_order"] == 1


def test_a_snapshot_of_an_older_session_is_dropped() -> None:
    table = conflator()
    known = after(table, tick(ltp=100))
    assert after(table, tick(ltp=99, ltt=MONDAY_10 - DAY, received_at=us(MONDAY_10 + 6))) == known


def test_two_trades_within_one_second_apply_in_their_order() -> None:
    table = conflator()
    after(table, tick(ltp=100))
    assert after(table, tick(ltp=99)).ltp == 99


def test_a_duplicate_is_received_but_not_news() -> None:
    table = conflator()
    after(table, tick(volume=5))
    table.take()
    assert after(table, tick(volume=5, received_at=us(MONDAY_10 + 20))).received_at == us(MONDAY_10 + 20)
    assert table.take() == []
    assert table.counters["duplicate"] == 1


def test_a_duplicate_is_news_when_it_is_the_first_word_on_a_new_connection() -> None:
    """Otherwise a share that does not trade would be shown stale after every reconnect."""
    table = conflator()
    after(table, tick(volume=5))
    table.take()
    table.connected(us(MONDAY_10 + 10))
    assert not table.changed()
    after(table, tick(volume=5, received_at=us(MONDAY_10 + 11)))
    assert [known.key for known in map(Tick._make, table.take())] == [HDFC]


def test_learning_late_of_a_connection_makes_its_first_words_news() -> None:
    table = conflator()
    after(table, tick(HDFC, volume=5), tick(TCS, received_at=us(MONDAY_10 + 11)))
    table.take()
    table.connected(us(MONDAY_10 + 10))
    assert [known.key for known in map(Tick._make, table.take())] == [TCS]


@pytest.mark.parametrize("ltt", [0, 315_532_800, None])
def test_without_a_trade_time_only_a_risen_volume_proves_a_trade(ltt: int | None) -> None:
    table, at = conflator(), us(MONDAY_10)
    table.connected(at)
    assert after(table, tick(ltp=100, ltt=ltt, volume=5, received_at=at)).traded_at == 0
    assert after(table, tick(ltp=100, ltt=ltt, volume=6, received_at=at + 10)).traded_at == at + 10
    assert after(table, tick(ltp=100, ltt=ltt, volume=6, received_at=at + 11)).traded_at == at + 10
    known = after(table, tick(ltp=101, ltt=ltt, volume=6, received_at=at + 12))
    assert (known.ltp, known.ltt, known.traded_at) == (101, None, 0)


def test_a_volume_that_rose_across_a_reconnect_does_not_say_when() -> None:
    table, at = conflator(), us(MONDAY_10)
    table.connected(at)
    after(table, tick(ltp=100, volume=5, received_at=at))
    table.connected(at + 10)
    known = after(table, tick(ltp=101, ltt=0, volume=6, received_at=at + 11))
    assert (known.ltp, known.traded_at) == (101, 0)
    assert after(table, tick(ltp=101, ltt=0, volume=7, received_at=at + 12)).traded_at == at + 12


def test_an_untraded_instrument_has_no_trade_time() -> None:
    assert after(conflator(), tick(ltt=0, volume=0)).traded_at == 0


def test_a_trade_time_a_little_ahead_is_believed() -> None:
    assert after(conflator(), tick(ltt=MONDAY_10 + 5, received_at=us(MONDAY_10))).traded_at == us(
        MONDAY_10 + 5
    )


def test_a_trade_time_far_ahead_is_counted_and_not_believed() -> None:
    """A feed that changed its clock by 5.5 hours must not make prices live for so long, nor block later ones."""
    table = conflator()
    known = after(table, tick(ltt=MONDAY_10 + 19_800, received_at=us(MONDAY_10)))
    assert (known.ltt, known.traded_at) == (None, 0)
    assert table.counters["ltt_future"] == 1
    assert after(table, tick(ltp=5, ltt=MONDAY_10 + 1)).ltp == 5


def test_previous_close_of_a_price_packet_counts_only_while_the_segment_is_open() -> None:
    assert after(conflator(), tick(prev_close=7)).prev_close == 7
    assert after(conflator(open_=()), tick(prev_close=7)).prev_close is None
    table = conflator()
    after(table, tick(prev_close=7))
    table.configure(tick_size=lambda _: 0, prev_close_from=frozenset(), sessions={}, delay_s={})
    assert after(table, tick(ltp=9, ltt=MONDAY_10 + 1, prev_close=9)).prev_close == 7


def test_previous_close_is_not_latched() -> None:
    table = conflator()
    after(table, tick(prev_close=7))
    assert after(table, tick(ltt=MONDAY_10 + 1, prev_close=8)).prev_close == 8


def test_a_snapshot_of_yesterday_does_not_replace_a_known_previous_close() -> None:
    yesterday = MONDAY_10 - DAY
    table = conflator()
    after(table, tick(ltt=yesterday, prev_close=7))
    assert after(table, tick(ltt=yesterday + 1, received_at=us(MONDAY_10), prev_close=9)).prev_close == 7


def test_previous_close_in_a_packet_of_its_own_counts_always() -> None:
    table = conflator(open_=())
    after(table, tick(NIFTY, prev_close=None))
    assert after(table, tick(NIFTY, ltp=None, ltt=None, prev_close=9)).prev_close == 9


def test_previous_close_that_comes_before_the_first_price_is_kept_for_it() -> None:
    table = conflator()
    assert after(table, tick(NIFTY, ltp=None, ltt=None, prev_close=9)).session == ""
    assert after(table, tick(NIFTY, ltp=10, ltt=MONDAY_10 - 2 * DAY)).prev_close == 9


def test_previous_close_sent_before_the_days_first_trade_belongs_to_the_new_day() -> None:
    table = conflator()
    after(table, tick(NIFTY, ltp=100, prev_close=90))
    tuesday = MONDAY_10 + DAY
    assert (
        after(table, tick(NIFTY, ltp=None, ltt=None, prev_close=100, received_at=us(tuesday))).prev_close
        == 90
    )
    assert after(table, tick(NIFTY, ltp=105, ltt=tuesday + 1)).prev_close == 100


def test_what_nobody_asked_for_gets_no_row() -> None:
    table = conflator(HDFC)
    table.apply([tick(TCS)])
    assert table.get(TCS) is None
    assert table.counters["unasked"] == 1


def test_restored_values_fill_gaps_and_are_no_news() -> None:
    table = conflator()
    table.restore([tick(volume=5, prev_close=7, session="2026-11-23")])
    assert not table.changed()
    assert after(table, tick(ltp=55, ltt=MONDAY_10 + 1)).prev_close == 7
    table.restore([tick(ltp=1)])
    assert table.get(HDFC) == after(table, tick(ltp=55, ltt=MONDAY_10 + 1))


@pytest.mark.parametrize(
    ("key", "raw", "size", "snapped"),
    [
        (
            HDFC,
            1_400_000_312,
            50_000,
            1_400_000_000,
        ),  # above 131,072 rupees float32 is too coarse for a paisa
        (HDFC, 16_500_100, 50_000, 16_500_100),
        (USDINR, 10_250_011, 25, 10_250_000),  # above 1,024 rupees too coarse for a currency's tick
        (HDFC, 1_400_000_312, 0, 1_400_000_312),
    ],
)
def test_prices_float32_is_too_coarse_for_are_snapped(key: str, raw: int, size: int, snapped: int) -> None:
    table = conflator(tick_size=lambda _: size)
    first = after(table, tick(key, raw, high=raw, prev_close=raw))
    later = after(table, tick(key, raw, MONDAY_10 + 1, high=raw, prev_close=raw))
    assert (
        (first.ltp, first.high, first.prev_close)
        == (later.ltp, later.high, later.prev_close)
        == (snapped,) * 3
    )


def rest(ltp: int, ltt: int | None, **fields: Any) -> Tick:
    return tick(ltp=ltp, ltt=ltt, rest=True, **fields)


def test_rest_tells_what_nobody_else_did() -> None:
    known = after(conflator(open_=()), rest(100, MONDAY_10, volume=5, prev_close=90))
    assert (known.ltp, known.rest, known.traded_at, known.prev_close) == (100, True, us(MONDAY_10), 90)


def test_rest_never_replaces_a_trade_the_feed_told_of() -> None:
    table = conflator()
    fed = after(table, tick(ltp=100, ltt=MONDAY_10 + 5))
    known = after(table, rest(99, MONDAY_10 + 5, received_at=us(MONDAY_10 + 9), prev_close=90, volume=4))
    assert known == fed._replace(prev_close=90, volume=4)
    assert after(table, rest(99, None, received_at=us(MONDAY_10 + 9))).ltp == 100


def test_rest_replaces_an_older_trade_and_is_never_newer_than_it_was_traded() -> None:
    table = conflator()
    fed = after(table, tick(ltp=100))
    known = after(table, rest(99, MONDAY_10 + 5, received_at=us(MONDAY_10 + 9)))
    assert (known.ltp, known.rest, known.traded_at) == (99, True, fed.traded_at)


def test_the_feed_takes_over_from_rest_with_the_same_trade() -> None:
    table = conflator()
    after(table, rest(99, MONDAY_10 + 5))
    table.take()
    known = after(table, tick(ltp=99, ltt=MONDAY_10 + 5, received_at=us(MONDAY_10 + 6)))
    assert (known.rest, known.traded_at) == (False, us(MONDAY_10 + 5))
    assert [changed.key for changed in table.take()] == [HDFC]


def test_rest_of_an_older_session_changes_nothing() -> None:
    table = conflator()
    fed = after(table, tick(ltp=100))
    assert after(table, rest(99, MONDAY_10 - DAY, received_at=us(MONDAY_10 + 9))) == fed


_ticks = st.builds(
    Tick,
    st.sampled_from([HDFC, TCS]),
    st.none() | st.integers(1, 10),
    st.none() | st.sampled_from([0, MONDAY_10 - DAY, MONDAY_10, MONDAY_10 + 1, MONDAY_10 + 9_999]),
    st.integers(us(MONDAY_10), us(MONDAY_10 + 3)),
    st.none() | st.integers(0, 3),
    *[st.none() | st.integers(1, 3)] * 4,
    st.none() | st.integers(0, 3),
    st.just(""),
    st.just(0),
    st.booleans(),
)


@settings(max_examples=300)
@given(st.lists(_ticks, max_size=12))
def test_whatever_comes_a_price_is_never_blanked_and_applying_twice_is_applying_once(
    ticks: list[Tick],
) -> None:
    table = conflator()
    for one in ticks:
        before = table.get(one.key)
        table.apply([one])
        once = table.get(one.key)
        table.apply([one])
        assert table.get(one.key) == once
        assert before is None or before.ltp is None or (once is not None and once.ltp is not None)
        assert once is None or (once.ltt or 0) <= MONDAY_10 + 8
