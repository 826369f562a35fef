from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import pytest

from ltp.core.market.session import Calendar
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick
from ltp.errors import DatabaseError
from ltp.web.table.past import day_paths
from ltp.web.table.past.day_paths import FOLLOWED_FOR_S, DayPaths

KEY, OTHER = "NSE_EQ:1333", "NSE_EQ:2031"
DAY = "2026-11-27"
OPEN = 1_795_751_100  # 09:15 of that day in India
MIDNIGHT = OPEN - 555 * 60
DASH = "–"


class Site:
    """Lines with a clock that the test sets, and stored closes. `asked`: the keys of each read."""

    def __init__(self) -> None:
        self.now, self.elapsed, self.busy = float(OPEN), 0.0, False
        self.stored: dict[str, dict[int, int]] = {}
        self.asked: list[list[str]] = []
        self.paths = DayPaths(self._fetch, Calendar.load, lambda: self.now, lambda: self.elapsed)

    def _fetch(self, keys: Collection[str], midnight: int) -> Mapping[str, Mapping[int, int]]:
        self.asked.append(list(keys))
        assert midnight == MIDNIGHT
        if self.busy:
            raise DatabaseError("busy")
        return {key: self.stored[key] for key in keys if key in self.stored}

    def store(self, *closes: tuple[int, int], key: str = KEY) -> None:
        """Store closes by minute after the open."""
        self.stored[key] = {OPEN + minute * 60: rupees * 10_000 for minute, rupees in closes}

    def draw(
        self, minute: float, rupees: float, key: str = KEY, session: str = DAY, rest: bool = False
    ) -> str:
        at = int((OPEN + minute * 60) * 1e6)
        tick = Tick(key, round(rupees * 10_000), None, at, traded_at=at, session=session, rest=rest)
        return self.paths.draw(Quote(key, tick, "live"))


@pytest.fixture
def site() -> Site:
    return Site()


def points(svg: str) -> list[str]:
    [found] = re.findall(r'points="([^"]+)"', svg)
    return str(found).split()


def label(svg: str) -> str:
    [found] = re.findall(r'aria-label="([^"]+)"', svg)
    return str(found)


def test_the_stored_closes_are_the_line_of_a_page_that_is_opened(site: Site) -> None:
    site.store((0, 100), (190, 120), (379, 110))  # the closing auction ends at 15:35
    site.paths.learn([KEY])
    svg = site.draw(379, 111)
    assert points(svg) == ["2,18.0", "48,2.0", "94,10.0"]
    assert label(svg) == "Today to 15:34: low 100.00, high 120.00, last 110.00"


def test_a_new_minute_adds_the_last_price_of_the_one_before(site: Site) -> None:
    assert site.draw(0, 100) == DASH
    assert site.draw(10, 102) == DASH
    assert site.draw(10.9, 104) == DASH
    svg = site.draw(20, 90)
    assert label(svg) == "Today to 09:25: low 100.00, high 104.00, last 104.00"
    assert site.draw(20.5, 80) is svg  # drawn once a minute


def test_a_late_price_and_one_of_rest_change_nothing(site: Site) -> None:
    site.draw(0, 100)
    site.draw(10, 102)
    svg = site.draw(20, 90)
    assert site.draw(5, 50) is svg
    assert site.draw(30, 50, rest=True) is svg
    assert label(site.draw(40, 91)).endswith("last 90.00")


@pytest.mark.parametrize("minute", [-10, 400, 10**7])  # pre-open, post-close, a wrong clock
def test_prices_outside_of_the_trading_hours_are_left_out(site: Site, minute: int) -> None:
    site.store((-8, 500), (0, 100), (50, 101), (400, 700))
    site.paths.learn([KEY])
    svg = site.draw(minute, 900)
    assert label(svg) == "Today to 10:05: low 100.00, high 101.00, last 101.00"
    site.draw(60, 102)
    assert label(site.draw(70, 103)).endswith("last 102.00")


@pytest.mark.parametrize("session", ["2026-11-26", ""])
def test_a_price_of_another_session_has_a_dash(site: Site, session: str) -> None:
    site.store((0, 100), (50, 101))
    site.paths.learn([KEY])
    assert site.draw(60, 102, session=session) == DASH
    assert site.paths.draw(Quote(KEY, None, "unknown")) == DASH
    assert site.draw(60, 102) != DASH


def test_after_midnight_the_line_of_yesterday_has_a_dash(site: Site) -> None:
    site.store((0, 100), (50, 101))
    site.paths.learn([KEY])
    assert site.draw(60, 102) != DASH
    site.now += 86_400
    assert site.draw(60, 102) == DASH


def test_a_new_session_begins_a_new_line(site: Site) -> None:
    site.draw(0, 100)
    site.draw(50, 101)
    site.now += 3 * 86_400  # Monday
    assert site.draw(3 * 1_440, 200, session="2026-11-30") == DASH
    site.draw(3 * 1_440 + 50, 201, session="2026-11-30")
    svg = site.draw(3 * 1_440 + 60, 202, session="2026-11-30")
    assert label(svg) == "Today to 10:05: low 200.00, high 201.00, last 201.00"


def test_all_unknown_instruments_are_read_in_one_query_and_once(site: Site) -> None:
    site.paths.learn([KEY, OTHER, KEY])
    site.paths.learn([KEY, OTHER])
    assert site.asked == [[KEY, OTHER]]


def test_a_large_page_is_read_in_several_queries(site: Site) -> None:
    keys = [f"NSE_EQ:{number}" for number in range(1, 121)]
    site.paths.learn(keys)
    assert site.asked == [keys[:50], keys[50:100], keys[100:]]


def test_of_several_minutes_in_one_place_the_newest_is_kept(site: Site) -> None:
    site.store(*((minute, 100 + minute) for minute in range(380)))
    site.paths.learn([KEY])
    svg = site.draw(379, 1)
    assert 90 <= len(points(svg)) <= 93
    assert len({point.partition(",")[0] for point in points(svg)}) == len(points(svg))
    assert (points(svg)[0].partition(",")[0], points(svg)[-1]) == ("2", "94,2.0")


def test_a_line_that_was_not_followed_is_read_again_and_keeps_its_later_points(site: Site) -> None:
    site.store((0, 100), (50, 101))
    site.paths.learn([KEY])
    site.draw(200, 110)
    svg = site.draw(210, 111)
    assert label(svg).startswith("Today to 12:35")
    site.elapsed += FOLLOWED_FOR_S
    site.store((0, 100), (50, 101), (100, 90))
    site.paths.learn([KEY])
    assert site.asked == [[KEY]] * 2
    assert label(site.draw(210, 111)) == "Today to 12:35: low 90.00, high 110.00, last 110.00"


def test_a_line_that_is_drawn_all_the_time_is_not_read_again(site: Site) -> None:
    site.paths.learn([KEY])
    for minute in range(5):
        site.elapsed += FOLLOWED_FOR_S - 1
        site.draw(minute, 100)
    site.paths.learn([KEY])
    assert site.asked == [[KEY]]


def test_stored_closes_are_newer_after_a_gap(site: Site) -> None:
    site.draw(0, 100)
    site.draw(10, 102)
    site.draw(20, 90)
    site.store((0, 100), (10, 103), (200, 95))
    site.paths.learn([KEY])
    assert label(site.draw(200, 94)) == "Today to 12:35: low 95.00, high 103.00, last 95.00"
    site.draw(201, 93)
    assert label(site.draw(202, 92)).startswith("Today to 12:36: low 93.00")


def test_a_busy_database_leaves_the_line_to_the_next_minutes(site: Site) -> None:
    site.busy = True
    site.paths.learn([KEY])
    site.draw(0, 100)
    site.draw(10, 101)
    assert label(site.draw(20, 102)).startswith("Today to 09:25")
    site.busy = False
    site.paths.learn([KEY])
    assert len(site.asked) == 2


def test_the_lines_are_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_paths, "CAPACITY", 2)
    site.paths.learn(["NSE_EQ:1", "NSE_EQ:2"])
    site.draw(0, 100, key="NSE_EQ:1")
    site.draw(0, 100, key="NSE_EQ:3")
    assert len(site.paths) == 2
    site.paths.learn(["NSE_EQ:1", "NSE_EQ:2"])  # the one used longest ago had made room
    assert site.asked == [["NSE_EQ:1", "NSE_EQ:2"], ["NSE_EQ:2"]]


def test_a_day_without_trading_hours_fills_the_width(site: Site) -> None:
    site.now -= 86_400 * 5  # Sunday
    for minute in (0, 60, 120):
        svg = site.draw(minute - 5 * 1_440, 100 + minute, session="2026-11-22")
    assert label(svg) == "Today to 10:15: low 100.00, high 160.00, last 160.00"
    assert points(svg) == ["2,18.0", "94,2.0"]  # from its first close on
