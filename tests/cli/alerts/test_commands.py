"""`python -m ltp alerts values`."""

from __future__ import annotations

import pytest

from ltp.cli.main import main
from ltp.db.alerts.tables import alerts
from ltp.db.engine import open_engine, writing
from tests.batch.trading import open_market
from tests.db.alerts.conftest import row


def test_it_says_how_much_it_computed(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    engine = open_engine(database_url)
    open_market(engine, shares=2)
    with writing(engine) as connection:
        for name in ("NSE_EQ:1", "NSE_EQ:99"):
            connection.execute(alerts.insert().values(row(rule="ltp > ema20", name=name)))
    assert main(["alerts", "values"]) == 0
    assert capsys.readouterr().out == "2 values of terms for 2 instruments, 1 of them unknown.\n"
