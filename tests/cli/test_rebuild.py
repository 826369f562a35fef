"""`python -m ltp candles rebuild`, as an operator types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ltp.cli.main import main
from ltp.db import minute_bars
from ltp.db.engine import open_engine
from tests.captured import KEYS, OPEN, captured


def test_a_rebuild_stores_what_a_dry_run_counts(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = captured(tmp_path / "frames", 5 + 130)
    engine = open_engine(database_url)
    assert main(["candles", "rebuild", str(path), "--dry-run"]) == 0
    dry = capsys.readouterr().out.splitlines()
    assert minute_bars.count_blocks(engine) == 0
    assert main(["candles", "rebuild", str(path)]) == 0
    stored = capsys.readouterr().out.splitlines()
    assert dry[:-1] == stored[:-1]
    assert dry[-2].startswith("digest  ")
    assert dry[-1] == "8 bars of 2 instruments counted, none stored."
    assert stored[-1] == "8 bars of 2 instruments rebuilt; 0 of the broker or of a file kept."
    bars = minute_bars.fetch(engine, KEYS[0], OPEN, OPEN + 900)
    assert [(bar.start - OPEN, bar.volume) for bar in bars] == [(0, 600), (60, 600), (120, 100)]


def test_a_cut_file_is_said_and_another_is_refused(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = captured(tmp_path / "frames", 5 + 130)
    path.write_bytes(path.read_bytes()[:-1])
    assert main(["candles", "rebuild", str(path), "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("The file was cut off")
    path.write_bytes(b"time,open")
    assert main(["candles", "rebuild", str(path)]) == 2
    assert "file of captured frames" in capsys.readouterr().err
