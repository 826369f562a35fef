"""The schema: one history of revisions, safe with several processes and when a process is killed."""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from ltp.db import upgrade
from ltp.db.alerts import tables as alert_tables  # noqa: F401
from ltp.db.bars import tables as minutes_tables  # noqa: F401
from ltp.db.engine import open_engine, translated, writing
from ltp.db.history import tables as history_tables  # noqa: F401 (adds its tables to `metadata`)
from ltp.db.pins import tables as pins_tables  # noqa: F401
from ltp.db.schema import metadata
from ltp.db.views import tables as views_tables  # noqa: F401
from ltp.db.watchlists import tables as watchlist_tables  # noqa: F401
from ltp.errors import DatabaseError

ROOT = Path(__file__).resolve().parents[2]
HEAD = ScriptDirectory(str(upgrade.MIGRATIONS)).get_current_head()


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def test_the_revisions_lead_to_the_schema_of_the_program(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        for name, table in metadata.tables.items():
            inspected = inspect(connection)
            assert inspected.get_pk_constraint(name)["constrained_columns"] == [
                column.name for column in table.primary_key
            ]
            assert {index["name"] for index in inspected.get_indexes(name)} == {
                index.name for index in table.indexes
            }
            assert {key["name"] for key in inspected.get_foreign_keys(name)} == {
                key.name for key in table.foreign_key_constraints
            }


def test_processes_that_start_together_upgrade_once(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'new' / 'ltp.sqlite3'}"
    program = f"input()\nfrom ltp.db.engine import open_engine\nopen_engine({address!r})\nprint('ready')"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    family = [subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, **pipes) for _ in range(4)]
    for process in family:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60) for process in family]
    assert [(out, err) for out, err in answers] == [(b"ready\n", b"")] * 4
    with sqlite3.connect(tmp_path / "new" / "ltp.sqlite3") as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    connection.close()


def test_a_database_that_is_ready_is_opened_while_another_process_holds_the_upgrade_lock(
    engine: Engine,
) -> None:
    with open(f"{engine.url.database}.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        open_engine(str(engine.url))


def test_a_lock_that_is_never_released_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "LOCK_WITHIN_S", 0.1)
    with open(tmp_path / "ltp.sqlite3.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DatabaseError, match="Another process has been upgrading"):
            open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def test_a_newer_schema_is_refused_in_one_sentence(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(
        DatabaseError, match="schema 9999, which is newer than this version of the program"
    ) as caught:
        open_engine(str(engine.url))
    assert caught.value.permanent


def test_an_upgrade_that_fails_half_way_leaves_the_old_schema(engine: Engine, tmp_path: Path) -> None:
    later = tmp_path / "migrations"
    shutil.copytree(upgrade.MIGRATIONS, later)
    revision = later / "versions" / "9999_later.py"
    revision.write_text(
        f"from alembic import op\nrevision, down_revision = '9999', '{HEAD}'\n"
        "def upgrade():\n    op.execute('CREATE TABLE later (a)')\n    op.execute('INSERT INTO nowhere "
        "VALUES (1)')\n"
    )
    with pytest.raises(DatabaseError, match="no such table: nowhere"), translated("upgraded"):
        upgrade.to_head(engine, later)
    with engine.connect() as connection:
        assert "later" not in inspect(connection).get_table_names()
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [HEAD]
    revision.write_text(revision.read_text().replace("nowhere", "later"))
    upgrade.to_head(engine, later)
    with engine.connect() as connection:
        assert "later" in inspect(connection).get_table_names()
