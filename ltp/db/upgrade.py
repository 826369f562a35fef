"""Upgrades of a database to the schema of this version, safe if several processes start at once.

All revisions run in one transaction under one lock: a process that is killed halfway leaves the old schema,
and of several that start together one upgrades while the others wait and then find nothing to do.
"""

from __future__ import annotations

import fcntl
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, select, table, text
from sqlalchemy.schema import Column

from ltp.errors import DatabaseError

logger = logging.getLogger(__name__)
MIGRATIONS: Final = Path(__file__).parent / "migrations"
LOCK_WITHIN_S: Final = 30.0
_ADVISORY_LOCK: Final = 0x6C7470  # "ltp"


def to_head(engine: Engine, migrations: Path = MIGRATIONS) -> None:
    """Upgrade to the newest revision in `migrations`. A database that has it already is only read.

    Raises:
        DatabaseError: the schema is newer than `migrations`, or another process holds the lock for 30 s.
        sqlalchemy.exc.SQLAlchemyError: to be translated by the caller.
    """
    config = Config()
    config.set_main_option("script_location", str(migrations))
    scripts = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        if _revision(connection, scripts) == scripts.get_current_head():
            return
    with _locked(engine), engine.execution_options(ltp_write=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
        if _revision(connection, scripts) != scripts.get_current_head():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            logger.info("The database schema is now at %s", scripts.get_current_head())


def _revision(connection: Connection, scripts: ScriptDirectory) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: Column[str] = Column("version_num")
    revision = connection.execute(select(version).select_from(table("alembic_version", version))).scalar()
    if revision is not None and revision not in {script.revision for script in scripts.walk_revisions()}:
        raise DatabaseError(
            f"The database has schema {revision}, which is newer than this version of the program; "
            "start the newer program, or point DATABASE_URL at another database",
            permanent=True,
        )
    return revision


@contextmanager
def _locked(engine: Engine) -> Iterator[None]:
    """Hold a lock file beside the SQLite file. For PostgreSQL the transaction takes an advisory lock."""
    with (
        _lock_file(f"{engine.url.database}.lock")
        if engine.dialect.name == "sqlite"
        else nullcontext() as lock
    ):
        # Polled, because a blocking flock stops every greenlet of the process, for ever if the holder hangs.
        deadline = time.monotonic() + LOCK_WITHIN_S
        while lock is not None:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise DatabaseError(
                        "Another process has been upgrading the database "
                        f"for {LOCK_WITHIN_S:.0f} s ({lock.name})"
                    ) from None
                time.sleep(0.05)
        yield


def _lock_file(path: str) -> IO[bytes]:
    try:
        return open(path, "ab")
    except OSError as error:
        raise DatabaseError(f"The file {path} cannot be written: {error.strerror}", permanent=True) from None
