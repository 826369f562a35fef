"""Opening a database: addresses, journal mode, timeouts, and errors as sentences."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ltp.db.engine import open_engine, reading, writing
from ltp.errors import DatabaseError


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'ltp.sqlite3'}"


def test_the_folder_is_created(tmp_path: Path) -> None:
    open_engine(url(tmp_path / "a" / "b"))
    assert (tmp_path / "a" / "b" / "ltp.sqlite3").exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError, match=r"folder .*file/b cannot be created"):
        open_engine(url(tmp_path / "file" / "b"))


def test_a_writer_truncates_its_journal_and_keeps_foreign_keys(tmp_path: Path) -> None:
    with writing(open_engine(url(tmp_path))) as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "truncate"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 5000


def test_a_write_ahead_log_left_by_others_is_ended_by_the_first_write(tmp_path: Path) -> None:
    engine = open_engine(url(tmp_path))
    with sqlite3.connect(tmp_path / "ltp.sqlite3") as other:
        assert other.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
    other.close()
    with writing(engine):
        pass
    with sqlite3.connect(tmp_path / "ltp.sqlite3") as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    other.close()


def fail_half_way(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE half (a)"))
        connection.execute(text("INSERT INTO nowhere VALUES (1)"))


def test_an_error_inside_a_write_rolls_it_back_whole(tmp_path: Path) -> None:
    engine = open_engine(url(tmp_path))
    with pytest.raises(DatabaseError, match="The database cannot be written: no such table: nowhere"):
        fail_half_way(engine)
    with reading(engine) as connection:
        assert (
            connection.execute(text("SELECT count(*) FROM sqlite_master WHERE name = 'half'")).scalar() == 0
        )


def test_a_locked_database_is_a_sentence(tmp_path: Path) -> None:
    engine = open_engine(url(tmp_path))
    holder = sqlite3.connect(tmp_path / "ltp.sqlite3", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with (
        pytest.raises(DatabaseError, match="cannot be read: database is locked"),
        reading(engine, busy_timeout_ms=20) as connection,
    ):
        connection.execute(text("SELECT count(*) FROM instruments"))
    holder.close()


def test_a_lock_is_waited_for_no_longer_than_the_timeout(tmp_path: Path) -> None:
    engine = open_engine(url(tmp_path))
    with reading(engine, busy_timeout_ms=20) as connection:
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 20
    with reading(engine) as connection:
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 5000


def test_two_writers_follow_each_other_instead_of_failing(tmp_path: Path) -> None:
    """A write begins IMMEDIATE: the second one waits at its BEGIN, where SQLite can wait."""
    engine = open_engine(url(tmp_path))
    with writing(engine) as connection:
        other = sqlite3.connect(tmp_path / "ltp.sqlite3", isolation_level=None, timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        connection.execute(text("SELECT 1"))
    other.execute("BEGIN IMMEDIATE")
    other.close()


@pytest.mark.parametrize(
    "address",
    [
        "nonsense",
        "mysql://u:hunter2@h/d",
        "nodriver+x://u:hunter2@h/d",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory&uri=true",
        "sqlite:////tmp/x.sqlite3?timeout=hunter2",
        "sqlite+aiosqlite:////tmp/x.sqlite3",
        "postgresql+asyncpg://u:hunter2@h/d",
        "postgresql+pg8000://u:hunter2@h/d",
    ],
)
def test_an_address_that_is_not_accepted_is_one_sentence_without_its_password(address: str) -> None:
    with pytest.raises(DatabaseError, match="DATABASE_URL takes an address such as sqlite:////") as caught:
        open_engine(address)
    assert "hunter2" not in str(caught.value)
    assert caught.value.permanent


def test_a_driver_that_is_not_installed_is_named() -> None:
    with pytest.raises(DatabaseError, match="driver pg8000 is not installed"):
        open_engine("postgresql+pg8000://u:p@127.0.0.1/ltp")


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "ltp.sqlite3").write_bytes(b"not a database, but long enough to look at" * 50)
    with pytest.raises(DatabaseError, match="The database cannot be opened: file is not a database"):
        open_engine(url(tmp_path))
