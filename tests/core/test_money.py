import math
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ltp.core.money import (
    MAX_PRICE,
    SCALE,
    decimal_text,
    group_indian,
    grouped_text,
    is_currency,
    needs_snap,
    parse_decimal,
    price_from_float32,
    price_from_rupees,
    rupees,
    snap,
)

prices = st.integers(1, MAX_PRICE)


def f32(value: float) -> float:
    return struct.unpack("<f", struct.pack("<f", value))[0]


# From the feed


@given(st.integers(1, 13_107_199))
@example(140_210)
@example(13_107_199)
def test_every_paisa_below_131_072_survives_float32(paise):
    assert price_from_float32(f32(paise / 100), currency=False) == paise * 100


@given(st.integers(1, 10_239_999))
@example(832_475)
@example(10_239_999)
def test_every_hundredth_of_a_paisa_of_a_currency_below_1_024_survives_float32(price):
    assert price_from_float32(f32(price / SCALE), currency=True) == price


@given(st.integers(131_072 * 20, 524_288 * 20 - 1))
@example(524_288 * 20 - 1)
def test_snapping_restores_the_grid_of_five_paise_up_to_524_288(steps):
    coarse = price_from_float32(f32(steps / 20), currency=False)
    assert needs_snap(coarse, currency=False)
    assert snap(coarse, 500) == steps * 500


@given(st.integers(1_024 * 400, 32_768 * 400 - 1))
def test_snapping_restores_a_currency_grid_above_the_exact_range(steps):
    coarse = price_from_float32(f32(steps / 400), currency=True)
    assert needs_snap(coarse, currency=True)
    assert snap(coarse, 25) == steps * 25


@pytest.mark.parametrize(("price", "currency"), [(1_310_719_900, False), (10_239_999, True)])
def test_an_exact_price_needs_no_snap(price, currency):
    assert not needs_snap(price, currency=currency)


@pytest.mark.parametrize(("price", "currency"), [(1_310_720_000, False), (10_240_000, True)])
def test_the_exact_range_ends_before_its_bound(price, currency):
    assert needs_snap(price, currency=currency)


@pytest.mark.parametrize("currency", [False, True])
@pytest.mark.parametrize(
    "never", [0.0, -0.0, -0.01, math.nan, math.inf, -math.inf, 10_000_001.0, 1e38, 1e-45, 0.00004]
)
def test_impossible_prices_are_none(never, currency):
    assert price_from_float32(never, currency=currency) is None


def test_the_bounds_are_shown():
    assert price_from_float32(10_000_000.0, currency=False) == MAX_PRICE
    assert price_from_float32(f32(0.01), currency=False) == 100
    assert price_from_float32(f32(0.0001), currency=True) == 1


@given(st.floats(width=32), st.booleans())
def test_any_float_is_a_price_in_range_or_none(value, currency):
    price = price_from_float32(value, currency=currency)
    assert price is None or (type(price) is int and 0 < price <= MAX_PRICE)


@pytest.mark.parametrize(
    ("price", "tick_size", "snapped"),
    [
        (1_500_000_469, 500, 1_500_000_500),
        (1_500_000_249, 500, 1_500_000_000),
        (1_500_000_250, 500, 1_500_000_500),
        (1_500_000_469, 0, 1_500_000_469),
        (37, 25, 25),
        (38, 25, 50),
    ],
)
def test_snap_goes_to_the_nearest_multiple(price, tick_size, snapped):
    assert snap(price, tick_size) == snapped


# From JSON


@given(prices)
def test_a_price_survives_json(price):
    assert price_from_rupees(rupees(price)) == price


@pytest.mark.parametrize(
    "never", [0, 0.0, -1, -0.01, math.nan, math.inf, -math.inf, 10_000_000.01, 10**400, 0.00004]
)
def test_rupees_that_are_never_shown(never):
    """JSON may contain an integer too long for a float."""
    assert price_from_rupees(never) is None


@pytest.mark.parametrize(
    ("value", "price"),
    [(1402, 14_020_000), (1402.1, 14_021_000), (83.2475, 832_475), (10_000_000, MAX_PRICE)],
)
def test_rupees(value, price):
    assert price_from_rupees(value) == price


# As text


@pytest.mark.parametrize(
    ("price", "currency", "text"),
    [
        (14_021_000, False, "1402.10"),
        (100, False, "0.01"),
        (832_475, True, "83.2475"),
        (830_000, True, "83.0000"),
        (0, False, "0.00"),
        (-15_000, False, "-1.50"),
        (-5, True, "-0.0005"),
        (1_500_000_469, False, "150000.05"),
        (-40, False, "0.00"),
        (-50, False, "-0.01"),
    ],
)
def test_decimal_text(price, currency, text):
    assert decimal_text(price, currency=currency) == text


@given(prices)
def test_four_decimals_are_read_back(price):
    assert parse_decimal(decimal_text(price, currency=True)) == price


@given(st.integers(1, MAX_PRICE // 100))
def test_two_decimals_are_read_back(paise):
    assert parse_decimal(decimal_text(paise * 100)) == paise * 100


@pytest.mark.parametrize(
    ("text", "price"), [("1402", 14_020_000), ("1402.1", 14_021_000), ("0.0025", 25), ("007", 70_000)]
)
def test_parse_decimal(text, price):
    assert parse_decimal(text) == price


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.",
        ".5",
        "-1.50",
        "+1",
        "1e3",
        "1,402.10",
        " 1",
        "1\n",
        "1.00000",
        "nan",
        "1.2.3",
        "१२",
        "²",
        "1.²",
        "9" * 5_000,
    ],
)
def test_other_texts_are_no_decimals(text):
    assert parse_decimal(text) is None


@given(st.text(max_size=20))
def test_any_text_is_a_decimal_or_none(text):
    price = parse_decimal(text)
    assert price is None or price >= 0


@pytest.mark.parametrize(
    ("digits", "grouped"),
    [
        ("1", "1"),
        ("123", "123"),
        ("1234", "1,234"),
        ("12345", "12,345"),
        ("123456", "1,23,456"),
        ("1234567", "12,34,567"),
        ("123456789", "12,34,56,789"),
    ],
)
def test_indian_grouping(digits, grouped):
    assert group_indian(digits) == grouped


@given(st.integers(0, 10**15).map(str))
def test_grouping_only_adds_commas(digits):
    head, *tail = group_indian(digits).split(",")
    assert head + "".join(tail) == digits
    assert [len(part) for part in tail] == [2] * (len(tail) - 1) + [3] * bool(tail)


@pytest.mark.parametrize(
    ("price", "currency", "text"),
    [
        (12_345_678_500, False, "12,34,567.85"),
        (-12_345_678_500, False, "-12,34,567.85"),
        (832_475, True, "83.2475"),
        (-40, False, "0.00"),
    ],
)
def test_grouped_text(price, currency, text):
    assert grouped_text(price, currency=currency) == text


@pytest.mark.parametrize(
    ("key", "currency"),
    [("NSE_CURRENCY:1", True), ("BSE_CURRENCY:1", True), ("NSE_EQ:1333", False), ("IDX_I:13", False)],
)
def test_is_currency(key, currency):
    assert is_currency(key) is currency
