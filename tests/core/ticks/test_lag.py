"""Arrival minus trade time, where something traded."""

from __future__ import annotations

import pytest

from ltp.core.ticks.lag import Lag, Lags, clock_error, delay_s, doubts, duration, settled
from ltp.core.ticks.tick import Tick, TickFields

START = 1_795_408_200  # 2026-11-23 10:00 in India


def packet(key: str, at: float, late_s: float, volume: int | None = None) -> TickFields:
    traded = int(START + at - late_s)
    return tuple(
        Tick(key, 1_000_000, traded, int((START + at) * 1e6), 1000 + int(at) if volume is None else volume)
    )


def looked(
    lags: Lags, start: int, stop: int, late_s: dict[str, float], volume: int | None = None
) -> dict[str, Lag]:
    read: dict[str, Lag] = {}
    for at in range(start, stop):
        moves = [
            (packet(key, at, late, volume), packet(key, at - 1, late, volume)) for key, late in late_s.items()
        ]
        read = lags.look(float(at), moves)
    return read


def test_most_instruments_of_a_segment_decide():
    late = {f"NSE_EQ:{number}": 150.0 for number in range(3)} | {
        f"NSE_EQ:{number}": 0.0 for number in range(3, 5)
    }
    read = looked(Lags(), 0, 10, late)
    assert (read["NSE_EQ"].told_s, read["NSE_EQ"].instruments) == (150, 5)
    assert looked(Lags(), 0, 10, {**late, "NSE_EQ:2": 0.0})["NSE_EQ"].told_s == 0


def test_the_99th_percentile_is_of_instruments():
    read = looked(Lags(), 0, 10, {f"NSE_EQ:{number}": 30.0 if number < 2 else 0.0 for number in range(100)})
    assert (read["NSE_EQ"].median_s, read["NSE_EQ"].p99_s) == (0.0, 30.0)


@pytest.mark.parametrize(
    ("late_s", "told_s"), [(9.0, 0), (10.0, 0), (12.0, 10), (42.0, 40), (150.0, 150), (1805.0, 1800)]
)
def test_a_delay_is_told_from_ten_seconds_on_in_steps(late_s: float, told_s: int):
    assert looked(Lags(), 0, 10, {"MCX_COMM:1": late_s})["MCX_COMM"].told_s == told_s


def test_a_delay_that_moves_within_a_step_is_told_the_same():
    lags = Lags()
    told = [looked(lags, at, at + 1, {"NSE_EQ:1": 150.0 + at % 7})["NSE_EQ"].told_s for at in range(60)]
    assert set(told[3:]) == {150}


def test_a_moment_of_lateness_is_no_delay():
    """A process that was stopped reads the backlog of the meantime in one go."""
    lags = Lags()
    looked(lags, 0, 10, {"NSE_EQ:1": 0.0})
    assert looked(lags, 40, 42, {"NSE_EQ:1": 20.0})["NSE_EQ"].told_s == 0
    assert looked(lags, 42, 50, {"NSE_EQ:1": 0.0})["NSE_EQ"].told_s == 0


def test_a_delay_ends_when_prices_come_in_time_again():
    lags = Lags()
    assert looked(lags, 0, 10, {"NSE_EQ:1": 150.0})["NSE_EQ"].told_s == 150
    assert looked(lags, 10, 13, {"NSE_EQ:1": 0.0})["NSE_EQ"].told_s == 0


def test_a_share_that_does_not_trade_is_no_witness():
    """Its packets tell of orders; its last trade may be an hour old."""
    assert looked(Lags(), 0, 20, {"NSE_EQ:1": 3600.0}, volume=500) == {}


def test_an_index_has_no_volume():
    assert looked(Lags(), 0, 20, {"IDX_I:13": 30.0}, volume=0)["IDX_I"].told_s == 30


def test_trade_times_that_went_back_on_one_instrument_are_wrong_and_no_delay():
    lags = Lags()
    looked(lags, 0, 10, {"NSE_EQ:1": 0.0})
    assert looked(lags, 10, 100, {"NSE_EQ:1": 3600.0})["NSE_EQ"].told_s == 0
    assert looked(lags, 100, 200, {"NSE_EQ:1": 3600.0, "NSE_EQ:2": 0.0})["NSE_EQ"].told_s == 0


def test_trade_times_that_went_back_on_all_and_go_on_are_a_delay():
    lags, keys = Lags(), ("NSE_EQ:1", "NSE_EQ:2")
    looked(lags, 0, 10, dict.fromkeys(keys, 0.0))
    assert looked(lags, 10, 20, dict.fromkeys(keys, 150.0))["NSE_EQ"].told_s == 150


def test_trade_times_of_another_epoch_are_no_delay():
    assert looked(Lags(), 0, 20, {"NSE_EQ:1": 315_532_800.0}) == {}


@pytest.mark.parametrize("late_s", [19_800.0, 19_950.0, 19_799.0])
def test_trade_times_that_are_late_by_indias_offset_are_of_another_clock(late_s: float):
    assert looked(Lags(), 0, 20, {"NSE_EQ:1": late_s, "NSE_EQ:2": late_s}) == {}
    assert looked(Lags(), 0, 20, {"NSE_EQ:1": late_s - 1_200})["NSE_EQ"].told_s > 18_000


def test_one_late_packet_of_a_thin_segment_is_no_delay():
    """It stays the newest for many looks."""
    lags = Lags()
    looked(lags, 0, 10, {"MCX_COMM:1": 0.0})
    looked(lags, 10, 11, {"MCX_COMM:1": 20.0})
    assert [lags.look(float(at), ())["MCX_COMM"].told_s for at in range(11, 30)] == [0] * 19
    assert looked(lags, 30, 31, {"MCX_COMM:1": 0.0})["MCX_COMM"].told_s == 0


def test_a_delay_of_a_thin_segment_is_told_after_three_trades():
    lags = Lags()
    for at in (0, 20, 40):
        looked(lags, at, at + 1, {"MCX_COMM:1": 150.0})
    assert lags.look(45.0, ())["MCX_COMM"].told_s == 150


def test_how_late_a_segment_is_stays_open_until_a_delay_is_told():
    lags = Lags()
    assert settled(looked(lags, 0, 2, {"NSE_EQ:1": 150.0, "IDX_I:13": 0.0})) == {"IDX_I": 0}
    assert settled(looked(lags, 2, 4, {"NSE_EQ:1": 150.0, "IDX_I:13": 0.0})) == {"NSE_EQ": 150, "IDX_I": 0}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(10, "10 s"), (60, "1 min"), (150, "2 min 30 s"), (3600, "1 h"), (19_800, "5 h 30 min")],
)
def test_durations_are_words(seconds: float, words: str):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("told_s", "clock_error_s", "words"),
    [
        (150, None, "delayed by 2 min 30 s"),
        (150, 0.4, "delayed by 2 min 30 s"),
        (60, 61.2, "this host's clock is 1 min fast"),
        (150, 60.0, "delayed by 2 min 30 s"),
    ],
)
def test_a_clock_is_told_from_a_delay(told_s: int, clock_error_s: float | None, words: str):
    lag = Lag(float(told_s), float(told_s), 9, told_s)
    assert doubts((), {"NSE_EQ": lag, "IDX_I": Lag(0.4, 1.0, 3)}, clock_error_s) == {"NSE_EQ": words}


@pytest.mark.parametrize(("by_broker_s", "error_s"), [(None, -60), (-58.5, -58.5)])
def test_trades_in_the_future_prove_a_slow_clock_and_no_delay(by_broker_s: float | None, error_s: float):
    lags = {"NSE_EQ": Lag(-60.0, -59.0, 9, -60), "IDX_I": Lag(0.0, 0.0, 1)}
    assert clock_error(by_broker_s, lags) == error_s
    assert doubts((), lags, by_broker_s) == {}
    assert delay_s(lags, by_broker_s) == 0
    assert clock_error(None, {}) is None


@pytest.mark.parametrize(("clock_error_s", "longest_s"), [(None, 150), (0.0, 150), (61.0, 150), (149.0, 60)])
def test_the_longest_delay_is_without_what_the_clock_explains(clock_error_s: float | None, longest_s: int):
    lags = {"NSE_EQ": Lag(150.0, 151.0, 9, 150), "IDX_I": Lag(60.0, 60.0, 1, 60)}
    assert delay_s(lags, clock_error_s) == longest_s


def test_silence_needs_no_words():
    assert doubts(("MCX_COMM",), {}, None) == {"MCX_COMM": ""}
