from __future__ import annotations

from datetime import date

import pytest

from ltp.batch.candle_keys import CandleKeys
from ltp.core.instrument import Instrument

DAY = date(2025, 7, 1)


def share(security_id: int, symbol: str, isin: str = "", series: str = "EQ") -> Instrument:
    return Instrument("NSE_EQ", security_id, symbol, "", isin, 1, 500, series)


TMPV = share(3456, "TMPV", "INE155A01022")
TMCV = share(759782, "TATAMOTORS", "INE1TAE01010")
KOTAK = share(1922, "KOTAKBANK", "INE237A01036")
ETERNAL = share(5097, "ETERNAL", "INE758T01015")
OLD_JBMA, JBMA = share(11655, "JBMA", "INE927D01051", ""), share(30111, "JBMA", "INE927D01051", "BE")
NIFTY = Instrument("IDX_I", 13, "NIFTY", "Nifty 50", "", 1, 0)


@pytest.fixture
def keys() -> CandleKeys:
    return CandleKeys(
        [TMPV, TMCV, KOTAK, ETERNAL, OLD_JBMA, JBMA, NIFTY], {("NSE_EQ", "ZOMATO"): ETERNAL.key}
    )


@pytest.mark.parametrize(
    ("row", "key"),
    [
        (("KOTAKBANK", "EQ", "INE237A01036", 1922), KOTAK.key),
        (("KOTAKBANK", "EQ", "", None), KOTAK.key),
        (("KOTAKBANK", "BE", "", None), KOTAK.key),
        (("KOTAKBANK", "EQ", "INE237A01028", None), KOTAK.key),  # before its split
        (("KOTAKBANK", "EQ", "", 999), KOTAK.key),  # an id of another series
        (
            ("TATAMOTORS", "EQ", "INE155A01022", 3456),
            TMPV.key,
        ),  # before the demerger the symbol was the other's
        (("TATAMOTORS", "EQ", "INE155A01022", None), TMPV.key),
        (("TATAMOTORS", "EQ", "INE1TAE01010", None), TMCV.key),
        (("TATAMOTORS", "EQ", "INE155A01014", None), TMPV.key),  # and before the split of its face value too
        (("TELCO", "EQ", "INE155A01014", None), TMPV.key),
        (("TELCODVR", "EQ", "IN9155A01012", None), None),  # another kind of share
        (("ZOMATO", "EQ", "", None), ETERNAL.key),
        (("JBMA", "EQ", "INE927D01051", 11655), JBMA.key),  # the id it had as EQ has ended
        (("JBMA", "EQ", "", None), JBMA.key),
        (("NIFTY", "", "", None), NIFTY.key),
        (("NIFTY 50", "", "", None), NIFTY.key),
        (("NIFTY", "EQ", "", None), None),
        (("UNKNOWN", "EQ", "INE000000000", 3456), None),  # an id that agrees in nothing else means nothing
    ],
)
def test_a_row_finds_its_share(
    keys: CandleKeys, row: tuple[str, str, str, int | None], key: str | None
) -> None:
    assert keys.find(*row, DAY) == key
    assert keys.find(*row, DAY) == key


def test_a_name_learned_by_its_isin_is_known_from_then_on(keys: CandleKeys) -> None:
    assert keys.find("TELCO", "EQ", "", None, DAY) is keys.by_name("TELCO") is None
    assert keys.find("TELCO", "EQ", "INE155A01022", None, date(2020, 1, 2)) == TMPV.key
    assert keys.find("TELCO", "EQ", "INE155A01022", None, date(2020, 1, 1)) == TMPV.key
    assert keys.find("TELCO", "EQ", "", None, DAY) == keys.by_name("TELCO") == TMPV.key
    assert keys.learned == {(TMPV.key, "TELCO"): DAY}


def test_only_former_names_are_learned(keys: CandleKeys) -> None:
    keys.find("KOTAKBANK", "EQ", "INE237A01036", 1922, DAY)
    assert keys.learned == {}
    keys.find("KOTAKBANK", "EQ", "INE237A01028", 1922, date(2026, 1, 13))
    keys.find("NIFTY 50", "", "", None, DAY)
    assert keys.learned == {(KOTAK.key, "INE237A01028"): date(2026, 1, 13)}


def test_a_listing_that_ended_is_followed_by_the_one_of_its_isin(keys: CandleKeys) -> None:
    assert keys.successors() == {OLD_JBMA.key: JBMA.key}
    assert CandleKeys([OLD_JBMA, share(1, "NEW", series="")], {}).successors() == {}


def test_symbols_are_those_of_listed_shares(keys: CandleKeys) -> None:
    assert keys.symbols() == {
        TMPV.key: "TMPV",
        TMCV.key: "TATAMOTORS",
        KOTAK.key: "KOTAKBANK",
        ETERNAL.key: "ETERNAL",
        JBMA.key: "JBMA",
    }
