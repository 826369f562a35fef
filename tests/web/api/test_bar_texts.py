from __future__ import annotations

import json
import random
from datetime import datetime

import pytest

from ltp.core.bars.bar import BROKER, FILE, LIVE, Bar, mark_names, source_name
from ltp.core.bars.columns import NONE, of_bars
from ltp.core.money import rupees
from ltp.core.trading_day import IST
from ltp.web.api import bar_texts

OPEN = 1_796_010_300  # 2026-11-30T09:15:00+05:30
BARS = [
    Bar(OPEN, 1_650_0500, 1_651_0000, 1_649_9500, 1_650_0000, 12_345),
    Bar(OPEN + 60, 83_2475, 83_2500, 83_2400, 83_2425, 0, 0, 3, BROKER),
    Bar(OPEN + 86_400, 1, 9_999_999_9999, 1, 10_000, 2**62, 2**60, 15, LIVE | FILE),
]
SESSIONS = ["continuous", "closing_auction", None]


def by_the_book(bars: list[Bar], sessions: list[str | None], forming_from: float) -> list[dict[str, object]]:
    return [
        {
            "start": datetime.fromtimestamp(bar.start, IST).isoformat(),
            "open": rupees(bar.open),
            "high": rupees(bar.high),
            "low": rupees(bar.low),
            "close": rupees(bar.close),
            "volume": bar.volume,
            "oi": bar.oi,
            "source": source_name(bar.sources),
            "marks": mark_names(bar.marks),
            "forming": bar.start >= forming_from,
            "session": session,
        }
        for bar, session in zip(bars, sessions, strict=True)
    ]


@pytest.mark.parametrize("forming_from", [float("inf"), OPEN + 60])
def test_the_text_is_that_of_the_standard_library(forming_from: float) -> None:
    chance = random.Random(1)
    bars = [*BARS]
    for number in range(200):
        prices = [chance.randrange(1, 10**9) for _ in range(4)]
        oi = chance.choice([None, 5])
        bars.append(
            Bar(
                OPEN + 2 * 86_400 + number * 3_660,
                *prices,
                number,
                oi,
                chance.randrange(16),
                chance.randrange(1, 16),
            )
        )
    sessions = [*SESSIONS, *(chance.choice(SESSIONS) for _ in range(200))]
    expected = by_the_book(bars, sessions, forming_from)
    of = bar_texts.columns(of_bars(bars), sessions, forming_from)
    assert bar_texts.as_rows(of) == json.dumps(expected, separators=(",", ":"))
    assert json.loads(bar_texts.as_columns(of)) == {
        name: [row[name] for row in expected] for name in bar_texts.NAMES
    }


def test_the_same_as_csv() -> None:
    of = bar_texts.columns(of_bars(BARS), SESSIONS, OPEN + 86_400)
    assert bar_texts.as_csv(of).splitlines() == [
        "start,open,high,low,close,volume,oi,source,marks,forming,session",
        "2026-11-30T09:15:00+05:30,1650.05,1651.0,1649.95,1650.0,12345,,live,,False,continuous",
        "2026-11-30T09:16:00+05:30,83.2475,83.25,83.24,83.2425,0,0,broker,partial revised,False,closing_auction",
        f"2026-12-01T09:15:00+05:30,0.0001,9999999.9999,0.0001,1.0,{2**62},{2**60},mixed,"
        "partial revised unsure corrected,True,",
    ]


def test_no_bars_are_empty_columns() -> None:
    of = bar_texts.columns(NONE, [], OPEN)
    assert (bar_texts.as_rows(of), set(map(len, of.values()))) == ("[]", {0})
    assert bar_texts.as_csv(of).splitlines() == [",".join(bar_texts.NAMES)]


def test_a_start_is_an_instant_of_india() -> None:
    assert bar_texts.start_text(OPEN) == "2026-11-30T09:15:00+05:30"
    assert bar_texts.start_text(OPEN - 555 * 60 - 60) == "2026-11-29T23:59:00+05:30"
