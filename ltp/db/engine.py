"""A database that is ready for use: the folder made, the schema at this version's, failures in our own words.

SQLite runs in rollback-journal mode (TRUNCATE): write-ahead logging in 3.7.0 to 3.51.2 can corrupt a file that several
processes write and checkpoint at once, which is what this product does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from ltp.db import upgrade
from ltp.errors import DatabaseError

__all__ = ["PATIENCE_MS", "Engine", "open_engine", "reading", "translated", "writing"]  # Engine: the layers above know no driver
PATIENCE_MS: Final = 5_000  # how long a locked SQLite file is waited for
_STATEMENT_TIMEOUT_MS: Final = 5_000
_ACCEPTED: Final = (
    "DATABASE_URL takes an address such as sqlite:////var/lib/ltp/ltp.sqlite3 or postgresql+psycopg://user:password@host/ltp"
)


def open_engine(url: str) -> Engine:
    """Connect and bring the schema to this version; several processes may do so at once.

    Args:
        url: a SQLAlchemy address of an SQLite file (its folder is created) or of PostgreSQL.
    Raises:
        DatabaseError: the address is not accepted, the database cannot be used, or its schema is newer than this program.
    """
    parsed = _parsed(url)
    try:
        engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    except ImportError as error:
        raise DatabaseError(f"The database driver {error.name} is not installed", permanent=True) from None
    with translated("opened"):
        upgrade.to_head(engine)
    return engine


@contextmanager
def reading(engine: Engine, *, patience_ms: int = PATIENCE_MS) -> Iterator[Connection]:
    """Give a connection for reads.

    Args:
        patience_ms: bound on waiting for a locked SQLite file. SQLite waits inside C, where no other greenlet of the
            process can run, so what runs beside browsers asks for little.
    Raises:
        DatabaseError: also for what is raised by the driver inside the block.
    """
    with translated("read"), engine.execution_options(ltp_patience_ms=patience_ms).begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction that is committed at the end of the block, or rolled back whole.

    Raises:
        DatabaseError: also for what is raised by the driver inside the block.
    """
    with translated("written"), engine.execution_options(ltp_write=True).begin() as connection:
        yield connection


@contextmanager
def translated(done: str) -> Iterator[None]:
    """Turn what the driver raises into one DatabaseError: "The database cannot be read: database is locked"."""
    try:
        yield
    except SQLAlchemyError as error:
        # The driver's own first line; SQLAlchemy would add the statement with everybody's parameters.
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0].rstrip(". ")
        raise DatabaseError(f"The database cannot be {done}: {reason}") from error


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        # The address may carry a password, so it is not repeated.
        raise DatabaseError(f"The database address cannot be understood; {_ACCEPTED}", permanent=True) from None
    if backend not in {"sqlite", "postgresql"}:
        raise DatabaseError(f"A {backend} database is not supported; {_ACCEPTED}", permanent=True)
    if backend == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise DatabaseError(f"SQLite in memory cannot be shared between processes; {_ACCEPTED}", permanent=True)
    return parsed


def _sqlite(url: URL) -> Engine:
    folder = Path(str(url.database)).absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(f"The database folder {folder} cannot be created: {error.strerror}") from None
    engine = create_engine(url, poolclass=NullPool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    # The driver's own transaction control leaves DDL outside transactions, and with it half a migration after a crash.
    dbapi_connection.isolation_level = None
    dbapi_connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
    dbapi_connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {options.get('ltp_patience_ms', PATIENCE_MS)}")
    if not options.get("ltp_write"):
        connection.exec_driver_sql("BEGIN")
        return
    # It is a property of each connection, and matters to writers alone; it also ends a write-ahead log that others left.
    connection.exec_driver_sql("PRAGMA journal_mode = TRUNCATE")
    # IMMEDIATE: two that read first and then both want to write would deadlock, and one fail without waiting.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql(url: URL) -> Engine:
    engine = create_engine(url, pool_size=2, max_overflow=3, pool_timeout=2, pool_pre_ping=True)
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(dbapi_connection: Any, _record: object) -> None:
    # Outside a transaction, or the pool's first rollback would undo it.
    before, dbapi_connection.autocommit = dbapi_connection.autocommit, True
    with dbapi_connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {_STATEMENT_TIMEOUT_MS}")
        cursor.execute("SET timezone = 'UTC'")
    dbapi_connection.autocommit = before
