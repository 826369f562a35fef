from __future__ import annotations

from functools import partial

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


def test_others_than_those_listed_are_mentioned() -> None:
    found = DIRECTORY.search("h", 2)
    assert ([each.key for each in found.instruments], found.more) == (["NSE_EQ:1333", "NSE_EQ:11591"], True)
    assert not DIRECTORY.search("h", 9).more


def test_an_id_and_an_isin_are_found() -> None:
    assert keys("13") == ["IDX_I:13", "NSE_EQ:13"]
    assert keys("500180") == ["BSE_EQ:500180"]
    assert keys("INE040A01034") == ["NSE_EQ:1333", "BSE_EQ:500180"]
    assert keys("ine040a") == ["NSE_EQ:1333", "NSE_EQ:1334", "BSE_EQ:500180"]
    assert keys("99999999999") == keys("\u0661\u0663") == []


def test_starts_come_before_words_inside_and_names() -> None:
    assert keys("bank") == ["NSE_EQ:1333", "NSE_EQ:1334", "BSE_EQ:500180", "NSE_FNO:7"]
    assert keys("hdfc nifty") == ["NSE_EQ:11591"]
    assert keys("hdfcbank sep") == ["NSE_FNO:7"]


def test_one_typo_is_forgiven_among_shares_and_indices_where_nothing_else_matches() -> None:
    found = DIRECTORY.search("hdfcbnak", 9)
    assert ([each.key for each in found.instruments], found.corrected) == (
        ["NSE_EQ:1333", "NSE_EQ:1334", "BSE_EQ:500180"],
        True,
    )
    assert keys("nitfy") == ["IDX_I:13", "NSE_EQ:11591"]
    assert not DIRECTORY.search("hdfcbank", 9).corrected


def test_a_former_symbol_finds_the_share_that_had_it() -> None:
    directory = InstrumentIndex([EVERY], {ABB.key: ["ASEA", "INE117A01014"]})
    found = directory.search("ase", 9)
    assert (found.instruments, found.former) == ([ABB], {ABB.key: ["ASEA", "INE117A01014"]})
    assert keys("INE117A01014", directory) == ["NSE_EQ:13"]
    assert directory.find("NSE_EQ", "ASEA") is None


def test_some_places_are_for_contracts_and_the_future_is_first() -> None:
    funds = [Instrument("NSE_EQ", id_, f"GOLD{id_}", "", "", 1, 5, "EQ") for id_ in range(1, 20)]
    contracts = [
        Instrument("MCX_COMM", id_, f"GOLD-Oct2026-{end}", "", "", 1, 5)
        for id_, end in ((1, "100-CE"), (2, "FUT"))
    ]
    found = keys("gold", InstrumentIndex([contracts, funds]), 10)
    assert found[:8] == [f"NSE_EQ:{id_}" for id_ in (1, 10, 11, 12, 13, 14, 15, 16)]
    assert found[8:] == ["MCX_COMM:2", "MCX_COMM:1"]


def test_a_strike_is_of_the_underlying_that_was_typed() -> None:
    contracts = [
        Instrument("NSE_FNO", id_, f"{name}-Sep2026-24500-CE", f"{name} SEP 24500 CALL", "", 1, 5)
        for id_, name in ((1, "BANKNIFTY"), (2, "NIFTY"))
    ]
    assert keys("nifty 24500 ce", InstrumentIndex([contracts])) == ["NSE_FNO:2", "NSE_FNO:1"]


def test_a_large_master_is_searched_in_short_turns() -> None:
    """No turn compares more than a part of the words or of the lines: counted, because times vary."""
    contracts = [
        Instrument("NSE_FNO", id_, f"NIFTY-{id_}-CE", f"NIFTY {id_} CALL", "", 1, 5)
        for id_ in range(1, 50_001)
    ]
    shares = [Instrument("NSE_EQ", id_, f"SHARE{id_}X", "", "", 1, 5, "EQ") for id_ in range(1, 3_001)]
    directory = InstrumentIndex([shares, contracts])
    for words, least in (("zzzz", 13 + 6), ("nifty 31 ce", 9)):
        pauses: list[int] = []
        directory.search(words, 8, partial(pauses.append, 1))
        assert len(pauses) >= least


def test_thousands_of_contracts_do_not_hide_a_share() -> None:
    contracts = [Instrument("BSE_FNO", id_, f"NIFTY-{id_}-CE", "", "", 1, 5) for id_ in range(1, 6_000)]
    directory = InstrumentIndex(
        [contracts, [INDEX, HDFC, Instrument("NSE_EQ", 9, "NIACL", "", "", 1, 5, "EQ")]]
    )
    assert keys("ni", directory, 2) == ["IDX_I:13", "NSE_EQ:9"]
    assert keys("ni", directory, 5)[:2] == ["IDX_I:13", "NSE_EQ:9"]
    assert directory.search("ni", 2).more


def test_separators_and_line_ends_in_names_become_spaces() -> None:
    directory = InstrumentIndex([[HDFC._replace(symbol="A\nB", name="C\x1fD")], [FUTURE]])
    assert directory.get(HDFC.key) == HDFC._replace(symbol="A B", name="C D")
    assert directory.find("NSE_FNO", FUTURE.symbol) == FUTURE


def test_building_pauses_between_two_batches() -> None:
    pauses: list[int] = []
    InstrumentIndex([EVERY[:3], EVERY[3:]], pause=lambda: pauses.append(1))
    assert len(pauses) == 2 + 2, "and two for the words"
