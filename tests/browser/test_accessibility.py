"""Every kind of page for whoever reads it by ear, by keyboard, enlarged or without colours: axe-core finds what a rule can find, the
keyboard is tried by hand.

axe is run by the debugger, which no content security policy binds; the pages are those that everybody gets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from ltp.core.criteria import Spec, kind_of, text_of
from ltp.core.facts import FACTS
from ltp.core.screener import Outcome, Row
from ltp.db import screeners, screenings, screens
from ltp.db.engine import open_engine
from ltp.feed.simulator.universe import listings
from tests.path.stack import SETUPS, Stack, row_of, running

pytestmark = pytest.mark.browser
AXE = (Path(__file__).parent / "vendor" / "axe-core@4.14.1" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SEEN = (date(2026, 11, 19), date(2026, 11, 20))
RISING = Spec(("close > ema50",))
FALLING = Spec(("close < ema50", "rsi14 < 40"), min_price=1_000_000)
STEADY = Spec(("adx14 > 25",))


def _row(rank: int, moved: int = 0) -> Row:
    """A row that has everything a run can say of one."""
    listing = listings()[rank * 3]
    plain, price = row_of(rank, listing), listing.base_price
    closes = tuple(price / 10_000 * (1 + ((day * 7 + rank) % 11 - 5) / 100 + day * (rank % 3 - 1) / 500) for day in range(60))
    return plain._replace(
        setup=SETUPS[(rank + moved) % 4],
        score=plain.score - moved * (rank % 5),
        base_score=80.0,
        mtf_score=75.0,
        entry_low=price * 98 // 100,
        entry_high=price,
        quantity=40,
        risk=84_000_0000,
        invalid="A close below the EMA 50",
        allocation_pct=4.5,
        allocation=450_000_0000,
        horizon="6 to 12 months",
        facts={fact.name: "up" if fact.unit == "text" else float(rank) - 5 for fact in FACTS},
        criteria=(Outcome("ADX strong", False, 17.5, "> 20", -2.5), Outcome("Trend", True, 1.0), Outcome("RS", False, None, "> 0")),
        spark=closes,
        flags=("A split of 1:2 is not confirmed.",) if rank == 2 else (),
    )


def fill(database_url: str) -> None:
    """Two runs of each built-in screener, a screen with results, and saved ones whose evaluation failed and is under way."""
    engine = open_engine(database_url)
    for moved, as_of in enumerate(SEEN):
        rows = [_row(rank, moved) for rank in range(1 + moved, 16 + 3 * moved)]
        for kind in ("swing", "longterm"):
            screeners.insert_run(engine, kind, rows, sample=False, as_of=as_of, universe="nifty50", evaluated=50, took_s=1.2)
    found = [_row(rank) for rank in range(1, 4)]
    screeners.insert_run(engine, kind_of(RISING), found, sample=False, as_of=SEEN[1], spec=text_of(RISING), evaluated=50)
    for slug, spec in (("falling", FALLING), ("steady", STEADY)):
        screens.save(engine, slug, slug.title(), spec)
        screeners.insert_run(engine, kind_of(spec), found, sample=False, as_of=SEEN[1], spec=text_of(spec), evaluated=50)
    screenings.fail(engine, screenings.begin(engine, kind_of(FALLING), text_of(FALLING)) or 0, "NSE_EQ:1333 has no candles")
    engine.dispose()


class Look(NamedTuple):
    """How a page is looked at. `room`: higher than a screen, so that no row lies under another part and has a ground unknown to axe."""

    width: int
    room: int
    phone: bool
