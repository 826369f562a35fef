"""Which packet wins and when its price was traded, through the table that asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import pytest

from ltp.core.ticks.conflate import Conflator
from ltp.core.ticks.off_sessions import OffSessions
from ltp.core.ticks.tick import Tick
from ltp.core.trading_day import IST

SHARE: Final = "NSE_EQ:2885"
TEN: Final = int(datetime(2026, 11, 23, 10, 0, tzinfo=IST).timestamp())
DAY: Final = 86_400
HOUR: Final = 3_600


class Table:
    """A table on a connection that was subscribed at ten; each packet arrives a second after the one before."""

    def __init__(
        self,
        delay_s: dict[str, float] | None = None,
        sessions: Callable[[str, str], bool] = lambda _segment, _day: True,
    ) -> None:
        self.table = Conflator(OffSessions(sessions))
        self.table.admit([SHARE])
        self.delays(delay_s or {})
        self.table.connected(TEN * 1_000_000)
        self.now = TEN

    def delays(self, delay_s: dict[str, float]) -> None:
        self.table.configure(
            tick_size=lambda _: 0,
            prev_close_from=frozenset(),
            sessions={"NSE_EQ": "2026-11-23"},
            delay_s=delay_s,
        )

    def packet(self, ltp: int, ltt: int | None, volume: int | None, after_s: int = 1, **fields: Any) -> Tick:
        self.now += after_s
        self.table.apply([Tick(SHARE, ltp, ltt, self.now * 1_000_000, volume, **fields)])
        known = self.table.get(SHARE)
        assert known is not None
        return known

    def age_s(self, known: Tick) -> float:
        return self.now - known.traded_at / 1e6


def test_an_older_packet_without_a_trade_time_changes_nothing() -> None:
    table = Table()
    known = table.packet(22_120_000, TEN - HOUR, 5_000_000)
    for ltt in (0, 315_532_800):
        for _ in range(10):
            assert table.packet(20_229_500, ltt, 0) == known
    assert table.table.counters["out_of_order"] == 20


def test_of_two_packets_of_one_second_the_larger_volume_wins() -> None:
    table = Table()
    known = table.packet(14_937_500, TEN, 344_603)
    assert table.packet(14_930_500, TEN, 343_784, after_s=0) == known
    assert table.packet(14_940_000, TEN, 344_700, after_s=0).ltp == 14_940_000


def test_a_larger_volume_wins_over_an_earlier_trade_time() -> None:
    table = Table()
    table.packet(100, TEN, 10)
    known = table.packet(101, TEN - 5, 11)
    assert (known.ltp, known.volume, known.ltt, table.age_s(known)) == (101, 11, None, 0)


def test_without_volume_the_trade_time_decides_and_then_the_arrival() -> None:
    table = Table()
    table.packet(100, TEN, None)
    assert table.packet(101, TEN - 1, None).ltp == 100
    assert table.packet(102, TEN, None).ltp == 102


def test_a_volume_that_falls_and_stays_is_a_correction() -> None:
    table = Table()
    table.packet(100, TEN, 1_000)
    assert [table.packet(101 + n, TEN + n, 900 + n).ltp for n in range(3)] == [100, 100, 103]
    assert table.table.get(SHARE)._replace(received_at=0) == Tick(  # type: ignore[union-attr]
        SHARE, 103, TEN + 2, 0, 902, session="2026-11-23", traded_at=(TEN + 2) * 1_000_000
    )
    assert table.table.counters["corrected"] == 1


def test_a_newer_packet_between_denies_a_correction() -> None:
    table = Table()
    table.packet(100, TEN, 1_000)
    for n in range(6):
        table.packet(90, TEN + n, 900 + n)
        known = table.packet(100, TEN + n, 1_001 + n)
        assert (known.ltp, known.volume) == (100, 1_001 + n)
    assert table.table.counters["corrected"] == 0


def test_an_older_snapshot_that_is_repeated_is_no_correction() -> None:
    table = Table()
    known = table.packet(100, TEN, 1_000)
    for _ in range(10):
        assert table.packet(90, TEN - 60, 900) == known


def test_a_trade_time_that_went_back_for_good_does_not_stop_a_ticker() -> None:
    table = Table()
    table.packet(100, TEN, None)
    assert [table.packet(101 + n, TEN - HOUR + n, None).ltp for n in range(3)] == [100, 100, 103]
    assert table.packet(104, TEN - HOUR + 3, None).ltp == 104


def test_a_frozen_trade_time_is_distrusted_once_the_volume_contradicts_it() -> None:
    table = Table()
    ages = [table.age_s(table.packet(100 + n, TEN, 1_000 + n)) for n in range(30)]
    assert max(ages) <= 12
    assert ages[-1] == 0
    assert table.table.counters["ltt_distrusted"] > 10


def test_a_distrusted_trade_time_does_not_age_the_price_when_nothing_trades() -> None:
    table = Table()
    for n in range(20):
        traded = table.packet(100 + n, TEN, 1_000 + n)
    assert table.packet(119, TEN, 1_019).traded_at == traded.traded_at


@pytest.mark.parametrize("back_s", [60, HOUR, 10 * 365 * DAY])
def test_a_trade_time_that_went_back_while_the_volume_rises_is_distrusted(back_s: int) -> None:
    table = Table()
    table.packet(100, TEN, 1_000)
    for n in range(1, 100):
        known = table.packet(100 + n, TEN - back_s + n, 1_000 + n)
        assert (known.ltp, known.ltt, known.session, table.age_s(known)) == (100 + n, None, "2026-11-23", 0)


def test_a_trade_time_of_another_epoch_is_none() -> None:
    table = Table()
    first = table.packet(100, TEN - 10 * 365 * DAY, 1_000)
    assert (first.ltt, first.traded_at, first.session) == (None, 0, "2026-11-23")
    known = table.packet(101, TEN - 10 * 365 * DAY + 1, 1_001)
    assert (known.ltt, known.session, table.age_s(known)) == (None, "2026-11-23", 0)


def test_a_trade_time_frozen_since_yesterday_does_not_hide_that_it_trades() -> None:
    table = Table()
    table.packet(100, TEN - DAY, 1_000)
    known = table.packet(101, TEN - DAY, 1_001)
    assert (known.ltp, known.session, table.age_s(known)) == (101, "2026-11-23", 0)


def test_a_distrusted_trade_time_is_believed_again_when_it_agrees_with_the_arrival() -> None:
    table = Table()
    table.packet(100, TEN, 1_000)
    table.packet(101, TEN - HOUR, 1_001)
    known = table.packet(102, table.now, 1_002)
    assert (known.ltt, known.traded_at) == (table.now - 1, (table.now - 1) * 1_000_000)


def test_where_most_are_late_the_trade_time_is_the_truth() -> None:
    table = Table({"NSE_EQ": 150.0})
    for n in range(10):
        known = table.packet(100 + n, TEN - 150 + n, 1_000 + n)
        assert known.ltt == TEN - 150 + n


def test_where_most_are_punctual_one_that_is_late_is_distrusted() -> None:
    table = Table({"NSE_EQ": 0.4})
    table.packet(100, TEN - 150, 1_000)
    known = table.packet(101, TEN - 149, 1_001)
    assert (known.ltt, table.age_s(known)) == (None, 0)


def test_late_trade_times_count_until_it_is_known_how_late_the_others_are() -> None:
    table = Table()
    table.packet(100, TEN - 150, 1_000)
    assert table.packet(101, TEN - 149, 1_001).ltt == TEN - 149


def test_the_first_packet_of_a_day_repeats_the_trade_before_with_its_volume_cleared() -> None:
    table = Table()
    table.packet(100, TEN - DAY, 1_000)
    known = table.packet(100, TEN - DAY, 0)
    assert (known.volume, known.received_at) == (1_000, table.now * 1_000_000)


def test_yesterdays_volume_does_not_order_todays_packets() -> None:
    table = Table()
    table.packet(100, TEN - 60, 1_000, after_s=-DAY)
    known = table.packet(101, TEN - 60, 0, after_s=DAY)
    assert (known.ltp, known.volume) == (101, 0)


def test_a_snapshot_of_yesterday_with_its_larger_volume_changes_nothing_of_today() -> None:
    table = Table()
    known = table.packet(101, TEN, 2_500)
    for _ in range(2):
        assert table.packet(100, TEN - DAY, 5_000_000) == known
    known = table.packet(102, TEN + 3, 2_600)
    for _ in range(9):
        assert table.packet(100, TEN - DAY, 5_000_000) == known


def test_a_trade_time_that_went_back_by_a_day_stops_a_price_for_two_seconds() -> None:
    table = Table()
    table.packet(100, TEN, 1_000)
    shown = [table.packet(100 + n, TEN + n - DAY, 1_000 + n) for n in range(1, 9)]
    assert [known.ltp for known in shown] == [100, 100, *range(103, 109)]
    assert (shown[-1].ltt, shown[-1].session, table.age_s(shown[-1])) == (None, "2026-11-23", 0)


def test_a_trade_time_that_agrees_with_the_arrival_is_believed_after_a_wrong_volume() -> None:
    table = Table()
    table.packet(100, TEN, 1_000)
    table.packet(101, 0, 4_000_000_000)
    known = [table.packet(101 + n, TEN + 1 + n, 1_000 + n) for n in range(1, 4)][-1]
    assert (known.ltp, known.volume, known.ltt) == (104, 1_003, TEN + 4)


def test_rest_is_ordered_by_volume_too() -> None:
    table = Table()
    fed = table.packet(100, 0, 1_000)
    assert table.packet(99, TEN + 5, 900, rest=True) == fed
    known = table.packet(101, TEN + 6, 1_100, rest=True)
    assert (known.ltp, known.volume, known.rest) == (101, 1_100, True)


def test_a_price_dated_on_no_session_is_none_until_the_volume_proves_that_it_trades() -> None:
    table = Table(sessions=lambda _segment, day: day != "2026-11-22")
    with pytest.raises(AssertionError):
        table.packet(100, TEN - DAY, 1_000)
    with pytest.raises(AssertionError):
        table.packet(100, TEN - DAY, 1_000)
    known = table.packet(101, TEN - DAY, 1_001)
    assert (known.ltp, known.ltt, known.session, table.age_s(known)) == (101, None, "2026-11-23", 0)
    assert table.packet(102, table.now, 1_002).ltt == table.now - 1
