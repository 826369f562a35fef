from __future__ import annotations

from ltp.core.instrument import Instrument
from ltp.db.instrument_index import InstrumentIndex

BSE = Instrument("BSE_EQ", 500180, "HDFCBANK", "HDFC Bank", "INE040A01034", 1, 500, "A")
INDEX = Instrument("IDX_I", 13, "NIFTY", "Nifty 50", "", 1, 500, "", "Index")
ABB = Instrument("NSE_EQ", 13, "ABB", "Abb India", "INE117A01022", 1, 500, "EQ", "Capital Goods")
HDFC = Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank", "INE040A01034", 1, 500, "EQ")
BOND = Instrument("NSE_EQ", 1334, "HDFCBANK", "HDFC Bank 7%", "INE040A08104", 1, 500, "N1")
ETF = Instrument("NSE_EQ", 11591, "HDFCNIFTY", "HDFC Nifty 50 Été", "INF179KC1965", 1, 100, "EQ")
FUTURE = Instrument("NSE_FNO", 7, "HDFCBANK-Sep2026-FUT", "HDFCBANK SEP FUT", "", 550, 500)
EVERY = [BSE, INDEX, ABB, HDFC, BOND, ETF, FUTURE]
DIRECTORY = InstrumentIndex([EVERY[:3], EVERY[3:]])


def keys(words: str, directory: InstrumentIndex = DIRECTORY, limit: int = 9) -> list[str]:
    return [each.key for each in directory.search(words, limit).instruments]


def test_instruments_come_back_as_they_were_added() -> None:
    assert list(DIRECTORY) == EVERY
    assert len(DIRECTORY) == 7
    assert [DIRECTORY.get(each.key) for each in EVERY] == EVERY
    assert DIRECTORY.get("NSE_EQ:1333") is DIRECTORY.get("NSE_EQ:1333")


def test_an_unknown_key_is_none() -> None:
    for key in (
        "NSE_EQ:1",
        "NSE_EQ:99999999999",
        "NSE_FNO:8",
        "NOWHERE:13",
        "NSE_EQ:",
        "NSE_EQ:x",
        "NSE_EQ:\u0663",
        "",
    ):
        assert DIRECTORY.get(key) is None
    assert InstrumentIndex().get("NSE_EQ:1333") is None


def test_a_symbol_of_a_segment_is_its_share() -> None:
    assert DIRECTORY.find("NSE_EQ", "hdfcbank") == HDFC
    assert DIRECTORY.find("BSE_EQ", "HDFCBANK") == BSE
    assert DIRECTORY.find("NSE_EQ", "HDFCBAN") is None
    assert DIRECTORY.find("NSE_EQ", "HDFC.ANK") is None
    assert DIRECTORY.find("MCX_COMM", "GOLD") is None


def test_a_search_lists_the_symbol_itself_first_and_contracts_last() -> None:
    assert keys("hdfcbank") == ["NSE_EQ:1333", "NSE_EQ:1334", "BSE_EQ:500180", "NSE_FNO:7"]
    assert keys("nifty") == ["IDX_I:13", "NSE_EQ:11591"]
    assert keys("india") == ["NSE_EQ:13"]
    assert keys("idx_i:13") == ["IDX_I:13"]
    assert keys("ÉTÉ") == ["NSE_EQ:11591"]
    assert keys(".*") == keys("") == keys("zzz") == []


def test_more_than_the_limit_is_counted() -> None:
    found = DIRECTORY.search("h", 2)
    assert ([each.key for each in found.instruments], found.matching, found.more) == (
        ["NSE_EQ:1333", "NSE_EQ:11591"],
        5,
        False,
    )


def test_thousands_of_contracts_do_not_hide_a_share() -> None:
    contracts = [Instrument("BSE_FNO", id_, f"NIFTY-{id_}-CE", "", "", 1, 5) for id_ in range(1, 6_000)]
    directory = InstrumentIndex(
        [contracts, [INDEX, HDFC, Instrument("NSE_EQ", 9, "NIACL", "", "", 1, 5, "EQ")]]
    )
    assert keys("ni", directory, 2) == ["IDX_I:13", "NSE_EQ:9"]
    assert directory.search("ni", 2).more


def test_separators_and_line_ends_in_names_become_spaces() -> None:
    directory = InstrumentIndex([[HDFC._replace(symbol="A\nB", name="C\x1fD")], [FUTURE]])
    assert directory.get(HDFC.key) == HDFC._replace(symbol="A B", name="C D")
    assert directory.find("NSE_FNO", FUTURE.symbol) == FUTURE


def test_building_pauses_between_two_batches() -> None:
    pauses: list[int] = []
    InstrumentIndex([EVERY[:3], EVERY[3:]], pause=lambda: pauses.append(1))
    assert len(pauses) == 2
