from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import exchange_calendars
import pytest

from ltp.core.instrument import SEGMENTS
from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST
from ltp.errors import ConfigError, NotFoundError

FIXTURES = Path(__file__).parent / "fixtures"
ANSWERS = json.loads((FIXTURES / "nse_sessions_2024_2026.json").read_text(encoding="utf-8"))
EQUITY = ("NSE_EQ", "BSE_EQ", "IDX_I", "NSE_FNO", "BSE_FNO")
NSE = Calendar.load()


def at(text: str) -> datetime:
    """An instant by the clock of India."""
    return datetime.fromisoformat(text).replace(tzinfo=IST)


def spans(segment: str, day: str, calendar: Calendar = NSE) -> list[str]:
    """The phases of a day without closed, from the phase of each minute: "pre_open 09:00-09:15"."""
    found: list[list[str]] = []
    for minute in range(24 * 60 + 1):
        instant = at(day) + timedelta(minutes=minute)
        phase = calendar.phase(segment, instant) if minute < 24 * 60 else "closed"
        clock = f"{minute // 60:02d}:{minute % 60:02d}"
        if found and not found[-1][2] and phase != found[-1][0]:
            found[-1][2] = clock
        if phase != "closed" and not (found and not found[-1][2]):
            found.append([phase, clock, ""])
    return [f"{phase} {start}-{end}" for phase, start, end in found]


def continuous(segment: str, day: str) -> list[str]:
    return [span.removeprefix("continuous ") for span in spans(segment, day) if span.startswith("continuous")]


@pytest.mark.parametrize("day", ANSWERS["holidays"])
def test_every_weekday_holiday_of_2024_to_2026_is_closed_all_day(day: str) -> None:
    assert date.fromisoformat(day).weekday() < 5
    for segment in EQUITY:
        assert spans(segment, day) == []


@pytest.mark.parametrize(("day", "windows"), ANSWERS["special_sessions"].items())
def test_every_special_session_trades_in_its_windows(day: str, windows: list[str]) -> None:
    for segment in EQUITY:
        assert continuous(segment, day) == windows


def test_a_drill_has_two_sessions_each_with_its_pre_open() -> None:
    assert spans("NSE_EQ", "2024-05-18") == [
        "pre_open 09:00-09:15",
        "continuous 09:15-10:00",
        "pre_open 11:15-11:30",
        "continuous 11:30-12:30",
        "post_close 12:40-12:50",
    ]


@pytest.mark.parametrize(
    ("segment", "day", "expected"),
    [
        (
            "NSE_EQ",
            "2026-07-31",
            ["pre_open 09:00-09:15", "continuous 09:15-15:30", "post_close 15:40-16:00"],
        ),
        (
            "NSE_EQ",
            "2026-08-03",
            [
                "pre_open 09:00-09:15",
                "continuous 09:15-15:15",
                "closing_auction 15:15-15:35",
                "post_close 15:50-16:00",
            ],
        ),
        (
            "NSE_EQ",
            "2026-12-04",
            [
                "pre_open 09:00-09:15",
                "continuous 09:15-15:15",
                "closing_auction 15:15-15:35",
                "post_close 15:50-16:00",
            ],
        ),
        (
            "NSE_EQ",
            "2026-12-07",
            [
                "pre_open 09:00-09:15",
                "continuous 09:15-15:30",
                "closing_auction 15:30-15:40",
                "post_close 15:50-16:00",
            ],
        ),
        ("IDX_I", "2026-07-31", ["pre_open 09:00-09:15", "continuous 09:15-15:30"]),
        (
            "IDX_I",
            "2026-11-23",
            ["pre_open 09:00-09:15", "continuous 09:15-15:15", "closing_auction 15:15-15:35"],
        ),
        ("NSE_FNO", "2025-12-05", ["continuous 09:15-15:30"]),
        ("NSE_FNO", "2025-12-08", ["pre_open 09:00-09:15", "continuous 09:15-15:30"]),
        ("NSE_FNO", "2026-08-03", ["pre_open 09:00-09:15", "continuous 09:15-15:40"]),
        ("NSE_FNO", "2026-12-07", ["pre_open 09:00-09:15", "continuous 09:15-15:45"]),
        ("NSE_CURRENCY", "2026-11-23", ["continuous 09:00-17:00"]),
        ("MCX_COMM", "2026-10-30", ["continuous 09:00-23:30"]),
        ("MCX_COMM", "2026-11-02", ["continuous 09:00-23:55"]),
        ("MCX_COMM", "2026-11-24", ["continuous 17:00-23:55"]),
        ("MCX_COMM", "2026-10-20", ["continuous 17:00-23:30"]),
        ("MCX_COMM", "2026-01-01", ["continuous 09:00-17:00"]),
        ("MCX_COMM", "2026-12-25", []),
        ("NSE_CURRENCY", "2026-02-19", []),
        (
            "NSE_EQ",
            "2026-02-19",
            ["pre_open 09:00-09:15", "continuous 09:15-15:30", "post_close 15:40-16:00"],
        ),
        ("NSE_EQ", "2026-11-22", []),
    ],
)
def test_the_day_of_a_segment(segment: str, day: str, expected: list[str]) -> None:
    assert spans(segment, day) == expected


@pytest.mark.parametrize(
    "day", ["2024-06-03", "2025-06-02", "2025-10-21", "2026-07-31", "2026-08-03", "2026-11-23", "2026-12-07"]
)
@pytest.mark.parametrize(
    ("nse", "bse"), [("NSE_EQ", "BSE_EQ"), ("NSE_FNO", "BSE_FNO"), ("NSE_CURRENCY", "BSE_CURRENCY")]
)
def test_bse_trades_as_nse(nse: str, bse: str, day: str) -> None:
    assert spans(bse, day) == spans(nse, day)


def test_commodities_end_25_minutes_later_while_new_york_is_on_standard_time() -> None:
    """Compare the dated rows with the zone database, on every ordinary day until the last row begins."""
    new_york = ZoneInfo("America/New_York")
    day = at("2024-01-01 23:40")
    while day < at("2028-11-30 23:40"):
        if (
            NSE.phase("MCX_COMM", day - timedelta(hours=13))
            == NSE.phase("MCX_COMM", day - timedelta(hours=1))
            == "continuous"
        ):
            winter = not day.astimezone(new_york).dst()
            assert NSE.is_open("MCX_COMM", day) == winter, day
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("clock", "phase"),
    [
        ("08:59:59.999999", "closed"),
        ("09:00:00", "pre_open"),
        ("09:14:59.999999", "pre_open"),
        ("09:15:00", "continuous"),
        ("15:14:59.999999", "continuous"),
        ("15:15:00", "closing_auction"),
        ("15:34:59.999999", "closing_auction"),
        ("15:35:00", "closed"),
        ("15:50:00", "post_close"),
        ("15:59:59.999999", "post_close"),
        ("16:00:00", "closed"),
        ("00:00:00", "closed"),
        ("23:59:59.999999", "closed"),
    ],
)
def test_a_window_has_its_first_instant_and_not_its_last(clock: str, phase: str) -> None:
    assert NSE.phase("NSE_EQ", at(f"2026-11-23 {clock}")) == phase
    assert NSE.is_open("NSE_EQ", at(f"2026-11-23 {clock}")) == (phase != "closed")


def test_each_minute_of_a_week_with_a_holiday_has_one_phase_and_phases_agree() -> None:
    counts = {
        segment: dict.fromkeys(("pre_open", "continuous", "closing_auction", "post_close", "closed"), 0)
        for segment in SEGMENTS
    }
    for minute in range(6 * 24 * 60):
        now = at("2026-11-20 00:00") + timedelta(minutes=minute)
        phases = NSE.phases(now)
        assert list(phases) == list(SEGMENTS)
        for segment, phase in phases.items():
            assert phase == NSE.phase(segment, now)
            counts[segment][phase] += 1
    # Three trading days (20, 23, 25 November), a weekend, and the holiday of the 24th.
    cash = {
        "pre_open": 45,
        "continuous": 1080,
        "closing_auction": 60,
        "post_close": 30,
        "closed": 8640 - 1215,
    }
    index = cash | {"post_close": 0, "closed": 8640 - 1185}
    derivatives = {
        "pre_open": 45,
        "continuous": 1155,
        "closing_auction": 0,
        "post_close": 0,
        "closed": 8640 - 1200,
    }
    currency = {
        "pre_open": 0,
        "continuous": 1440,
        "closing_auction": 0,
        "post_close": 0,
        "closed": 8640 - 1440,
    }
    commodities = currency | {"continuous": 3 * 895 + 415, "closed": 8640 - 3 * 895 - 415}
    assert counts == {
        "NSE_EQ": cash, "BSE_EQ": cash, "IDX_I": index, "NSE_FNO": derivatives, "BSE_FNO": derivatives,
        "NSE_CURRENCY": currency, "BSE_CURRENCY": currency, "MCX_COMM": commodities,
    }  # fmt: skip


# Sessions that exchange_calendars 4.13.2 does not have: it knows none on a weekend and takes the Muhurat days
# for closed.
MISSING_IN_XBOM = {
    "2024-01-20": "Saturday in place of Monday 22 January",
    "2024-03-02": "disaster-recovery drill, Saturday",
    "2024-05-18": "disaster-recovery drill, Saturday",
    "2024-11-01": "Muhurat",
    "2025-02-01": "Union Budget, Saturday",
    "2025-10-21": "Muhurat",
    "2026-02-01": "Union Budget, Sunday",
    "2026-11-08": "Muhurat, Sunday",
}
# Holidays that it does not have, such as one that was declared after its release.
EXTRA_IN_XBOM: dict[str, str] = {}


@pytest.mark.filterwarnings("ignore:Series.values")
def test_sessions_of_2024_to_2026_are_those_of_exchange_calendars_but_for_known_differences() -> None:
    """An unlisted difference is an error of one calendar: check it before you list it."""
    theirs = {
        stamp.date()
        for stamp in exchange_calendars.get_calendar("XBOM", start="2024-01-01", end="2026-12-31").sessions
    }
    days = [date(2024, 1, 1) + timedelta(days=offset) for offset in range(3 * 365 + 1)]
    ours = {day for day in days if NSE.session_date("NSE_EQ", at(f"{day} 23:59")) == day}
    assert days[-1] == date(2026, 12, 31)
    assert {str(day) for day in ours - theirs} == set(MISSING_IN_XBOM)
    assert {str(day) for day in theirs - ours} == set(EXTRA_IN_XBOM)
    assert date(2026, 1, 15) not in theirs  # they have the holiday that was declared three days before


@pytest.mark.parametrize(
    ("segment", "now", "expected"),
    [
        ("NSE_EQ", "2026-11-23 08:59:59", "2026-11-20"),
        ("NSE_EQ", "2026-11-23 09:00:00", "2026-11-23"),
        ("NSE_FNO", "2025-12-05 09:14:59", "2025-12-04"),
        ("NSE_EQ", "2026-11-23 15:40:00", "2026-11-23"),
        ("NSE_EQ", "2026-11-23 23:59:59", "2026-11-23"),
        ("NSE_EQ", "2026-11-24 00:00:00", "2026-11-23"),
        ("NSE_EQ", "2026-11-24 12:00:00", "2026-11-23"),
        ("MCX_COMM", "2026-11-24 16:59:59", "2026-11-23"),
        ("MCX_COMM", "2026-11-24 17:00:00", "2026-11-24"),
        ("NSE_EQ", "2026-11-25 08:00:00", "2026-11-23"),
        ("NSE_EQ", "2026-11-09 08:00:00", "2026-11-08"),
        ("NSE_EQ", "2026-02-02 08:00:00", "2026-02-01"),
        ("NSE_EQ", "2027-01-01 08:00:00", "2026-12-31"),
    ],
)
def test_session_date_is_that_of_the_session_that_is_on_or_the_last_one(
    segment: str, now: str, expected: str
) -> None:
    assert NSE.session_date(segment, at(now)) == date.fromisoformat(expected)


def test_before_all_tables_there_was_no_session() -> None:
    with pytest.raises(NotFoundError, match="NSE_EQ before 1999-06-01"):
        NSE.session_date("NSE_EQ", at("1999-06-01 12:00"))


@pytest.mark.parametrize("segment", ["NSE_EQ", "IDX_I"])
@pytest.mark.parametrize(
    ("now", "quiet"),
    [
        ("2026-11-23 15:14:59", False),
        ("2026-11-23 15:15:00", True),
        ("2026-11-23 15:36:00", True),
        ("2026-11-23 15:39:59", True),
        ("2026-11-23 15:40:00", False),
        ("2026-11-24 15:20:00", False),
        ("2026-07-31 15:20:00", False),
        ("2026-12-07 15:20:00", False),
        ("2026-12-07 15:35:00", True),
    ],
)
def test_silence_is_normal_around_the_closing_auction_alone(segment: str, now: str, quiet: bool) -> None:
    assert NSE.quiet_expected(segment, at(now)) is quiet


def test_derivatives_trade_on_so_their_silence_means_something() -> None:
    assert not NSE.quiet_expected("NSE_FNO", at("2026-11-23 15:20"))


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        ("2026-11-23 12:00", ""),
        ("2027-01-04 12:00", "There is no holiday table for 2027: every weekday is taken for a trading day."),
        (
            "2026-12-31 23:59",
            "The trading hours of IDX_I, NSE_EQ, NSE_FNO, BSE_EQ, BSE_FNO on 2026-12-31 are provisional",
        ),
        (
            "2026-11-24 12:00",
            "The trading hours of NSE_CURRENCY, MCX_COMM, BSE_CURRENCY on 2026-11-24 are provisional (Guru "
            "Nanak",
        ),
        ("2026-11-08 12:00", "on 2026-11-08 are provisional (Diwali Laxmi Pujan, Muhurat)."),
        ("2026-12-12 12:00", ""),
    ],
)
def test_provisional_hours_are_one_sentence(now: str, sentence: str) -> None:
    found = NSE.provisional(at(now))
    assert sentence in found
    assert bool(found) == bool(sentence)
    assert found.count("\n") == 0


def test_the_year_is_that_of_india() -> None:
    assert "2027" in NSE.provisional(datetime(2026, 12, 31, 18, 30, tzinfo=UTC))


def test_a_year_without_a_table_has_all_weekdays_open() -> None:
    for offset in range(7):
        now = at("2027-01-25 12:00") + timedelta(days=offset)  # the week of Republic Day
        assert NSE.is_open("NSE_EQ", now) == (now.weekday() < 5)


def test_always_open_is_continuous_through_nights_and_holidays_and_each_day_is_a_session() -> None:
    calendar = Calendar.always_open()
    for now in (at("2026-11-24 00:00"), at("2026-11-22 03:30"), at("2031-01-01 23:59:59")):
        assert calendar.phases(now) == dict.fromkeys(SEGMENTS, "continuous")
        assert calendar.session_date("NSE_EQ", now) == now.date()
        assert calendar.provisional(now) == ""
        assert not calendar.quiet_expected("IDX_I", now)


def test_a_calendar_is_named_as_the_setting_names_it() -> None:
    assert Calendar.named("nse").phase("NSE_EQ", at("2026-11-22 12:00")) == "closed"
    assert Calendar.named("always_open").phase("NSE_EQ", at("2026-11-22 12:00")) == "continuous"
    with pytest.raises(
        ConfigError, match="MARKET_CALENDAR='bse' is not accepted: it must be nse or always_open"
    ):
        Calendar.named("bse")


@pytest.mark.parametrize("question", ["phase", "is_open", "session_date", "quiet_expected"])
def test_a_time_without_a_zone_is_refused(question: str) -> None:
    with pytest.raises(AssertionError, match="without a zone"):
        getattr(NSE, question)("NSE_EQ", datetime(2026, 11, 23, 12))


@pytest.mark.parametrize("question", ["phases", "provisional"])
def test_a_time_without_a_zone_is_refused_for_all_segments_too(question: str) -> None:
    with pytest.raises(AssertionError, match="without a zone"):
        getattr(NSE, question)(datetime(2026, 11, 23, 12))


def test_an_unknown_segment_is_a_mistake_of_ours() -> None:
    with pytest.raises(AssertionError, match="'NSE' is no segment"):
        NSE.phase("NSE", at("2026-11-23 12:00"))


@pytest.fixture(params=["America/New_York", "Europe/Berlin", "Pacific/Kiritimati", "UTC"])
def host_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_the_host_zone_and_the_zone_of_the_question_change_nothing(host_zone: str) -> None:
    """Berlin changes its clocks on 25 October 2026, New York on 1 November."""
    zone, calendar = ZoneInfo(host_zone), Calendar.load()
    for start in ("2026-10-23 18:00", "2026-10-30 18:00"):
        for minutes in range(0, 4 * 24 * 60, 5):
            now = at(start) + timedelta(minutes=minutes)
            elsewhere = now.astimezone(zone)
            assert calendar.phases(elsewhere) == NSE.phases(now)
            assert calendar.session_date("NSE_EQ", elsewhere) == NSE.session_date("NSE_EQ", now)
    monday = datetime(2026, 10, 26, 3, 45, tzinfo=UTC)
    assert (
        calendar.phase("NSE_EQ", monday) == calendar.phase("NSE_EQ", monday.astimezone(zone)) == "continuous"
    )
    assert calendar.phase("NSE_EQ", monday - timedelta(seconds=1)) == "pre_open"
    assert calendar.phase("NSE_EQ", monday - timedelta(minutes=15, seconds=1)) == "closed"


def test_the_date_changes_at_midnight_in_india(host_zone: str) -> None:
    midnight = datetime(2026, 11, 22, 18, 30, tzinfo=UTC).astimezone(ZoneInfo(host_zone))
    calendar = Calendar.always_open()
    assert calendar.session_date("NSE_EQ", midnight) == date(2026, 11, 23)
    assert calendar.session_date("NSE_EQ", midnight - timedelta(microseconds=1)) == date(2026, 11, 22)


def test_answers_stay_right_past_the_size_of_the_cache() -> None:
    calendar = Calendar.load()
    first = calendar.phases(at("2024-06-03 12:00"))
    for offset in range(1200):
        calendar.phases(at("2024-01-01 12:00") + timedelta(days=offset))
    assert calendar.phases(at("2024-06-03 12:00")) == first == dict.fromkeys(SEGMENTS, "continuous")


# ---- the file of late changes
# ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def overridden() -> Calendar:
    return Calendar.named("nse", FIXTURES / "overrides.toml")


def test_an_extra_holiday_closes_its_segments_alone(overridden: Calendar) -> None:
    assert spans("NSE_EQ", "2026-12-10", overridden) == spans("NSE_FNO", "2026-12-10", overridden) == []
    assert spans("BSE_EQ", "2026-12-10", overridden) == spans("BSE_EQ", "2026-12-10")


def test_a_withdrawn_holiday_has_ordinary_hours_and_no_doubt_left(overridden: Calendar) -> None:
    assert spans("NSE_EQ", "2026-11-24", overridden) == spans("NSE_EQ", "2026-11-25")
    assert spans("MCX_COMM", "2026-11-24", overridden) == ["continuous 09:00-23:55"]
    assert "MCX_COMM" not in overridden.provisional(at("2026-11-24 12:00"))
    assert "NSE_CURRENCY" in overridden.provisional(at("2026-11-24 12:00"))


def test_a_trading_day_may_be_a_saturday(overridden: Calendar) -> None:
    assert spans("NSE_EQ", "2026-11-28", overridden) == spans("NSE_EQ", "2026-11-27")


def test_special_windows_replace_those_of_the_tables(overridden: Calendar) -> None:
    assert spans("NSE_EQ", "2026-11-08", overridden) == ["continuous 18:30-19:30"]
    assert "NSE_EQ" not in overridden.provisional(at("2026-11-08 12:00"))


def test_a_changed_rule_holds_on_its_dates_and_its_segments(overridden: Calendar) -> None:
    assert spans("NSE_EQ", "2026-12-07", overridden) == ["continuous 09:15-15:30", "post_close 15:40-16:00"]
    assert spans("BSE_EQ", "2026-12-07", overridden) == spans("BSE_EQ", "2026-12-07")
    assert spans("NSE_EQ", "2026-12-25", overridden) == []
    assert "closing_auction 15:30-15:40" in spans("NSE_EQ", "2027-01-04", overridden)


def test_a_year_declared_complete_is_certain_where_its_rules_are(overridden: Calendar) -> None:
    assert "no holiday table" not in overridden.provisional(at("2027-01-04 12:00"))
    assert "no holiday table for 2028" in overridden.provisional(at("2028-01-04 12:00"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"[[holidays]\n", "it must be TOML: .*line 1"),
        (b"\xff\xfe", "it must name a readable text file .UnicodeDecodeError."),
        (
            b'[[holidays]]\nsegments = ["NSE"]\ndays = []\n',
            r"line 1, holidays\[1\].segments: 'NSE' is not accepted; a segment is one of",
        ),
    ],
)
def test_a_bad_file_of_changes_is_one_sentence_that_names_it(
    tmp_path: Path, text: bytes, sentence: str
) -> None:
    path = tmp_path / "late.toml"
    path.write_bytes(text)
    with pytest.raises(ConfigError, match=sentence) as caught:
        Calendar.load(path)
    assert str(caught.value).startswith(f"MARKET_CALENDAR_OVERRIDES='{path}' is not accepted: ")
    assert "\n" not in str(caught.value)


def test_a_missing_file_of_changes_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="FileNotFoundError"):
        Calendar.load(tmp_path / "none.toml")


def test_the_session_before_a_day_leaves_out_weekends_and_holidays() -> None:
    assert NSE.session_before("NSE_EQ", date(2026, 11, 25)) == date(2026, 11, 23)
    assert NSE.session_before("NSE_EQ", date(2026, 7, 6)) == date(2026, 7, 3)
    assert NSE.session_before("NSE_EQ", date(1990, 1, 1)) is None


def test_the_next_window_is_the_first_that_begins_later() -> None:
    found = NSE.next_window("NSE_EQ", at("2026-07-01 09:00"))
    assert found is not None
    assert (found.start, found.phase) == (at("2026-07-01 09:15").timestamp(), "continuous")
    found = NSE.next_window("NSE_EQ", at("2026-11-23 16:00"))
    assert found is not None
    assert (found.start, found.phase) == (at("2026-11-25 09:00").timestamp(), "pre_open")
    assert NSE.next_window("NSE_EQ", at("1990-01-01 10:00")) is None


def test_a_holiday_and_a_special_session_have_names() -> None:
    assert "Guru Nanak" in NSE.day_name("NSE_EQ", date(2026, 11, 24))
    assert "uhurat" in NSE.day_name("NSE_EQ", date(2025, 10, 21))
    assert NSE.day_name("NSE_EQ", date(2026, 11, 23)) == ""
    assert Calendar.always_open().day_name("NSE_EQ", date(2026, 11, 24)) == ""
