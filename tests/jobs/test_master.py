from __future__ import annotations

from pathlib import Path

from ltp.core.instrument import Instrument
from ltp.core.screener import Row
from ltp.db import instruments
from ltp.db.engine import open_engine
from ltp.db.screeners import Catalog, insert_run
from ltp.jobs.master import Master


def test_results_of_every_screener_best_first_and_changes_are_seen(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    instruments.seed(engine, [Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank", "", 1, 500)])
    now = [0.0]
    master = Master(Catalog(engine), monotonic=lambda: now[0])
    assert not master.knows("NSE_EQ:1333")
    master.refresh()
    assert master.knows("NSE_EQ:1333")
    assert (master.tick_size("NSE_EQ:1333"), master.tick_size("NSE_EQ:1")) == (500, 0)
    assert master.results() == []
    insert_run(engine, "swing", [Row("NSE_EQ:1", 1, "A"), Row("NSE_EQ:2", 2, "B")], sample=False)
    insert_run(engine, "longterm", [Row("NSE_EQ:3", 1, "C"), Row("NSE_EQ:1", 2, "A")], sample=False)
    master.refresh()
    assert master.results() == []
    now[0] += 2
    master.refresh()
    assert master.results() == ["NSE_EQ:1", "NSE_EQ:3", "NSE_EQ:2"]
    engine.dispose()
