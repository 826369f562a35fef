"""The form of a job: every field refused by name, accepted by value."""

from __future__ import annotations

from datetime import date

import pytest

from ltp.core.bars.kept_days import KeptDays
from ltp.db.history.jobs import DAILY, FETCH, REFILL, Request
from ltp.db.history.summary import EVERYTHING
from ltp.errors import InputError
from ltp.web.history import form
from ltp.web.history.form import MOST_KEYS, NAMED, Typed

TODAY = date(2026, 11, 30)
KEYS = {"HDFCBANK": "NSE_EQ:1333", "NSE_EQ:1333": "NSE_EQ:1333", "NIFTY": "IDX_I:13"}
KEPT = KeptDays(date(2026, 10, 2), date(2021, 11, 29))
GOOD = Typed(FETCH, "nifty50", "", "2026-11-02", "2026-11-30")


def parsed(typed: Typed) -> Request:
    return form.parse(typed, ["nifty50"], KEYS.get, TODAY, KEPT)


@pytest.mark.parametrize(
    ("typed", "request_"),
    [
        (GOOD, Request(FETCH, "nifty50", (), date(2026, 11, 2), TODAY)),
        (GOOD._replace(keys="nothing that counts"), Request(FETCH, "nifty50", (), date(2026, 11, 2), TODAY)),
        (
            GOOD._replace(action=REFILL, of=EVERYTHING),
            Request(REFILL, EVERYTHING, (), date(2026, 11, 2), TODAY),
        ),
        (
            GOOD._replace(of=NAMED, keys="HDFCBANK, NIFTY  NSE_EQ:1333", first="2026-11-30"),
            Request(FETCH, "", ("NSE_EQ:1333", "IDX_I:13"), TODAY, TODAY),
        ),
        (
            GOOD._replace(action=REFILL, first="2026-09-01", last="2026-10-02"),
            Request(REFILL, "nifty50", (), date(2026, 9, 1), date(2026, 10, 2)),
        ),
        (GOOD._replace(action=DAILY, first="", last="x"), Request(DAILY, "nifty50")),
        (GOOD._replace(first="2021-11-29"), Request(FETCH, "nifty50", (), date(2021, 11, 29), TODAY)),
    ],
)
def test_what_is_accepted(typed: Typed, request_: Request) -> None:
    assert parsed(typed) == request_


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        (GOOD._replace(action="delete"), "action", "it is one of fetch, refill, replace, daily"),
        (GOOD._replace(of="nifty5"), "of", "it is a list of this page"),
        (GOOD._replace(of=""), "of", "it is a list of this page"),
        (GOOD._replace(action=DAILY, of=EVERYTHING), "of", "daily candles are fetched of one list"),
        (GOOD._replace(action=DAILY, of=NAMED, keys="NIFTY"), "of", "daily candles are fetched of one list"),
        (GOOD._replace(of=NAMED), "keys", "it is 1 to 50 symbols or keys"),
        (GOOD._replace(of=NAMED, keys="HDFC"), "keys", "the instrument master has no such symbol"),
        (
            GOOD._replace(of=NAMED, keys=" ".join(f"S{n}" for n in range(MOST_KEYS + 1))),
            "keys",
            "it is 1 to 50 symbols or keys",
        ),
        (GOOD._replace(first="20261102"), "first", "it is a day such as 2026-11-30"),
        (GOOD._replace(last=""), "last", "it is a day such as 2026-11-30"),
        (GOOD._replace(last="2026-12-01"), "last", "it is not after today, 2026-11-30"),
        (GOOD._replace(last="2026-11-01"), "first", "it is not after 2026-11-01"),
        (GOOD._replace(first="2021-11-28"), "first", "the broker keeps one-minute bars of five years"),
        (
            GOOD._replace(action=REFILL, first="2026-09-01", last="2026-10-01"),
            "last",
            "one-minute bars of days before 2026-10-02 are not kept, see MINUTE_BARS_DAYS",
        ),
    ],
)
def test_what_is_refused(typed: Typed, field: str, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        parsed(typed)
    assert refused.value.where == field
    assert sentence in str(refused.value)


def test_days_whose_bars_are_not_kept_are_refused() -> None:
    kept = KeptDays(date(2026, 10, 2), date(2024, 12, 1))
    for first, accepted in (("2024-12-01", True), ("2024-11-30", False)):
        typed = GOOD._replace(first=first)
        if accepted:
            assert form.parse(typed, ["nifty50"], KEYS.get, TODAY, kept).first_day == date(2024, 12, 1)
            continue
        with pytest.raises(InputError, match="days before 2024-12-01 are not kept, see LONGER_BARS_DAYS"):
            form.parse(typed, ["nifty50"], KEYS.get, TODAY, kept)


def test_the_empty_form_is_of_the_last_month() -> None:
    assert form.empty(TODAY, "all") == Typed(FETCH, "all", "", "2026-10-31", "2026-11-30")


def test_typed_values_are_kept_up_to_a_length() -> None:
    typed = form.typed({"action": " fetch ", "keys": "x" * 3_000, "other": "1"})
    assert (typed.action, len(typed.keys), typed.of) == ("fetch", 2_000, "")
