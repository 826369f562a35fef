from datetime import date

import pytest

from ltp.core.ticks.tick import LIVE_FOR_S, Tick, state
from ltp.core.trading_day import session_date, session_of

NOW = 1795408200.0  # 2026-11-23 10:00:00 in India
TICK = Tick("NSE_EQ:1333", ltp=16503500, traded_at=int((NOW - 5) * 1e6), received_at=int(NOW * 1e6))
LIVE = {"now": NOW, "feed": "live", "open_": True, "covered": True}


def test_a_fresh_trade_on_a_live_feed_is_live():
    assert state(TICK, **LIVE) == "live"


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [(0.0, "live"), (LIVE_FOR_S, "live"), (LIVE_FOR_S + 0.001, "quiet"), (86_400.0, "quiet")],
)
def test_quiet_after_a_minute_without_a_trade(age_s, expected):
    assert state(TICK._replace(traded_at=round((NOW - age_s) * 1e6)), **LIVE) == expected


@pytest.mark.parametrize("feed", ["silent", "down", "off"])
def test_stale_unless_the_feed_is_live(feed):
    assert state(TICK, **{**LIVE, "feed": feed}) == "stale"


def test_stale_until_the_present_connection_has_spoken_of_it():
    assert state(TICK, **{**LIVE, "covered": False}) == "stale"


@pytest.mark.parametrize("feed", ["live", "silent", "down", "off"])
@pytest.mark.parametrize("covered", [True, False])
def test_closed_whatever_the_feed(feed, covered):
    """A shut market's price is its close; a feed that is off then is no defect."""
    assert state(TICK, now=NOW, feed=feed, open_=False, covered=covered) == "closed"


@pytest.mark.parametrize(
    "tick", [None, Tick("NSE_EQ:1333"), Tick("NSE_EQ:1333", volume=5, prev_close=100, received_at=1)]
)
@pytest.mark.parametrize("open_", [True, False])
def test_unknown_without_a_price(tick, open_):
    assert state(tick, **{**LIVE, "open_": open_}) == "unknown"


def test_a_rest_price_is_never_live():
    assert state(TICK._replace(rest=True), **LIVE) == "quiet"


def test_a_trade_of_unknown_instant_is_not_live():
    assert state(TICK._replace(traded_at=0), **LIVE) == "quiet"


@pytest.mark.parametrize(
    ("epoch_s", "session"),
    [
        (NOW, "2026-11-23"),
        (1795372199.0, "2026-11-22"),
        (1795372200.0, "2026-11-23"),
        (1795458599.9, "2026-11-23"),
    ],
)
def test_a_session_is_the_day_in_india(epoch_s, session):
    """Midnight there is 18:30 UTC."""
    assert session_of(epoch_s) == session


def test_session_date():
    assert session_date("2026-11-23") == date(2026, 11, 23)
    assert session_date("") is None
