from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

import pytest

from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST
from ltp.errors import ConfigError
from ltp.worker.market_clock import PROBES, MarketClock


def market(text: str) -> MarketClock:
    at = datetime.fromisoformat(text).replace(tzinfo=IST).timestamp()
    return MarketClock(Calendar.load, clock=lambda: at)


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        ("2026-11-23 08:54", False),
        ("2026-11-23 08:55", True),  # five minutes before the pre-open
        ("2026-11-23 12:00", True),
        ("2026-11-22 12:00", False),  # a Sunday
        ("2026-11-23 18:00", False),
    ],
)
def test_the_feed_is_wanted_from_five_minutes_before_the_exchange_opens(at: str, wanted: bool) -> None:
    assert market(at).wants_feed(["NSE_EQ:1333"]) is wanted
    assert market(at).probes() == (PROBES if wanted else ())


def test_one_open_segment_is_enough_to_want_the_feed() -> None:
    evening = market("2026-11-23 18:00")
    assert evening.wants_feed(["NSE_EQ:1333", "MCX_COMM:1"])
    assert not evening.wants_feed([])


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-23 09:05", False),
        ("2026-11-23 12:00", True),
        ("2026-11-23 15:20", False),
        ("2026-11-23 18:00", False),
    ],
)
def test_silence_of_the_probes_is_a_fault_only_while_they_trade(at: str, expected: bool) -> None:
    assert market(at).expects_packets() is expected


@pytest.mark.parametrize(
    ("at", "segments"),
    [
        ("2026-11-23 09:05", {"NSE_CURRENCY", "BSE_CURRENCY", "MCX_COMM"}),
        ("2026-11-23 15:20", {"NSE_FNO", "BSE_FNO", "NSE_CURRENCY", "BSE_CURRENCY", "MCX_COMM"}),
        ("2026-11-23 21:00", {"MCX_COMM"}),
        ("2026-11-22 12:00", set()),
    ],
)
def test_trading_segments_are_those_in_continuous_trading(at: str, segments: set[str]) -> None:
    assert market(at).trading_segments() == segments


def test_the_close_in_a_packet_is_yesterdays_only_during_the_session() -> None:
    assert "NSE_EQ" in market("2026-11-23 12:00").prev_close_from()
    assert "NSE_EQ" not in market("2026-11-23 15:55").prev_close_from()
    assert "NSE_EQ" not in market("2026-11-22 12:00").prev_close_from()


def test_on_a_sunday_the_last_session_is_fridays() -> None:
    assert market("2026-11-22 12:00").sessions()["NSE_EQ"] == "2026-11-20"


def test_late_changes_are_read_again_and_a_bad_file_changes_nothing() -> None:
    answers: list[Calendar | ConfigError] = [
        Calendar.load(),
        Calendar.always_open(),
        ConfigError("MARKET_CALENDAR_OVERRIDES", "x", "TOML"),
    ]

    def load() -> Calendar:
        answer = answers.pop(0)
        if isinstance(answer, ConfigError):
            raise answer
        return answer

    sunday = MarketClock(load, clock=lambda: datetime(2026, 11, 22, 12, tzinfo=IST).timestamp())
    assert not sunday.is_open("NSE_EQ")
    assert sunday.reload()
    assert sunday.is_open("NSE_EQ")
    assert not sunday.reload()
    assert sunday.is_open("NSE_EQ")


def test_a_late_change_is_followed_and_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "late.toml"
    file.write_text("")
    monday = MarketClock(
        lambda: Calendar.load(file), clock=lambda: datetime(2026, 11, 23, 12, tzinfo=IST).timestamp()
    )
    assert [monday.reload(), monday.is_open("NSE_EQ")] == [False, True]
    file.write_text(
        '[[holidays]]\nsegments = ["NSE_EQ"]\ndays = [{ date = 2026-11-23, name = "Election" }]\n'
    )
    with caplog.at_level(logging.INFO):
        assert [monday.reload(), monday.reload(), monday.is_open("NSE_EQ")] == [True, False, False]
        file.write_text("half a li")
        assert [monday.reload(), monday.reload(), monday.is_open("NSE_EQ")] == [False, False, False]
        file.write_text("")
        assert [monday.reload(), monday.is_open("NSE_EQ")] == [True, True]
    logged = [record.getMessage().split(":")[0] for record in caplog.records]
    assert logged == [
        "The trading hours changed",
        "The trading hours stay as they were",
        "The trading hours changed",
    ]
