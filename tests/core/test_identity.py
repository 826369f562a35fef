from __future__ import annotations

import pytest

from ltp.core.identity import same_instrument
from ltp.core.instrument import Instrument


def contract(symbol: str, name: str) -> Instrument:
    return Instrument("NSE_FNO", 45000, symbol, name, "", 65, 500)


def share(symbol: str, isin: str = "", segment: str = "NSE_EQ") -> Instrument:
    return Instrument(segment, 500, symbol, f"{symbol} LTD", isin, 1, 5, "EQ")


CALL = contract("NIFTY-Nov2026-26000-CE", "NIFTY 24 NOV 26000 CALL")


@pytest.mark.parametrize(
    "other",
    [
        contract("BANKNIFTY-Dec2026-60000-PE", "BANKNIFTY 29 DEC 60000 PUT"),
        contract("NIFTY-Nov2026-26000-PE", "NIFTY 24 NOV 26000 PUT"),
        contract("NIFTY-Dec2026-26000-CE", "NIFTY 29 DEC 26000 CALL"),
        contract("NIFTY-Nov2026-26100-CE", "NIFTY 24 NOV 26100 CALL"),
        contract("BANKNIFTY-Nov2026-26000-CE", "BANKNIFTY 24 NOV 26000 CALL"),
        contract("NIFTY-Nov2026-26000-CE", "NIFTY 17 NOV 26000 CALL"),  # two weeks of a month share a symbol
    ],
)
def test_another_contract(other: Instrument) -> None:
    assert not same_instrument(CALL, other, {})


@pytest.mark.parametrize(
    "other",
    [
        CALL,
        CALL._replace(symbol="NIFTY-NOV2026-26000-CE"),
        CALL._replace(lot_size=75, tick_size=1_000),
        CALL._replace(name="NIFTY-Nov2026-26000-CE"),  # another layout of the file has no label
    ],
)
def test_the_same_contract(other: Instrument) -> None:
    assert same_instrument(CALL, other, {})


def test_a_contract_bears_the_new_name_of_its_share() -> None:
    before = contract("ZOMATO-Nov2026-FUT", "ZOMATO 24 NOV FUT")
    after = contract("ETERNAL-Nov2026-FUT", "ETERNAL 24 NOV FUT")
    assert same_instrument(before, after, {"zomato": "ETERNAL"})
    assert not same_instrument(before, after, {})
    hyphenated = contract("BAJAJ-AUTO-Nov2026-FUT", "BAJAJ-AUTO NOV FUT")
    assert same_instrument(
        hyphenated, hyphenated._replace(symbol="BAJAJAUTO-Nov2026-FUT"), {"bajaj-auto": "BAJAJAUTO"}
    )


@pytest.mark.parametrize(
    "other",
    [
        share("ETERNAL", "INE758T01015"),  # a rename
        share("ZOMATO", "INE758T01023"),  # a new face value
        share("ETERNAL", "INE758T01023"),
        share("ETERNAL"),  # a file without ISINs is no evidence
        share("ZOMATO", "INE111A01017"),  # a scheme gave the company a new code
    ],
)
def test_the_same_share(other: Instrument) -> None:
    assert same_instrument(share("ZOMATO", "INE758T01015"), other, {})


@pytest.mark.parametrize("other", [share("OTHER", "INE002A01018"), share("ZOMATO-D", "INE758T08015")])
def test_another_share(other: Instrument) -> None:
    assert not same_instrument(share("ZOMATO", "INE758T01015"), other, {})


def test_funds_of_one_house_are_not_one_fund() -> None:
    assert not same_instrument(share("GOLDBEES", "INF204KB17I5"), share("SILVERBEES", "INF204KC1402"), {})


def test_an_index_may_be_renamed() -> None:
    old = Instrument("IDX_I", 13, "CNX NIFTY", "CNX Nifty", "", 1, 5)
    assert same_instrument(old, old._replace(symbol="NIFTY", name="Nifty 50"), {})
