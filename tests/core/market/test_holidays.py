from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from ltp.core.instrument import SEGMENTS
from ltp.core.market.holidays import Hours, Window, packaged_tables, parse_tables
from ltp.errors import InputError

RULE = """
[[rules]]
name = "cash"
segments = ["NSE_EQ"]
effective_from = 2026-01-01
continuous = ["09:15-15:30"]
"""
HOLIDAY = """
[[holidays]]
segments = ["NSE_EQ"]
days = [{ date = 2026-11-24, name = "Guru Nanak Jayanti" }]
"""
SESSION = """
[[sessions]]
segments = ["NSE_EQ"]
continuous = ["18:00-19:00"]
days = [{ date = 2026-11-08, name = "Muhurat" }]
"""


def test_the_shipped_tables_cover_2024_to_2026_and_every_segment_from_then_on() -> None:
    tables = packaged_tables()
    assert tables.years == {2024, 2025, 2026}
    for segment in SEGMENTS:
        rules = sorted(
            (rule for rule in tables.rules if segment in rule.segments), key=lambda rule: rule.first
        )
        assert rules[0].first < date(2024, 1, 1)
        assert rules[-1].last == date.max
        for before, after in pairwise(rules):
            assert (after.first - before.last).days == 1, f"{segment}: gap or overlap at {after.first}"


def test_the_shipped_tables_list_only_days_of_their_years_and_each_with_a_name() -> None:
    days = packaged_tables().days
    assert {day.year for _, day in days} == {2024, 2025, 2026}
    assert [day for (_, day), entry in days.items() if not entry.name] == []


def test_days_of_currency_and_commodities_are_marked_provisional() -> None:
    for segment in ("NSE_CURRENCY", "BSE_CURRENCY", "MCX_COMM"):
        entries = [entry for (each, _), entry in packaged_tables().days.items() if each == segment]
        assert {entry.provisional for entry in entries} == {True}


def test_a_rule_without_an_end_holds_for_ever() -> None:
    [rule] = parse_tables(RULE).rules
    assert (rule.first, rule.last) == (date(2026, 1, 1), date.max)
    assert rule.hours == Hours((Window(9 * 60 + 15, 15 * 60 + 30, "continuous"),))


def test_windows_come_in_the_order_of_the_day() -> None:
    text = SESSION.replace(
        '["18:00-19:00"]',
        '["18:00-24:00", "09:00-10:00"]\npre_open = ["10:00-10:15"]\nquiet = ["09:30-09:40"]',
    )
    hours = parse_tables(text).lookup("NSE_EQ", date(2026, 11, 8))[0]
    assert [(window.start, window.end) for window in hours.windows] == [(540, 600), (600, 615), (1080, 1440)]
    assert hours.quiet == (Window(570, 580, "quiet"),)


def test_a_weekend_needs_no_entry_and_a_weekday_without_a_rule_is_closed() -> None:
    tables = parse_tables(RULE)
    assert tables.lookup("NSE_EQ", date(2026, 11, 22)) == (Hours(), "")
    assert tables.lookup("NSE_EQ", date(2025, 12, 31)) == (Hours(), "")
    assert tables.lookup("NSE_EQ", date(2026, 11, 23))[0].windows


def test_tables_laid_over_others_win_on_their_dates_alone() -> None:
    base = parse_tables(RULE + HOLIDAY)
    late = parse_tables(HOLIDAY.replace("holidays", "trading_days"))
    tuesday, wednesday = date(2026, 11, 24), date(2026, 11, 25)
    assert base.lookup("NSE_EQ", tuesday) == (Hours(), "")
    assert base.under(late).lookup("NSE_EQ", tuesday) == base.lookup("NSE_EQ", wednesday)
    assert late.under(base).lookup("NSE_EQ", tuesday) == (Hours(), "")


def test_the_newer_rule_wins_where_both_hold() -> None:
    late = parse_tables(
        RULE.replace("15:30", "15:00").replace("2026-01-01", "2026-06-01\neffective_to = 2026-06-30")
    )
    tables = parse_tables(RULE).under(late)
    ends = [
        tables.lookup("NSE_EQ", day)[0].windows[-1].end
        for day in (date(2026, 5, 29), date(2026, 6, 1), date(2026, 7, 1))
    ]
    assert ends == [930, 900, 930]


@pytest.mark.parametrize(
    ("kind", "day"),
    [(HOLIDAY, date(2026, 11, 24)), (HOLIDAY.replace("holidays", "trading_days"), date(2026, 11, 24))],
)
def test_a_doubtful_day_gives_its_name_as_the_reason(kind: str, day: date) -> None:
    text = kind.replace("days = [{", "provisional = true\ndays = [{")
    assert parse_tables(RULE + text).lookup("NSE_EQ", day)[1] == "Guru Nanak Jayanti"
    assert parse_tables(RULE + kind).lookup("NSE_EQ", day)[1] == ""


def test_a_doubtful_rule_gives_its_name_as_the_reason_on_trading_days() -> None:
    tables = parse_tables(RULE + "provisional = true\n")
    assert tables.lookup("NSE_EQ", date(2026, 11, 23))[1] == "cash"
    assert tables.lookup("NSE_EQ", date(2026, 11, 22))[1] == ""


def test_an_empty_file_changes_nothing() -> None:
    assert parse_tables("") == ((), {}, frozenset())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[[holiday]]\n",
            "the file: 'holiday' is not accepted; its parts are years, rules, holidays, trading_days, "
            "sessions",
        ),
        ("years = 2027", "years: '2027' is not accepted; it must be a list such as"),
        ("years = [true]", "years: '\\[True\\]' is not accepted"),
        ("holidays = 1", r"holidays: '1' is not accepted; each part must begin with \[\[holidays\]\]"),
        (
            HOLIDAY.replace("NSE_EQ", "NSE_EQUITY"),
            r"line 2, holidays\[1\].segments: 'NSE_EQUITY' is not accepted; a segment is one of",
        ),
        (
            HOLIDAY.replace('["NSE_EQ"]', '"NSE_EQ"'),
            r"line 2, holidays\[1\].segments: 'NSE_EQ' is not accepted; it must be a list",
        ),
        (
            HOLIDAY.replace('segments = ["NSE_EQ"]', ""),
            r"holidays\[1\].segments: '' is not accepted; it must be a list",
        ),
        (
            HOLIDAY.replace("2026-11-24", '"2026-11-24"'),
            r"holidays\[1\].days\[1\].date: '2026-11-24' is not accepted; .*without quotes",
        ),
        (
            HOLIDAY.replace("2026-11-24", "2026-11-24T00:00:00"),
            r"days\[1\].date: '2026-11-24 00:00:00' is not accepted",
        ),
        (
            HOLIDAY.replace("name", "nmae"),
            r"line 2, holidays\[1\].days\[1\]: .* is not accepted; it must be { date =",
        ),
        (HOLIDAY.replace('"Guru Nanak Jayanti"', "1"), r"holidays\[1\].days\[1\]: "),
        (
            HOLIDAY.replace("days = [", "dates = ["),
            r"line 2, holidays\[1\].dates: .* the fields here are segments, provisional, days",
        ),
        ('[[holidays]]\nsegments = ["NSE_EQ"]\n', r"line 1, holidays\[1\].days: '' is not accepted"),
        (
            HOLIDAY.replace("days =", 'provisional = "yes"\ndays ='),
            r"holidays\[1\].provisional: 'yes' is not accepted; it must be true",
        ),
        (
            HOLIDAY + HOLIDAY,
            r"line 6, holidays\[2\].days\[1\].date: '2026-11-24' is not accepted; NSE_EQ has an entry for "
            r"this date",
        ),
        (
            HOLIDAY + SESSION.replace("2026-11-08", "2026-11-24"),
            r"line 6, sessions\[1\].days\[1\].date: '2026-11-24'",
        ),
        (
            SESSION.replace('continuous = ["18:00-19:00"]', ""),
            r"line 2, sessions\[1\]: 'no hours' is not accepted; at least one of",
        ),
        (
            SESSION.replace("18:00-19:00", "19:00-18:00"),
            r"sessions\[1\].continuous: '19:00-18:00' is not accepted; a window is HH:MM",
        ),
        (SESSION.replace("18:00-19:00", "18:00-18:00"), r"continuous: '18:00-18:00' is not accepted"),
        (SESSION.replace("18:00-19:00", "6 pm"), r"continuous: '6 pm' is not accepted"),
        (SESSION.replace("18:00-19:00", "18:00-25:00"), r"continuous: '18:00-25:00' is not accepted"),
        (SESSION.replace('["18:00-19:00"]', "[18]"), r"continuous: '18' is not accepted"),
        (
            SESSION.replace('["18:00-19:00"]', '"18:00-19:00"'),
            r"continuous: '18:00-19:00' is not accepted; it must be a list",
        ),
        (
            SESSION.replace("days", 'pre_open = ["17:45-18:01"]\ndays'),
            r"sessions\[1\].continuous: '18:00-19:00' is not accepted; it overlaps pre_open 17:45-18:01",
        ),
        (
            RULE.replace("2026-01-01", "2026-01-01\neffective_to = 2025-12-31"),
            r"rules\[1\].effective_to: '2025-12-31' is not accepted",
        ),
        (
            RULE.replace("effective_from = 2026-01-01", ""),
            r"line 2, rules\[1\].effective_from: '' is not accepted; it must be a date",
        ),
        (
            RULE.replace('name = "cash"', 'name = " "'),
            r"rules\[1\].name: ' ' is not accepted; it must be a text that is not empty",
        ),
        (
            RULE + RULE,
            r"line 8, rules\[2\].effective_from: '2026-01-01' is not accepted; NSE_EQ has the rule 'cash' "
            r"then",
        ),
    ],
)
def test_an_error_names_line_and_field(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        parse_tables(text)


def test_the_examples_of_the_operators_page_are_accepted() -> None:
    page = (Path(__file__).parents[3] / "docs" / "calendar.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(examples) >= 4
    for example in examples:
        assert parse_tables(example) != parse_tables("")
