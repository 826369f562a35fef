from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ltp.db import former_names, instruments
from ltp.db.engine import open_engine, writing


def test_the_newest_owner_of_a_name_has_it(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    with writing(engine) as connection:
        former_names.remember(connection, {("NSE_EQ:3456", "TATAMOTORS"): date(2025, 10, 20)})
        former_names.remember(
            connection,
            {("NSE_EQ:7", "TATAMOTORS"): date(2020, 1, 1), ("NSE_EQ:5097", "ZOMATO"): date(2025, 4, 1)},
        )
        former_names.remember(connection, {})
    assert instruments.fetch_names(engine) == {
        ("NSE_EQ", "TATAMOTORS"): "NSE_EQ:3456",
        ("NSE_EQ", "ZOMATO"): "NSE_EQ:5097",
    }


def test_the_last_days_of_isins_are_known_and_symbols_are_none(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    with writing(engine) as connection:
        former_names.remember(
            connection,
            {
                ("NSE_EQ:1922", "INE237A01028"): date(2026, 1, 13),
                ("NSE_EQ:1922", "INE237A01010"): date(2010, 9, 10),
                ("NSE_EQ:7", "INDIANHOTELS"): date(2020, 1, 1),
                ("NSE_EQ:7", "INDHOTEL"): date(2020, 1, 1),
            },
        )
    assert {
        key: sorted(days) for key, days in former_names.isin_last_days(engine).items() if key == "NSE_EQ:1922"
    } == {"NSE_EQ:1922": [date(2010, 9, 10), date(2026, 1, 13)]}
    assert "NSE_EQ:7" not in former_names.isin_last_days(engine)


def test_the_former_names_of_a_key_are_read_in_parts_the_newest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(former_names, "_READ", 2)
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    names = {
        ("NSE_EQ:9005", "A"): date(2020, 1, 1),
        ("NSE_EQ:9005", "C"): date(2021, 1, 1),
        ("BSE_EQ:9005", "A"): date(2020, 1, 1),
        ("NSE_EQ:9005", "B"): date(2022, 1, 1),
    }
    with writing(engine) as connection:
        former_names.remember(connection, names)
    found = former_names.by_key(engine, busy_timeout_ms=50)
    assert {key: found[key] for key in ("NSE_EQ:9005", "BSE_EQ:9005")} == {
        "NSE_EQ:9005": ["B", "C", "A"],
        "BSE_EQ:9005": ["A"],
    }
