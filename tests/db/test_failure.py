"""Driver errors: which are permanent, and their reason."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from ltp.db import failure
from ltp.db.engine import open_engine, open_when_reachable, reading, writing
from ltp.errors import DatabaseError


def refused(url: str) -> DatabaseError:
    with pytest.raises(DatabaseError) as caught:
        open_engine(url)
    assert "hush" not in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_wrong_password_is_final(postgresql: Any) -> None:
    error = refused(postgresql.url(password="hush"))
    assert error.permanent
    assert str(error).endswith('failed for user "ltp". Correct DATABASE_URL, or the rights of its user')


@pytest.mark.parametrize(
    ("user", "password", "database"),
    [("stranger", "hush", "postgres"), ("ltp", "secret", "nowhere"), ("ltp", "", "postgres")],
)
def test_an_unknown_user_or_database_is_permanent(
    postgresql: Any, user: str, password: str, database: str
) -> None:
    assert refused(postgresql.url(user=user, password=password, database=database)).permanent


def test_missing_rights_are_final(postgresql: Any) -> None:
    owner = create_engine(postgresql.url(), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text("CREATE ROLE guest LOGIN PASSWORD 'hush'"))
        connection.execute(text("CREATE DATABASE others"))
    error = refused(postgresql.url(user="guest", password="hush", database="others"))
    assert error.permanent
    assert "permission denied for schema public" in str(error)


def test_a_refused_connection_is_not_permanent(free_port: Any) -> None:
    error = refused(f"postgresql+psycopg://ltp:hush@127.0.0.1:{free_port()}/ltp")
    assert not error.permanent
    assert "Connection refused" in str(error)


def test_the_schema_is_made_and_used_on_postgresql(postgresql: Any) -> None:
    owner = create_engine(postgresql.url(), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text("CREATE DATABASE fresh"))
    engine = open_engine(postgresql.url(database="fresh"))
    with writing(engine) as connection:
        connection.execute(
            text("INSERT INTO universes (name, title, source, changed_at) VALUES ('a', 'A', 'x', now())")
        )
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM universes")).scalar() == 1
        assert connection.execute(text("SHOW statement_timeout")).scalar() == "5s"


def test_of_several_addresses_the_first_error_is_the_reason() -> None:
    message = (
        "Multiple connection attempts failed. All failures were:\n"
        "- a: connection failed: password authentication failed"
    )
    error = OperationalError("", None, Exception(message))
    assert failure.reason(error) == "a: connection failed: password authentication failed"
    assert failure.is_permanent(error)


def test_a_file_that_is_no_database_is_final(tmp_path: Path) -> None:
    (tmp_path / "ltp.sqlite3").write_bytes(b"not a database, but long enough to look at" * 50)
    assert refused(f"sqlite:///{tmp_path}/ltp.sqlite3").permanent


def test_a_folder_in_place_of_the_file_is_final(tmp_path: Path) -> None:
    (tmp_path / "ltp.sqlite3").mkdir()
    assert refused(f"sqlite:///{tmp_path}/ltp.sqlite3").permanent


def test_a_lock_file_that_cannot_be_written_is_final(tmp_path: Path) -> None:
    (tmp_path / "ltp.sqlite3.lock").mkdir()
    error = refused(f"sqlite:///{tmp_path}/ltp.sqlite3")
    assert error.permanent
    assert str(error) == f"The file {tmp_path}/ltp.sqlite3.lock cannot be written: Is a directory"


def test_a_lock_may_pass(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/ltp.sqlite3")
    holder = sqlite3.connect(tmp_path / "ltp.sqlite3", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseError) as caught, reading(engine, busy_timeout_ms=20) as connection:
        connection.execute(text("SELECT count(*) FROM instruments"))
    holder.close()
    assert not caught.value.permanent


def test_opening_waits_until_the_database_answers_and_logs_each_reason_once(
    postgresql: Any, caplog: pytest.LogCaptureFixture
) -> None:
    postgresql.stop()
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 3:
            postgresql.start()
        return False

    with caplog.at_level("INFO"):
        engine = open_when_reachable(postgresql.url(), wait=wait, process="worker")
    assert engine is not None
    assert len(waits) >= 3
    logged = [record.getMessage() for record in caplog.records if record.name == "ltp.db.engine"]
    assert sum("The worker waits for it." in line for line in logged) == 1
    assert logged[-1] == "The database answers"


def test_the_wait_ends_when_the_process_stops(free_port: Any) -> None:
    url = f"postgresql+psycopg://ltp:hush@127.0.0.1:{free_port()}/ltp"
    assert open_when_reachable(url, wait=lambda _: True, process="worker") is None


def test_a_database_that_is_away_may_be_unreachable(free_port: Any, tmp_path: Path) -> None:
    engine = open_engine(
        f"postgresql+psycopg://ltp:hush@127.0.0.1:{free_port()}/ltp", may_be_unreachable=True
    )
    with pytest.raises(DatabaseError), reading(engine):
        pass
    (tmp_path / "ltp.sqlite3").mkdir()
    with pytest.raises(DatabaseError):
        open_engine(f"sqlite:///{tmp_path}/ltp.sqlite3", may_be_unreachable=True)
