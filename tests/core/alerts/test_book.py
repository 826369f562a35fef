"""The book: what fires at which packet, how, and only once."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any, Final

import pytest

from ltp.core.alerts.alert import BETWEEN_PACKETS, GAP_AT_OPEN, TRADE, WHILE_DISCONNECTED
from ltp.core.alerts.book import RuleBook
from ltp.core.alerts.rule import parse_rule
from ltp.core.alerts.watch import Hit, Watch
from ltp.core.ticks.tick import UNKNOWN_DAY, DayPrices, TickFields

OPEN: Final = 1_796_010_300  # 2026-11-30T09:15:00+05:30
DAY: Final = 86_400
KEY: Final = "NSE_EQ:1333"


def watch(text: str, alert_id: int = 1, key: str = KEY, **fields: Any) -> Watch:
    values = fields.pop("values", {})
    return Watch(alert_id, 1, key, parse_rule(text), values, **fields)


class Market:
    """A feed of one instrument: prices in rupees at seconds after the open."""

    def __init__(self, *watches: Watch, phase: str = "continuous", key: str = KEY) -> None:
        self.phase, self.key = phase, key
        self.book = RuleBook(Counter(), phase=lambda _segment, _minute: self.phase)
        self.book.replace(watches)
        self.book.connected(1)
        self.volume, self.day = 1_000, UNKNOWN_DAY
        self.connection = 1

    def trade(
        self,
        price: float,
        at: float,
        *,
        high: float | None = None,
        low: float | None = None,
        key: str = "",
        same: bool = False,
        ltt: int | None = None,
        open_: float = 100,
        close: float = 100,
    ) -> list[Hit]:
        """Send one packet; `high` and `low` are the day's, by default as before or the price."""
        self.volume += 0 if same else 10
        day = DayPrices(
            *(
                round(each * 10_000)
                for each in (open_, high or max(price, self._high), low or min(price, self._low), close)
            )
        )
        if day != self.day:
            self.day = day
        second = OPEN + int(at) if ltt is None else ltt
        tick: TickFields = (
            key or self.key, round(price * 10_000), second, int((OPEN + at) * 1e6), self.volume, self.day, None, "", 0, False,
        )  # fmt: skip
        return self.book.take([tick])

    def reconnect(self) -> None:
        self.book.disconnected()
        self.connection += 1
        self.book.connected(self.connection)

    @property
    def _high(self) -> float:
        return (self.day.high or 0) / 10_000

    @property
    def _low(self) -> float:
        return (self.day.low or 10**12) / 10_000


def hows(hits: list[Hit]) -> list[tuple[int, str, float]]:
    return [(hit.alert_id, hit.how, hit.ltp / 10_000) for hit in hits]


def test_a_cross_fires_once_until_the_price_was_back() -> None:
    market = Market(watch("ltp > 105"))
    assert market.trade(104, 1) == []
    assert hows(market.trade(106, 2)) == [(1, TRADE, 106)]
    assert market.trade(107, 3) == []
    assert market.trade(105, 4) == []  # not above it any more
    assert hows(market.trade(105.05, 5)) == [(1, TRADE, 105.05)]


def test_an_exact_touch_meets_at_least_and_not_above() -> None:
    market = Market(watch("ltp > 105", 1), watch("ltp >= 105", 2))
    market.trade(104, 1)
    assert hows(market.trade(105, 2)) == [(2, TRADE, 105)]
    assert hows(market.trade(105.05, 3)) == [(1, TRADE, 105.05)]


def test_what_is_met_at_the_first_packet_does_not_fire() -> None:
    market = Market(watch("ltp > 105"))
    assert market.trade(110, 1) == []
    assert market.trade(104, 2) == []
    assert hows(market.trade(106, 3)) == [(1, TRADE, 106)]


def test_a_watch_that_is_added_while_it_is_met_waits_for_the_way_back() -> None:
    market = Market(watch("ltp > 1000"))
    market.trade(110, 1)
    market.book.replace([watch("ltp > 105", 2)])
    assert market.trade(111, 2) == []
    assert market.trade(104, 3) == []
    assert hows(market.trade(106, 4)) == [(2, TRADE, 106)]


def test_hysteresis_keeps_an_oscillating_price_from_firing() -> None:
    market = Market(watch("ltp >= 100", hysteresis=1.0))
    market.trade(99.5, 1)
    assert len(market.trade(100, 2)) == 1
    for at in range(3, 20):
        assert market.trade(99.5 if at % 2 else 100.2, at) == []
    market.trade(99, 20)
    assert hows(market.trade(100.1, 21)) == [(1, TRADE, 100.1)]


def test_without_hysteresis_each_oscillation_fires() -> None:
    market = Market(watch("ltp >= 100"))
    market.trade(99.5, 1)
    fired = sum(len(market.trade(99.5 if at % 2 else 100.2, at)) for at in range(2, 22))
    assert fired == 10


@pytest.mark.parametrize(
    ("text", "high", "low", "price"), [("ltp >= 105", 105.5, None, 105.5), ("ltp <= 95", None, 94.5, 94.5)]
)
def test_a_touch_between_two_packets_fires(
    text: str, high: float | None, low: float | None, price: float
) -> None:
    market = Market(watch(text))
    market.trade(100, 1, high=101, low=99)
    hits = market.trade(100.5, 2, high=high, low=low)
    assert hows(hits) == [(1, BETWEEN_PACKETS, price)]
    assert (hits[0].since, hits[0].until) == (int((OPEN + 1) * 1e6), int((OPEN + 2) * 1e6))
    assert market.trade(100.6, 3) == []


def test_a_thousand_touches_between_packets_are_a_thousand_hits_and_no_more() -> None:
    random = Random(7)
    market = Market(watch("ltp >= 5001"))
    top, at, hits = 5_000.0, 1, []
    market.trade(top, at)
    for _ in range(1_000):
        level = round(top + random.choice((0.05, 0.5, 2)), 2)
        market.book.replace([watch(f"ltp >= {level}")])
        near = round(level - 0.05, 2)
        assert market.trade(near, at + 1) == []  # so near, and no alert
        top = level + random.choice((0, 0.05))
        hits += market.trade(near, at + 2, high=top)
        assert market.trade(near, at + 3) == []
        at += 3
    assert Counter(hit.how for hit in hits) == {BETWEEN_PACKETS: 1_000}


def test_a_day_high_that_was_there_before_proves_nothing() -> None:
    market = Market(watch("ltp >= 105"))
    assert market.trade(100, 1, high=106, low=99) == []
    assert market.trade(101, 2) == []
    assert [(blind.alert_id, blind.level.bound) for blind in market.book.blind()] == [(1, 105_0000)]
    assert hows(market.trade(105, 3)) == [(1, TRADE, 105)]
    assert list(market.book.blind()) == []


def test_a_day_high_too_far_from_the_price_is_damage() -> None:
    market = Market(watch("ltp >= 105"))
    market.trade(100, 1, high=101, low=99)
    assert market.trade(100, 2, high=100_000) == []


def test_repeats_and_changes_of_the_book_alone_are_no_trade() -> None:
    market = Market(watch("ltp > 105"))
    market.trade(104, 1)
    market.trade(106, 2)
    market.trade(104, 3)
    again = OPEN + 2
    assert market.trade(104, 4, same=True, ltt=OPEN + 3) == []
    assert market.trade(106, 5, same=True, ltt=again) == []  # an older trade time without volume


def test_a_gap_at_the_open_fires_once_and_says_so() -> None:
    memory = {"last": 100_0000, "last_at": (OPEN - DAY) * 1_000_000}
    market = Market(watch("ltp > 105", **memory))
    hits = market.trade(107, 1, open_=106.5, high=107, low=106)
    assert hows(hits) == [(1, GAP_AT_OPEN, 107)]
    assert market.trade(108, 2, open_=106.5) == []


def test_a_gap_that_closed_before_the_first_packet_still_fires() -> None:
    memory = {"last": 100_0000, "last_at": (OPEN - DAY) * 1_000_000}
    market = Market(watch("ltp > 105", **memory))
    assert hows(market.trade(103, 1, open_=106, high=106, low=103)) == [(1, GAP_AT_OPEN, 106)]


def test_a_new_session_on_the_same_connection_is_a_gap_too() -> None:
    market = Market(watch("ltp > 105"))
    market.trade(100, 1)
    market.day = UNKNOWN_DAY
    assert hows(market.trade(107, DAY + 1, open_=107, high=107, low=107)) == [(1, GAP_AT_OPEN, 107)]


def test_a_level_passed_in_the_day_before_the_first_packet_was_passed_while_disconnected() -> None:
    memory = {"last": 100_0000, "last_at": (OPEN - DAY) * 1_000_000}
    market = Market(watch("ltp > 105", 1, **memory), watch("ltp < 95", 2, **memory))
    hits = market.trade(101, 3_600, open_=100, high=106, low=94)
    assert hows(hits) == [(1, WHILE_DISCONNECTED, 106), (2, WHILE_DISCONNECTED, 94)]


def test_a_reconnect_shows_what_happened_in_between() -> None:
    market = Market(watch("ltp > 105", 1), watch("ltp < 95", 2), watch("ltp > 200", 3))
    market.trade(100, 1, high=101, low=99)
    market.reconnect()
    hits = market.trade(106, 120, high=106, low=94)
    assert hows(hits) == [(1, WHILE_DISCONNECTED, 106), (2, WHILE_DISCONNECTED, 94)]
    assert (hits[0].since, hits[0].until) == (int((OPEN + 1) * 1e6), int((OPEN + 120) * 1e6))
    assert market.book.take_gaps() == [(KEY, int((OPEN + 1) * 1e6), int((OPEN + 120) * 1e6))]
    assert market.book.take_gaps() == []


def test_the_first_packet_of_a_connection_that_repeats_the_last_trade_changes_nothing() -> None:
    market = Market(watch("ltp > 105"))
    market.trade(104, 1)
    market.trade(106, 2)
    market.reconnect()
    assert market.trade(106, 60, same=True, ltt=OPEN + 2) == []
    assert market.trade(107, 61) == []


def test_the_price_of_an_earlier_day_is_no_price_of_this_one() -> None:
    memory = {"last": 100_0000, "last_at": (OPEN - 3 * DAY) * 1_000_000}
    market = Market(watch("ltp > 105", **memory))
    assert market.trade(106, 1, ltt=OPEN - DAY, open_=106) == []
    assert hows(market.trade(107, 2, open_=106.5)) == [(1, GAP_AT_OPEN, 107)]


def test_a_restart_goes_on_where_it_was() -> None:
    market = Market(watch("ltp > 105"))
    market.trade(104, 1)
    market.trade(106, 2)
    (memory,) = market.book.memory()
    assert memory == (1, 1, KEY, False, 106_0000, (OPEN + 2) * 1_000_000)
    assert market.book.memory() == []
    later = Market(watch("ltp > 105", armed=memory.armed, last=memory.last, last_at=memory.last_at))
    assert later.trade(107, 60) == []
    assert later.trade(104, 61) == []
    assert hows(later.trade(106, 62)) == [(1, TRADE, 106)]


def test_a_level_passed_while_the_worker_was_away() -> None:
    memory = {"last": 104_0000, "last_at": (OPEN + 1) * 1_000_000}
    market = Market(watch("ltp > 105", **memory))
    hits = market.trade(106, 60)
    assert hows(hits) == [(1, WHILE_DISCONNECTED, 106)]
    assert hits[0].since == (OPEN + 1) * 1_000_000


def test_other_phases_leave_a_watch_armed() -> None:
    market = Market(watch("ltp > 105", 1), watch("ltp > 105", 2, phases=("pre_open",)), phase="pre_open")
    market.trade(100, -600)
    assert hows(market.trade(106, -500)) == [(2, TRADE, 106)]
    market.phase = "continuous"
    market.book.connected(1)
    assert hows(market.trade(107, 1)) == [(1, TRADE, 107)]


def test_prices_outside_of_their_own_day_and_from_rest_are_left_out() -> None:
    market = Market(watch("ltp > 105"))
    market.trade(100, 1, high=101, low=99)
    absurd = (KEY, 900_0000, OPEN + 2, int((OPEN + 2) * 1e6), 5_000, market.day, None, "", 0, False)
    rest = (KEY, 106_0000, OPEN + 3, int((OPEN + 3) * 1e6), 6_000, UNKNOWN_DAY, None, "", 0, True)
    assert market.book.take([absurd, rest]) == []
    assert market.book.counters["alert_absurd"] == 1


def test_an_overtaken_packet_is_a_price_that_was_traded() -> None:
    market = Market(watch("ltp > 105"), watch("ltp < 103", 2))
    market.trade(104, 10, high=106, low=99)
    market.trade(104.5, 12)
    late = (
        KEY,
        106_0000,
        OPEN + 11,
        int((OPEN + 12) * 1e6),
        market.volume - 5,
        market.day,
        None,
        "",
        0,
        False,
    )
    assert hows(market.book.take([late])) == [(1, TRADE, 106)]
    assert market.trade(104, 13) == []
    assert hows(market.trade(106, 14)) == [(1, TRADE, 106)]


def test_the_change_in_per_cent_is_a_level_of_the_previous_close() -> None:
    market = Market(watch("change_pct <= -3"))
    market.trade(98, 1)
    assert hows(market.trade(97, 2)) == [(1, TRADE, 97)]
    market.trade(99, 3)
    # The next day it is that of another close, and the day's range says that it was passed.
    market.day = UNKNOWN_DAY
    assert market.trade(97, DAY + 1, open_=99, high=99, low=97, close=99) == []
    assert hows(market.trade(96, DAY + 2, open_=99, close=99)) == [(1, TRADE, 96)]


def test_a_rule_of_several_parts_is_judged_at_each_packet() -> None:
    market = Market(
        watch("ltp > day_open and day_volume > 1025", 1),
        watch("ltp > day_low * 1.05 or ltp < sma(volume, 20)", 2, values={"sma(volume, 20)": 90.0}),
        watch("crosses_above(ltp, day_open)", 3),
    )
    assert market.trade(99, 1) == []
    assert hows(market.trade(101, 2)) == [(3, TRADE, 101)]
    assert hows(market.trade(101.5, 3)) == [(1, TRADE, 101.5)]
    assert hows(market.trade(104, 4)) == [(2, TRADE, 104)]
    assert market.trade(99, 5) == []
    assert hows(market.trade(102, 6)) == [(1, TRADE, 102), (3, TRADE, 102)]


def test_an_unknown_term_keeps_a_rule_from_firing() -> None:
    market = Market(watch("ltp > high52", values={"high52": None}))
    market.trade(1, 1, high=1, low=1)
    assert market.trade(1.5, 2) == []
    assert market.book.reading(1, KEY).missing == "high52"
    market.book.replace([watch("ltp > high52", values={"high52": 1.6})])
    assert hows(market.trade(1.7, 3)) == [(1, TRADE, 1.7)]


def test_the_ratio_of_two_instruments() -> None:
    other = "NSE_EQ:2885"
    market = Market(watch(f'ltp / of("{other}", ltp) > 1.2'))
    assert market.trade(100, 1) == []  # the other one has no price yet
    assert market.trade(90, 2, key=other, high=100, low=90) == []
    assert hows(market.trade(80, 3, key=other)) == [(1, TRADE, 80)]
    assert market.trade(90, 4, key=other) == []
    assert hows(market.trade(110, 5)) == [(1, TRADE, 110)]
    market.reconnect()
    # Its price is of the connection before: nobody knows it now.
    assert market.trade(80, 60, low=80) == []
    assert market.trade(112, 61) == []


def test_what_a_rule_saw_last() -> None:
    market = Market(watch("ltp > 105", 1), watch("day_volume > 2000", 2), watch("change_pct < -3", 3))
    assert market.book.reading(1, KEY) == (None, 105.0, None, "", 0)
    market.trade(104, 1)
    assert market.book.reading(1, KEY) == (104.0, 105.0, False, "", (OPEN + 1) * 1_000_000)
    assert market.book.reading(2, KEY)[:3] == (1010, 2000.0, False)
    assert market.book.reading(3, KEY)[:3] == (4.0, -3.0, False)
    assert market.book.reading(9, KEY).at == 0


def test_a_watch_can_be_armed_and_disarmed_from_outside() -> None:
    market = Market(watch("ltp > 105"))
    market.trade(104, 1)
    assert len(market.trade(106, 2)) == 1
    market.book.rearm(1, KEY)
    assert len(market.trade(107, 3)) == 1
    market.trade(104, 4)
    market.book.disarm(1, KEY)
    assert market.trade(104.5, 5) == []
    assert len(market.trade(106, 6)) == 1


def test_ticker_packets_have_no_range_and_the_next_range_does_not_prove_their_prices_again() -> None:
    market = Market(watch("ltp > 105"))
    market.trade(104, 1)
    assert list(market.book.blind()) == []

    def ticker(price: float, at: int) -> list[Hit]:
        fields = (KEY, round(price * 10_000), OPEN + at, (OPEN + at) * 1_000_000, None, UNKNOWN_DAY)
        return market.book.take([(*fields, None, "", 0, False)])

    assert ticker(104.5, 2) == []
    assert [blind.alert_id for blind in market.book.blind()] == [1]
    assert hows(ticker(106, 3)) == [(1, TRADE, 106.0)]
    assert ticker(104, 4) == []
    assert market.trade(104.2, 5, high=106) == []
    assert hows(market.trade(104.3, 6, high=106.5)) == [(1, BETWEEN_PACKETS, 106.5)]


def test_a_key_that_means_another_instrument_starts_anew() -> None:
    market = Market(watch("ltp > 105"))
    market.trade(104, 1)
    market.book.forget([KEY])
    assert market.trade(500, 2, high=500, low=400) == []
    assert market.book.reading(1, KEY).value == 500.0


def test_removed_watches_are_gone() -> None:
    rules = [watch("ltp > 105", 1), watch('ltp > of("NSE_EQ:2885", ltp)', 2), watch("ltp < 95", 3)]
    market = Market(*rules)
    market.trade(100, 1)
    market.book.replace(rules[2:])
    assert market.trade(106, 2) == []
    assert len(market.trade(94, 3)) == 1
    market.book.replace([])
    assert market.trade(100, 4) == []
    assert list(market.book.blind()) == []


def test_a_thousand_rules_of_one_instrument_fire_like_one_by_one() -> None:
    """Against the plain definition: met now, and not met at the price before."""
    random = Random(11)
    levels = {number: round(random.uniform(90, 110), 2) for number in range(1, 1_001)}
    above = {number: number % 2 == 0 for number in levels}
    market = Market(*(watch(f"ltp {'>=' if above[n] else '<='} {level}", n) for n, level in levels.items()))
    price = before = 100.0
    market.trade(price, 1, high=111, low=89)

    def met(number: int, at: float) -> bool:
        return at >= levels[number] if above[number] else at <= levels[number]

    for at in range(2, 300):
        before, price = price, round(price + random.uniform(-3, 3), 2)
        price = min(110.5, max(89.5, price))
        expected = {number for number in levels if met(number, price) and not met(number, before)}
        assert {hit.alert_id for hit in market.trade(price, at)} == expected


def test_a_later_trade_of_the_same_second_is_new_on_the_next_connection() -> None:
    market = Market(watch("ltp > 105"))
    market.trade(104, 10)
    market.reconnect()
    assert market.trade(104, 10.2, same=True) == []
    market.reconnect()
    assert [hit.how for hit in market.trade(106, 10.5)] == [WHILE_DISCONNECTED]
