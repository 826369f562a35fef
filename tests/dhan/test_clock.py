import pytest

from ltp.dhan.clock import ltt_to_utc, trade_time_to_utc, utc_to_ltt, utc_to_trade_time

TEN_IN_INDIA = 1795408200  # 2026-11-23 10:00:00 +05:30


def test_ltt_is_the_indian_clock_written_as_utc():
    assert ltt_to_utc(1795428000) == TEN_IN_INDIA
    assert utc_to_ltt(TEN_IN_INDIA) == 1795428000


def test_a_recorded_ltt_falls_on_its_second_of_reception():
    """A packet received on 2026-06-10 at 09:49:57.817 in India carried 1781084997."""
    assert ltt_to_utc(1781084997) == 1781065197


@pytest.mark.parametrize("ltt", [0, 1, 315_532_800, 946_684_799])
def test_before_2000_means_no_trade(ltt):
    assert ltt_to_utc(ltt) is None


def test_first_second_of_2000_is_a_time():
    assert ltt_to_utc(946_684_800) == 946_665_000


def test_rest_trade_time_is_indian_text():
    assert trade_time_to_utc("23/11/2026 10:00:00") == TEN_IN_INDIA
    assert utc_to_trade_time(TEN_IN_INDIA) == "23/11/2026 10:00:00"


@pytest.mark.parametrize(
    "text", ["01/01/1980 00:00:00", "", "2026-11-23 10:00:00", "31/02/2026 10:00:00", "23/11/2026", None, 5]
)
def test_rest_trade_time_without_a_trade_or_unreadable(text):
    assert trade_time_to_utc(text) is None
