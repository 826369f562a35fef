from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.batch.action_import import ActionImport, confirm_list
from ltp.core.history.candle import Candle
from ltp.core.history.corporate_action import Action
from ltp.core.instrument import Instrument
from ltp.core.money import SCALE
from ltp.core.symbol_lookup import SymbolLookup
from ltp.db import candles, corporate_actions
from ltp.db.engine import open_engine

NEW = Instrument(
    "NSE_EQ", 317, "BAJFINANCE", "Bajaj Finance", isin="INE296A01032", lot_size=1, tick_size=500, series="EQ"
)
KEY, DAY = NEW.key, date(2025, 6, 16)
HEADER = "SYMBOL,SERIES,PURPOSE,EX-DATE\n"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def confirm(engine: Engine, *rows: str) -> ActionImport:
    lookup = SymbolLookup([NEW], {("NSE_EQ", "BAJAUTOFIN"): KEY})
    return confirm_list(engine, lookup, (HEADER + "\n".join(rows) + "\n").encode(), "ca.csv")


def trade(engine: Engine, before: float, after: float) -> None:
    drawn = []
    for number in range(40):
        price = round((before if number < 20 else after) * SCALE)
        drawn.append(Candle(DAY + timedelta(days=number - 20), price, price, price, price, 1000))
    candles.upsert(engine, "raw", {KEY: drawn})


def test_rows_of_one_share_under_its_old_and_new_symbol_are_of_one_day(engine: Engine) -> None:
    done = confirm(
        engine, "BAJFINANCE,EQ,Bonus 4:1,16-Jun-2025", "BAJAUTOFIN,EQ,Fv Splt Frm Rs 2 To Re 1,16-Jun-2025"
    )
    assert done.confirmed == [Action(KEY, DAY, 10, 1, "confirmed", "announced", "ca.csv")]
    assert corporate_actions.fetch(engine) == done.confirmed


def test_a_row_of_another_series_holds_no_row_of_the_share(engine: Engine) -> None:
    done = confirm(
        engine, "BAJFINANCE,EQ,Bonus 4:1,16-Jun-2025", "BAJFINANCE,N3,Scheme Of Arrangement,16-Jun-2025"
    )
    assert [each.ratio for each in done.confirmed] == ["5:1"]
    assert done.unused == [
        "ca.csv, line 3: BAJFINANCE 2025-06-16 'Scheme Of Arrangement' is not used; "
        "the series N3 is none of equity shares (EQ, BE, BZ, SM, ST)"
    ]


def test_an_announced_half_of_the_step_in_the_candles_is_not_used(engine: Engine) -> None:
    trade(engine, 9334, 956)
    done = confirm(engine, "BAJFINANCE,EQ,Bonus 4:1,16-Jun-2025")
    assert (done.confirmed, corporate_actions.fetch(engine)) == ([], [])
    assert done.unused[0].endswith(
        "5:1 is announced, but the candles of 2025-06-16 show 9.76:1 (close 9334.00 before it, then open "
        "956.00 and close 956.00)"
    )
    assert len(confirm(engine, "BAJFINANCE,EQ,Bonus 4:1/Fv Splt Frm Rs 2 To Re 1,16-Jun-2025").confirmed) == 1


def test_a_suspicion_of_another_ratio_gives_way_and_is_returned(engine: Engine) -> None:
    suspected = Action(KEY, DAY - timedelta(days=2), 9, 1, "detected", "", "candles")
    corporate_actions.replace_detected(engine, [KEY], [suspected])
    done = confirm(engine, "BAJFINANCE,EQ,Bonus 4:1,16-Jun-2025")
    assert done.replaced == [(suspected, done.confirmed[0])]


def test_a_list_of_dividends_changes_nothing(engine: Engine) -> None:
    assert confirm(engine, "BAJFINANCE,EQ,Dividend - Rs 44 Per Share,16-Jun-2025") == ActionImport(
        [], 0, [], []
    )
