from __future__ import annotations

from datetime import date

import pytest

from ltp.core.market.session import Calendar
from ltp.core.ticks.conflate import Conflator
from ltp.core.ticks.off_sessions import OffSessions, lines_to_add
from ltp.core.ticks.tick import Tick

KEY = "NSE_EQ:1333"
FRIDAY, SATURDAY = 1_796_378_400, 1_796_448_600  # 2026-12-04 15:30 and 2026-12-05 11:00 in India
CALENDAR = Calendar.load()


def judged(*named: str) -> OffSessions:
    """By the exchanges' calendar, with days that an override file names."""
    return OffSessions(
        lambda segment, day: day in named or CALENDAR.is_session(segment, date.fromisoformat(day))
    )


def tick(ltt: int | None, ltp: int = 100, **more: object) -> Tick:
    return Tick(KEY, ltp, ltt, received_at=(ltt or SATURDAY) * 1_000_000 + 5, **more)  # type: ignore[arg-type]


def test_a_mock_price_is_none_and_does_not_keep_the_real_one_out() -> None:
    refused = judged()
    conflator = Conflator(refused)
    conflator.admit([KEY])
    conflator.apply([tick(SATURDAY, 990), tick(SATURDAY, 991, rest=True)])
    conflator.restore([tick(SATURDAY, 992, session="2026-12-05")])
    assert conflator.get(KEY) is None
    assert refused.found == {"2026-12-05": ("NSE_EQ",)}
    conflator.apply([tick(FRIDAY, 1_000, rest=True)])
    conflator.apply([tick(SATURDAY + 60, 993, volume=5)])
    known = conflator.get(KEY)
    assert known is not None
    assert (known.ltp, known.session) == (1_000, "2026-12-04")


@pytest.mark.parametrize("ltt", [SATURDAY, FRIDAY - 60, 0, None], ids=["dated", "frozen", "zero", "none"])
def test_a_drill_that_trades_each_second_changes_no_close(ltt: int | None) -> None:
    refused = judged()
    conflator = Conflator(refused)
    conflator.admit([KEY])
    sessions = {"NSE_EQ": "2026-12-04"}
    conflator.configure(tick_size=lambda _: 0, prev_close_from=frozenset(), sessions=sessions, delay_s={})
    close = tick(FRIDAY, 1_000, volume=5_000_000, session="2026-12-04", traded_at=FRIDAY * 1_000_000)
    conflator.restore([close])
    conflator.connected(SATURDAY * 1_000_000)
    for n in range(1, 10):
        traded = ltt + n if ltt == SATURDAY else ltt
        conflator.apply([Tick(KEY, 990 + n, traded, (SATURDAY + n) * 1_000_000, 1_000 + n)])
        assert conflator.get(KEY) == close
    assert refused.found == {"2026-12-05": ("NSE_EQ",)}
    conflator.configure(
        tick_size=lambda _: 0, prev_close_from=frozenset(), sessions={"NSE_EQ": "2026-12-05"}, delay_s={}
    )
    conflator.apply([Tick(KEY, 1_001, None, (SATURDAY + 20) * 1_000_000, 1_100)])
    assert conflator.get(KEY)._replace(received_at=0) == Tick(KEY, 1_001, volume=1_100, session="2026-12-05")  # type: ignore[union-attr]


def test_a_drill_of_a_share_that_was_never_seen_is_no_price() -> None:
    conflator = Conflator(judged())
    conflator.admit([KEY])
    conflator.connected(SATURDAY * 1_000_000)
    conflator.apply([tick(SATURDAY + n, 990 + n, volume=1_000 + n) for n in range(9)])
    assert conflator.get(KEY) is None


def test_the_override_file_makes_it_a_price() -> None:
    named: list[str] = []
    refused = OffSessions(
        lambda segment, day: day in named or CALENDAR.is_session(segment, date.fromisoformat(day))
    )
    assert refused.refuses(tick(SATURDAY))
    named.append("2026-12-05")
    assert not refused.refuses(tick(SATURDAY))
    assert refused.found == {}


def test_what_names_no_trade_is_not_judged_nor_a_year_before_the_tables() -> None:
    refused = judged()
    assert not refused.refuses(tick(None))
    assert not refused.refuses(
        tick(1_572_175_800)
    )  # Sunday 2019-10-27, a Muhurat session of a year without a table
    assert refused.found == {}


def test_few_days_are_kept_the_newest() -> None:
    refused = OffSessions(lambda _segment, _day: False)
    for day in range(100):
        refused.refuses(tick(FRIDAY + day * 86_400))
    assert len(refused.found) == 8
    assert max(refused.found) == "2027-03-13"


def test_the_lines_are_those_of_an_override_file() -> None:
    assert lines_to_add({"2026-12-05": ("BSE_EQ", "NSE_EQ"), "2026-12-12": ("NSE_EQ",)}) == (
        '[[trading_days]]\nsegments = ["BSE_EQ", "NSE_EQ"]\ndays = [{ date = 2026-12-05, name = "Special session" }]\n\n'
        '[[trading_days]]\nsegments = ["NSE_EQ"]\ndays = [{ date = 2026-12-12, name = "Special session" }]'
    )
