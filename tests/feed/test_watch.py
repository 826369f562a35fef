"""Instants are seconds after the connection was opened at 100."""

from __future__ import annotations

import pytest

from ltp.core.ticks.tick import Tick
from ltp.feed.watch import TradeTimeAlarm, Watch

NEVER = float("-inf")


def watch_with_packet(at: float) -> Watch:
    watch = Watch(100.0)
    watch.progress(at, bytes_read=50, frames_read=1, half_read=False)
    watch.packet(at)
    return watch


def keep_pinging(watch: Watch, *instants: float) -> None:
    for count, now in enumerate(instants, start=2):
        watch.progress(now, bytes_read=50 * count, frames_read=count, half_read=False)


def test_silence_is_shown_after_ten_seconds_without_a_packet():
    watch = watch_with_packet(105.0)
    assert not watch.silent(114.9, in_session=True)
    assert watch.silent(115.0, in_session=True)
    watch.packet(115.5)
    assert not watch.silent(116.0, in_session=True)


def test_pings_are_no_packets():
    watch = watch_with_packet(105.0)
    keep_pinging(watch, 110.0, 120.0, 130.0)
    assert watch.verdict(129.9, NEVER) == ("", "")
    assert watch.verdict(130.0, NEVER)[0] == "silent"


def test_a_connection_without_any_packet_is_silent_at_any_hour():
    assert Watch(100.0).silent(110.0, in_session=False)
    assert Watch(100.0).silent(110.0, in_session=True)


def test_silence_means_nothing_out_of_session():
    watch = watch_with_packet(105.0)
    for now in range(110, 4000, 10):
        watch.progress(float(now), bytes_read=now, frames_read=now, half_read=False)
        assert not watch.silent(float(now), in_session=False)
        assert watch.verdict(float(now), NEVER) == ("", "")


def test_silence_counts_from_the_start_of_the_session():
    """Or the first second of trading would reconnect a feed that was rightly silent overnight."""
    watch = watch_with_packet(105.0)
    keep_pinging(watch, 990.0)
    watch.silent(1000.0, in_session=False)
    assert not watch.silent(1009.0, in_session=True)
    assert watch.silent(1010.0, in_session=True)
    assert watch.verdict(1024.0, NEVER) == ("", "")
    assert watch.verdict(1025.0, NEVER)[0] == "silent"


def test_silence_reconnects_at_most_once_a_minute():
    watch = Watch(100.0)
    keep_pinging(watch, 130.0, 159.0)
    assert watch.verdict(159.0, last_silent_reconnect=100.0) == ("", "")
    assert watch.verdict(160.0, last_silent_reconnect=100.0)[0] == "silent"


def test_no_byte_for_forty_seconds_is_death_also_out_of_session():
    watch = watch_with_packet(105.0)
    watch.silent(144.9, in_session=False)
    assert watch.verdict(144.9, NEVER) == ("", "")
    assert watch.verdict(145.0, NEVER)[0] == "dead"


def test_half_a_frame_may_take_ten_seconds():
    watch = watch_with_packet(105.0)
    watch.progress(106.0, bytes_read=60, frames_read=1, half_read=True)
    watch.progress(115.0, bytes_read=61, frames_read=1, half_read=True)
    assert watch.verdict(115.9, NEVER) == ("", "")
    assert watch.verdict(116.0, NEVER)[0] == "half_frame"


def test_a_busy_stream_whose_chunks_end_in_frames_is_healthy():
    watch = Watch(100.0)
    for count in range(1, 40):
        watch.progress(100.0 + count, bytes_read=60 * count, frames_read=count, half_read=True)
        watch.packet(100.0 + count)
        assert watch.verdict(100.0 + count, NEVER) == ("", "")


def test_a_quiet_transport_is_pinged_once():
    watch = watch_with_packet(105.0)
    assert [watch.ping_due(now) for now in (119.9, 120.0, 121.0)] == [False, True, False]
    keep_pinging(watch, 122.0)
    assert [watch.ping_due(now) for now in (136.9, 137.0)] == [False, True]


def ticks_off_by(seconds: int) -> list[tuple[Tick, float]]:
    """One tick a second for a minute and a half, each with the monotonic second it came in."""
    start = 1_795_408_200
    return [
        (Tick("NSE_EQ:1333", 1, start + at + seconds, (start + at) * 1_000_000), float(at))
        for at in range(90)
    ]


@pytest.mark.parametrize("offset", [-19_800, 19_800, 19_790])
def test_trade_times_off_by_indias_offset_are_reported_once(offset: int):
    alarm = TradeTimeAlarm()
    warnings = [sentence for tick, now in ticks_off_by(offset) if (sentence := alarm.sample([tick], now))]
    assert len(warnings) == 1
    assert f"{5.5 if offset > 0 else -5.5:+.1f} h" in warnings[0]


@pytest.mark.parametrize("offset", [0, -60, -3600, 3600])
def test_other_gaps_are_the_markets_own(offset: int):
    alarm = TradeTimeAlarm()
    assert not any(alarm.sample([tick], now) for tick, now in ticks_off_by(offset))


def test_one_tick_a_second_is_enough():
    """A burst of one instrument that last traded 5.5 hours ago is no proof."""
    alarm = TradeTimeAlarm()
    burst = ticks_off_by(-19_800)
    assert not any(alarm.sample([tick], 5.0) for tick, _ in burst)


def test_ticks_without_a_trade_time_are_no_samples():
    alarm = TradeTimeAlarm()
    assert not any(alarm.sample([Tick("NSE_EQ:1333", 1)], float(now)) for now in range(100))
