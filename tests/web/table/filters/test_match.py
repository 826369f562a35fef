from __future__ import annotations

import pytest

from ltp.core.history.plan import Plan
from ltp.core.screener import Outcome, Row
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick
from ltp.web.table.filters.grammar import parse
from ltp.web.table.filters.match import passing

MET, MISSED = Outcome("a", True), Outcome("b", False)
ROWS = [
    Row("NSE_EQ:1", 1, "ALPHA", "Alpha Bank", "Bank", 91.5, "WAIT_PULLBACK", 16_500_000, criteria=(MET, MISSED),
        facts={"rsi": 61.3972, "change_pct": -2.5, "turnover": 2.5e8, "trend": "up"}, spark=(100.0, 110.0)),
    Row("NSE_EQ:2", 2, "BETA", "Beta <b>IT</b>", "IT", 88.0, "READY", 30_000_000,
        facts={"rsi": 60.0, "change_pct": -2.0, "turnover": 1e8, "trend": "down"}, spark=(100.0, 90.0)),
    Row("NSE_EQ:3", 3, "GAMMA", facts={"rsi": None}),
]  # fmt: skip
QUOTES = {
    "NSE_EQ:1": Quote("NSE_EQ:1", Tick("NSE_EQ:1", 1_650_000, prev_close=1_600_000, volume=500), "live"),
    "NSE_EQ:2": Quote("NSE_EQ:2", Tick("NSE_EQ:2", 3_100_000, prev_close=3_200_000), "live"),
    "NSE_EQ:3": Quote("NSE_EQ:3", None, "unknown"),
}
PLANS = {"NSE_EQ:1": Plan(1_700_000, 1_690_000, 1_700_000, 1_500_000, None, "")}


def found(*filters: str) -> list[int]:
    return [row.rank for row in passing(ROWS, [parse(each) for each in filters], QUOTES, PLANS)]


@pytest.mark.parametrize(
    ("text", "ranks"),
    [
        ("rsi>60", [1]),
        ("rsi>=60", [1, 2]),
        ("rsi<61", [2]),
        ("rsi<=60", [2]),
        ("rsi=61.4", [1]),
        ("rsi=61", [1]),
        ("rsi=61.3", []),
        ("rsi!=61.4", [2]),
        ("change_pct<-2", [1]),
        ("entry>=1650", [1, 2]),
        ("entry=3000", [2]),
        ("turnover>10cr", [1]),
        ("rank>2", [3]),
        ("criteria=1", [1]),
        ("spark>5", [1]),
        ("spark<0", [2]),
        ("sector=it", [2]),
        ("sector!=it", [1]),
        ("sector~a", [1]),
        ("name~<B>", [2]),
        ("symbol~MM", [3]),
        ("setup=wait pullback", [1]),
        ("setup=WAIT_PULLBACK", [1]),
        ("trend=up", [1]),
        ("ltp>200", [2]),
        ("chg<0", [2]),
        ("chgp>3", [1]),
        ("chgp=-3.1", [2]),
        ("volume>=500", [1]),
        ("to_entry>3", [1]),
        ("state=waiting", [1]),
    ],
)
def test_a_filter_compares_in_the_unit_of_its_column(text: str, ranks: list[int]) -> None:
    assert found(text) == ranks


def test_all_filters_must_pass_and_none_keeps_every_row() -> None:
    assert found() == [1, 2, 3]
    assert found("rsi>=60", "chg<0") == [2]
    assert found("rsi>60", "chg<0") == []


def test_an_unknown_value_passes_neither_a_filter_nor_its_opposite() -> None:
    for text in (
        "rsi<200",
        "rsi!=5",
        "sector!=IT",
        "sector~a",
        "ltp>0",
        "ltp!=5",
        "state!=waiting",
        "r>0",
        "r!=1",
    ):
        assert 3 not in found(text)
