from __future__ import annotations

from datetime import UTC, datetime

from ltp.web.templating import ist, money, number


def test_numbers_and_times_as_a_page_writes_them() -> None:
    assert money(None, "NSE_EQ:1") == "–"
    assert money(832_475, "NSE_CURRENCY:1") == "83.2475"
    assert [number(value) for value in (None, 90.0, 91.5, 0.125, 0.0)] == ["–", "90", "91.5", "0.12", "0"]
    assert (
        ist(datetime(2026, 11, 23, 4, 5, tzinfo=UTC))
        == '<time datetime="2026-11-23T04:05:00+00:00">23 Nov 2026, 09:35 IST</time>'
    )
