"""Bars from packets with literal values; prices in 1/10,000 rupee, 09:15 of 30 November 2026 in India."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from ltp.core.bars.bar import CORRECTED, INFERRED, INFERRED_LOW, PARTIAL, REVISED, UNSURE, Bar
from ltp.core.bars.builder import BarBuilder, ClosedBar
from ltp.core.ticks.tick import DayPrices, Tick

KEY = "NSE_EQ:1333"
OPEN = 1_796_010_300  # 2026-11-30T09:15:00+05:30
US = 1_000_000


class Feed:
    """Packets of one instrument at seconds after the open; `late_s` of the line for each."""

    def __init__(self, *, connected_s: float = -600.0, closed_from: int = OPEN + 375 * 60) -> None:
        self.counters: Counter[str] = Counter()
        self.builder = BarBuilder(
            self.counters,
            is_open=lambda segment, start: segment == "NSE_EQ" and OPEN <= start < closed_from,
            tick_size=lambda _: 500,
        )
        self.builder.connected(self.at(connected_s))

    @staticmethod
    def at(seconds: float) -> int:
        return int((OPEN + seconds) * US)

    def packet(
        self,
        at_s: float,
        price: int,
        volume: int | None,
        *,
        ltt_s: int | None = None,
        high: int | None = None,
        low: int | None = None,
        oi: int | None = None,
        key: str = KEY,
    ) -> None:
        ltt = OPEN + (int(at_s // 1) if ltt_s is None else ltt_s)
        tick = Tick(key, price, ltt, self.at(at_s), volume, high=high, low=low, oi=oi)
        self.builder.take([tuple(tick)])  # type: ignore[list-item]

    def closed(self, until_s: float) -> list[Bar]:
        return [bar for _, bar in self.builder.close(self.builder.due(self.at(until_s)))]


def test_a_bar_is_made_of_the_trades_of_its_minute() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    for at_s, price, volume in [(1, 101_0000, 10), (20, 103_0000, 30), (40, 99_0000, 35), (59, 100_5000, 60)]:
        feed.packet(at_s, price, volume)
    feed.packet(61, 104_0000, 100)
    assert feed.builder.close(feed.builder.due(feed.at(70))) == [
        ClosedBar(KEY, Bar(OPEN, 101_0000, 103_0000, 99_0000, 100_5000, 60))
    ]
    assert feed.builder.recent(KEY)[-1] == Bar(OPEN + 60, 104_0000, 104_0000, 104_0000, 104_0000, 40)
    assert feed.closed(125) == [Bar(OPEN + 60, 104_0000, 104_0000, 104_0000, 104_0000, 40)]
    assert feed.closed(500) == []
    assert [bar.start for bar in feed.builder.recent(KEY)] == [OPEN, OPEN + 60]
    assert feed.builder.recent("NSE_EQ:9") == []


def test_a_minute_is_closed_after_the_grace_by_the_exchanges_clock() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(10.5, 100_0000, 10, ltt_s=8)  # the line, or our clock, is two and a half seconds apart
    assert feed.closed(60 + 3 + 2) == []
    assert len(feed.closed(60 + 3 + 3)) == 1


def test_an_empty_minute_has_no_bar() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(1, 100_0000, 10)
    feed.packet(185, 101_0000, 20)
    assert [bar.start - OPEN for bar in feed.closed(400)] == [0, 180]


def test_a_packet_with_nothing_new_is_no_trade() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(1, 100_0000, 10)
    feed.packet(70, 100_0000, 10, ltt_s=1, oi=777)  # depth and open interest changed
    assert feed.closed(400) == [Bar(OPEN, 100_0000, 100_0000, 100_0000, 100_0000, 10)]
    feed.packet(401, 100_0000, 11)
    assert feed.closed(600)[0].oi == 777


def test_the_first_packet_of_a_connection_sets_the_baseline() -> None:
    feed = Feed(connected_s=90)
    feed.packet(91, 100_0000, 5_000)
    feed.packet(100, 101_0000, 5_010)
    feed.packet(121, 102_0000, 5_050)
    first, second = feed.closed(400)
    assert first == Bar(OPEN + 60, 101_0000, 101_0000, 101_0000, 101_0000, 10, None, PARTIAL)
    assert second == Bar(OPEN + 120, 102_0000, 102_0000, 102_0000, 102_0000, 40)


def test_a_disconnect_leaves_partial_bars_and_the_gap_has_no_volume() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(10, 100_0000, 10)
    feed.builder.disconnected()
    feed.packet(15, 100_0000, 500)  # of no connection
    feed.builder.connected(feed.at(30))
    feed.packet(31, 105_0000, 1_000)
    feed.packet(40, 106_0000, 1_020)
    feed.packet(70, 107_0000, 1_030)
    first, second = feed.closed(400)
    assert first == Bar(OPEN, 100_0000, 106_0000, 100_0000, 106_0000, 30, None, PARTIAL)
    assert second == Bar(OPEN + 60, 107_0000, 107_0000, 107_0000, 107_0000, 10)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 1, 3), (1, 0, 3, 2), (0, 1, 1, 2, 0, 3)])
def test_neither_order_nor_repetition_within_the_grace_changes_a_bar(order: tuple[int, ...]) -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    trades = [(10, 100_0000, 10), (59, 103_0000, 30), (60, 99_0000, 35), (61, 98_0000, 60)]
    for index in order:
        ltt_s, price, volume = trades[index]
        feed.packet(61.5, price, volume, ltt_s=ltt_s)
    assert feed.closed(400) == [
        Bar(OPEN, 100_0000, 103_0000, 100_0000, 103_0000, 30),
        Bar(OPEN + 60, 99_0000, 99_0000, 98_0000, 98_0000, 30),
    ]


def test_a_trade_after_the_grace_revises_its_bar() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(10, 100_0000, 10)
    feed.packet(65, 101_0000, 50)
    assert [bar.volume for bar in feed.closed(64)] == [10]
    feed.packet(66, 110_0000, 20, ltt_s=59)
    revised, second = feed.closed(400)
    assert revised == Bar(OPEN, 100_0000, 110_0000, 100_0000, 110_0000, 20, None, 2)
    assert second == Bar(OPEN + 60, 101_0000, 101_0000, 101_0000, 101_0000, 30)


def test_a_repeated_trade_after_the_grace_changes_nothing() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(10, 100_0000, 10)
    feed.packet(65, 101_0000, 50)
    feed.closed(64)
    feed.packet(66, 100_0000, 10, ltt_s=10)
    assert [bar.start - OPEN for bar in feed.closed(400)] == [60]


def test_late_volume_moves_between_two_closed_bars() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(10, 100_0000, 10)
    feed.packet(65, 101_0000, 50)
    assert [bar.volume for bar in feed.closed(130)] == [10, 40]
    feed.packet(131, 100_0000, 20, ltt_s=59)
    assert [(bar.volume, bar.marks) for bar in feed.closed(400)] == [(20, REVISED), (30, REVISED)]


def test_a_trade_that_comes_minutes_late_is_counted_alone() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    for minute in range(10):
        feed.packet(minute * 60 + 1, 100_0000, 10 + minute)
    feed.closed(700)
    feed.packet(701, 90_0000, 5, ltt_s=5)
    assert feed.closed(800) == []
    assert feed.counters == {"bar_too_late": 1}


def test_a_day_high_proves_a_trade_between_two_packets() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(10, 100_0000, 10, high=100_0000, low=100_0000)
    feed.packet(20, 100_5000, 90, high=109_0000, low=97_0000)
    assert feed.closed(400) == [Bar(OPEN, 100_0000, 109_0000, 97_0000, 100_5000, 90, None, INFERRED)]


def test_an_extreme_that_a_later_trade_exceeds_is_no_longer_inferred() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(10, 100_0000, 10, high=100_0000, low=100_0000)
    feed.packet(20, 100_5000, 90, high=109_0000, low=97_0000)
    feed.packet(30, 110_0000, 95, high=110_0000, low=97_0000)
    assert feed.closed(400) == [Bar(OPEN, 100_0000, 110_0000, 97_0000, 110_0000, 95, None, INFERRED_LOW)]


def test_a_day_high_between_two_minutes_marks_both() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(50, 100_0000, 10, high=100_0000, low=100_0000)
    feed.packet(65, 100_5000, 90, high=109_0000, low=100_0000)
    assert feed.closed(400) == [
        Bar(OPEN, 100_0000, 100_0000, 100_0000, 100_0000, 10, None, UNSURE),
        Bar(OPEN + 60, 100_5000, 100_5000, 100_5000, 100_5000, 80, None, UNSURE),
    ]


def test_a_day_high_that_is_the_trade_itself_marks_nothing() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(50, 100_0000, 10, high=100_0000, low=100_0000)
    feed.packet(65, 109_0000, 90, high=109_0000, low=100_0000)
    assert [bar.marks for bar in feed.closed(400)] == [0, 0]


def test_what_happened_while_disconnected_is_not_inferred() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(10, 100_0000, 10, high=100_0000, low=100_0000)
    feed.builder.disconnected()
    feed.builder.connected(feed.at(20))
    feed.packet(21, 100_0000, 900, high=120_0000, low=90_0000)
    feed.packet(22, 101_0000, 910, high=120_0000, low=90_0000)
    assert feed.closed(400) == [Bar(OPEN, 100_0000, 101_0000, 100_0000, 101_0000, 20, None, PARTIAL)]


def test_a_volume_that_falls_starts_anew_and_marks_the_bar() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(10, 100_0000, 100)
    feed.packet(20, 100_0000, 60)
    feed.packet(30, 101_0000, 75)
    feed.packet(70, 101_0000, 80)
    assert feed.closed(400) == [
        Bar(OPEN, 100_0000, 101_0000, 100_0000, 101_0000, 115, None, CORRECTED),
        Bar(OPEN + 60, 101_0000, 101_0000, 101_0000, 101_0000, 5),
    ]


def test_a_trade_time_that_stands_still_while_the_volume_rises_is_the_arrival() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(10, 100_0000, 10)
    feed.packet(75, 101_0000, 30, ltt_s=10)
    assert [(bar.start - OPEN, bar.volume) for bar in feed.closed(400)] == [(0, 10), (60, 20)]
    assert feed.counters == {"bar_untimed": 1}


@pytest.mark.parametrize(
    "ltt_s", [-OPEN + 100, 86_400, -86_400, 500], ids=["1970", "tomorrow", "yesterday", "ahead"]
)
def test_a_price_with_a_damaged_trade_time_and_no_volume_is_no_trade(ltt_s: int) -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(10, 150_0000, 0, ltt_s=ltt_s)
    assert feed.closed(400) == []


def test_a_price_beyond_the_days_range_is_damage() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(10, 900_0000, 10, high=101_0000, low=99_0000)
    assert feed.closed(400) == []
    assert feed.counters == {"bar_absurd": 1}


def test_a_trade_outside_the_session_makes_no_bar() -> None:
    feed = Feed(closed_from=OPEN + 60)
    feed.packet(-60, 100_0000, 0)
    feed.packet(10, 100_0000, 10)
    feed.packet(70, 101_0000, 40)
    assert [bar.volume for bar in feed.closed(400)] == [10]
    assert feed.counters == {"bar_outside": 1}


def test_a_new_day_counts_from_zero_on_the_same_connection() -> None:
    feed = Feed(closed_from=OPEN + 2 * 86_400)
    feed.packet(-60, 100_0000, 0)
    feed.packet(10, 100_0000, 9_000, high=100_0000, low=100_0000)
    feed.closed(400)
    feed.packet(86_400 + 5, 90_0000, 40, high=90_0000, low=90_0000)
    assert feed.closed(86_400 + 400) == [Bar(OPEN + 86_400, 90_0000, 90_0000, 90_0000, 90_0000, 40)]


def test_an_index_has_bars_without_volume() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, None)
    feed.packet(1, 101_0000, None)
    feed.packet(2, 99_0000, None)
    assert feed.closed(400) == [Bar(OPEN, 101_0000, 101_0000, 99_0000, 99_0000, 0)]


def test_a_price_that_float32_is_too_coarse_for_is_snapped() -> None:
    feed = Feed()
    feed.packet(-60, 140_000_0000, 0)
    feed.packet(1, 140_000_0469, 10, high=140_000_0469, low=140_000_0000)
    assert feed.closed(400)[0].close == 140_000_0500


def test_an_instrument_that_is_forgotten_begins_anew() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(1, 100_0000, 10)
    feed.builder.forget(KEY)
    assert feed.closed(400) == []
    feed.packet(401, 100_0000, 50)
    assert feed.closed(800) == []


def test_a_rest_price_and_a_packet_without_a_price_are_no_trades() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    rest = Tick(KEY, 200_0000, OPEN + 5, feed.at(6), 10, rest=True)
    alone = Tick(KEY, None, None, feed.at(7), oi=55)
    feed.builder.take([tuple(rest), tuple(alone)])  # type: ignore[list-item]
    assert feed.closed(400) == []
    feed.packet(401, 100_0000, 20)
    assert feed.closed(800) == [Bar(OPEN + 360, 100_0000, 100_0000, 100_0000, 100_0000, 20, 55)]


def test_packets_that_come_late_do_not_move_the_clock_for_long() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    for second in range(1, 240):
        late = 12 if 60 <= second < 70 else 0.3
        feed.packet(second + late, 100_0000 + second * 500, second * 10, ltt_s=second)
        feed.builder.due(feed.at(second + 0.9))
    assert feed.counters["bar_untimed"] == 0
    bars = feed.closed(400)
    assert [(bar.start - OPEN, bar.volume, bar.marks) for bar in bars] == [
        (0, 590, 0),
        (60, 600, 0),
        (120, 600, 0),
        (180, 600, 0),
    ]
    assert bars[1].open == 100_0000 + 60 * 500


def test_three_instruments_prove_that_our_clock_is_slow() -> None:
    feed = Feed()
    for number in range(3):
        feed.packet(-60, 100_0000, 0, key=f"NSE_EQ:{number + 1}")
    for second in range(1, 130):
        for number in range(3):
            key = f"NSE_EQ:{number + 1}"
            feed.packet(second - 20, 100_0000, second * 10, ltt_s=second, key=key)
    assert feed.counters["bar_untimed"] == 2  # before the third
    bars = feed.builder.close(feed.builder.due(feed.at(110)))
    assert {(bar.key, bar.bar.start - OPEN, bar.bar.volume) for bar in bars} >= {
        ("NSE_EQ:3", 0, 590),
        ("NSE_EQ:3", 60, 600),
    }


def test_an_instrument_that_is_subscribed_again_gets_a_new_baseline() -> None:
    feed = Feed()
    feed.builder.follow([KEY])
    feed.packet(-60, 100_0000, 0)
    feed.packet(1, 100_0000, 10)
    feed.builder.follow([])
    feed.packet(2, 100_0000, 20)  # on its way when the subscription ended
    assert feed.closed(70) == [Bar(OPEN, 100_0000, 100_0000, 100_0000, 100_0000, 10, marks=PARTIAL)]
    feed.builder.follow([KEY])
    feed.packet(1_801, 110_0000, 500_000)
    feed.packet(1_870, 111_0000, 500_030)
    assert feed.closed(2_000) == [Bar(OPEN + 1_860, 111_0000, 111_0000, 111_0000, 111_0000, 30)]


def test_the_first_trade_of_an_instrument_counts() -> None:
    feed = Feed()
    untraded = Tick(KEY, None, None, feed.at(-60), 0)
    feed.builder.take([tuple(untraded)])  # type: ignore[list-item]
    feed.packet(1, 100_0000, 75)
    feed.packet(20, 102_0000, 150)
    assert feed.closed(70) == [Bar(OPEN, 100_0000, 102_0000, 100_0000, 102_0000, 150)]


def test_a_volume_of_nothing_in_the_middle_of_a_day_is_damage() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 1_000_000)
    feed.packet(1, 100_0000, 1_000_100)
    feed.packet(2, 100_0000, 0)
    feed.packet(3, 100_0000, 1_000_150)
    assert [(bar.volume, bar.marks) for bar in feed.closed(70)] == [(150, 0)]


def test_the_first_known_volume_is_the_baseline() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, None)
    feed.packet(1, 101_0000, 1_000_000)
    feed.packet(2, 101_0000, 1_000_007)
    assert [bar.volume for bar in feed.closed(70)] == [7]


def test_volume_from_outside_the_hours_is_in_no_bar() -> None:
    feed = Feed()
    feed.packet(-600, 100_0000, 0)
    feed.packet(-60, 100_0000, 500_000)
    feed.packet(1, 100_0000, 500_100)
    assert [(bar.start, bar.volume) for bar in feed.closed(70)] == [(OPEN, 100)]
    assert feed.counters["bar_outside"] == 1


def test_minutes_that_were_closed_by_a_clock_ahead_are_built_again() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0)
    feed.packet(1, 100_0000, 10)
    feed.closed(3_600)
    feed.builder.disconnected()
    feed.builder.connected(feed.at(30))
    feed.packet(31, 100_0000, 20)
    feed.packet(61, 101_0000, 30, high=101_0000, low=99_0000)
    assert [(bar.start, bar.volume) for bar in feed.closed(130)] == [(OPEN + 60, 10)]


def test_a_trade_that_comes_too_late_is_counted_and_raises_nothing() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0, high=101_0000, low=99_0000)
    feed.packet(1, 100_0000, 10, high=101_0000, low=99_0000)
    feed.closed(1_000)
    feed.packet(1_010, 102_0000, 20, ltt_s=2, high=102_0000, low=99_0000)
    assert feed.counters["bar_too_late"] == 1


def test_a_day_high_that_is_too_far_from_the_trade_only_marks_the_bar() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0, high=101_0000, low=99_0000)
    feed.packet(1, 100_0000, 10, high=101_0000, low=99_0000)
    feed.packet(2, 100_0000, 20, high=300_000_0000, low=99_0000)
    assert feed.closed(70) == [Bar(OPEN, 100_0000, 100_0000, 100_0000, 100_0000, 20, marks=UNSURE)]


def test_open_interest_belongs_to_the_minute_in_which_it_came() -> None:
    feed = Feed()
    feed.packet(-60, 100_0000, 0, oi=5)
    feed.packet(1, 100_0000, 10, oi=5)
    feed.packet(30, 100_0000, 10, ltt_s=1, oi=99)
    feed.packet(62, 100_0000, 10, ltt_s=1, oi=777)
    assert [bar.oi for bar in feed.closed(70)] == [99]


def test_a_new_high_of_a_price_that_is_snapped_is_no_doubt() -> None:
    feed = Feed()
    feed.packet(-60, 140_000_0000, 0, high=140_000_0000, low=139_000_0000)
    feed.packet(61, 140_000_0125, 10, high=140_000_0125, low=139_000_0000)
    assert [(bar.high, bar.marks) for bar in feed.closed(130)] == [(140_000_0000, 0)]


def stream(seed: int) -> list[tuple[int, int | None, int, int, int | None, DayPrices]]:
    """Return packets (price, trade time, arrival, volume, oi, day) of two minutes, some of them odd."""
    random_ = Random(seed)
    price, volume, high, low = 100_0000, 1_000, 101_0000, 99_0000
    day, packets = DayPrices(100_0000, high, low, 100_0000), []
    at = float(OPEN)
    for _ in range(400):
        at += random_.choice((0, 0.1, 0.3, 1.0))
        price += random_.choice((-3_500, -500, 0, 500, 3_500))
        volume += random_.choice((0, 0, 1, 25))
        if not low <= price <= high:
            high, low = max(high, price), min(low, price)
            day = DayPrices(100_0000, high, low, 100_0000)
        late = random_.choice((0, 0, 0, 0, 0, 1, 4, 15, 70, -4, -9))
        traded = None if random_.random() < 0.02 else int(at) - late
        sent = volume - 30 if random_.random() < 0.02 else volume
        packets.append((price, traded, int(at * 1e6), sent, random_.choice((None, None, 7, 9)), day))
    return packets


@pytest.mark.parametrize("seed", range(40))
def test_the_way_without_calls_gives_the_same_bars(seed: int) -> None:
    """A packet with a day object of its own, though equal, takes the long way."""
    built = []
    for copied in (False, True):
        counters: Counter[str] = Counter()
        builder = BarBuilder(counters, is_open=lambda _segment, _start: True)
        builder.connected((OPEN - 60) * 1_000_000)
        bars: list[object] = []
        for number, (price, traded, arrival, volume, oi, day) in enumerate(stream(seed)):
            own = replace(day) if copied else day
            builder.take([("NSE_EQ:1", price, traded, arrival, volume, own, oi, "", 0, False)])
            if number % 50 == 49:
                bars += builder.close(builder.due(arrival))
        bars += builder.close(builder.due((OPEN + 3_600) * 1_000_000))
        built.append((bars, counters))
    assert built[0] == built[1]
    assert len(built[0][0]) > 1
