"""The trading hours on open quote pages: drawn anew when a session begins or ends, and with a late change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST
from ltp.web.quote.live_hours import PAGE_S, LiveHours

NSE = Calendar.load()


class Hub:
    """Each different markup that was set, by inset."""

    def __init__(self) -> None:
        self.drawn: dict[str, list[str]] = {}

    def set_inset(self, inset: Any, part: str, markup: str) -> None:
        drawn = self.drawn.setdefault(f"{inset.name} {part}", [])
        if not drawn or drawn[-1] != markup:
            drawn.append(markup)


class Rig:
    def __init__(self, now: str) -> None:
        self.hub, self.calendar, self.passed = Hub(), NSE, 0.0
        self.start = datetime.fromisoformat(now).replace(tzinfo=IST).timestamp()
        self.hours = LiveHours(
            self.hub,  # type: ignore[arg-type]
            lambda: self.calendar,
            lambda: self.start + self.passed,
            lambda: self.passed,
        )


def test_a_session_that_begins_is_drawn_once() -> None:
    rig = Rig("2026-07-01 09:14:58")
    inset = rig.hours.watch("NSE_EQ")
    assert rig.hours.watch("NSE_EQ") is inset
    for _ in range(4):
        rig.passed += 1
        rig.hours.round()
    before, after = rig.hub.drawn["hours NSE_EQ hours"]
    assert before.startswith(
        '<hx-partial id="hours"><span><time datetime="2026-07-01">1 Jul 2026</time></span>'
    )
    assert '<span class="on">Pre-open 09:00–09:15 <i>(on now)</i></span>' in before
    assert '<span class="on">Continuous 09:15–15:30 <i>(on now)</i></span>' in after
    assert "<span>Pre-open 09:00–09:15</span>" in after


def test_each_segment_has_its_own_and_a_late_change_shows() -> None:
    rig = Rig("2026-07-01 17:30:00")
    rig.hours.watch("NSE_EQ")
    rig.hours.watch("MCX_COMM")
    assert "Next: pre-open, Thu 2 Jul, 09:00" in rig.hub.drawn["hours NSE_EQ hours"][-1]
    rig.calendar = Calendar.always_open()
    rig.hours.round()
    for segment in ("NSE_EQ", "MCX_COMM"):
        assert "Continuous 00:00–24:00" in rig.hub.drawn[f"hours {segment} hours"][-1]


def test_the_thread_waits_where_no_page_is_open() -> None:
    rig = Rig("2026-07-01 10:00:00")
    assert not rig.hours.round()
    inset: Any = rig.hours.watch("NSE_EQ")
    inset.views.append("a stream")
    rig.passed += PAGE_S + 1
    assert rig.hours.round()
    inset.views.clear()
    rig.passed += PAGE_S - 1
    assert rig.hours.round()
    rig.passed += 2
    assert not rig.hours.round()
