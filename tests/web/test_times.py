from __future__ import annotations

from datetime import UTC, datetime

from ltp.web.times import ist


def test_an_instant_is_shown_in_indian_time() -> None:
    assert (
        ist(datetime(2026, 11, 23, 4, 5, tzinfo=UTC))
        == '<time datetime="2026-11-23T04:05:00+00:00">23 Nov 2026, 09:35 IST</time>'
    )
