"""A database that is ready for use: the folder made, the schema at this version's, failures in our own words.

SQLite runs in rollback-journal mode (TRUNCATE): write-ahead logging in 3.7.0 to 3.51.2 can corrupt a file
that several processes write and checkpoint at once, which is what this product does.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from ltp.db import failure, upgrade
from ltp.errors import DatabaseError

logger = logging.getLogger(__name__)
# Engine: the layers above know no driver.
__all__ = ["PATIENCE_MS", "Engine", "open_engine", "open_when_there", "reading", "translated", "writing"]
_PLACE: Final = ("host", "port", "service", "passfile", "application_name", "target_session_attrs")
_TRUST: Final = (
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslpassword",
    "sslcrl",
    "sslnegotiation",
    "require_auth",
)
# What an address may say behind its ?: how to reach the server and trust it. All else is set here, for every
# address alike.
_OPTIONS: Final[dict[str, frozenset[str]]] = {
    "sqlite": frozenset(),
    "postgresql": frozenset({*_PLACE, *_TRUST}),
}
PATIENCE_MS: Final = 5_000  # how long a locked SQLite file is waited for
_RETRY_S: Final = 2.0
_STATEMENT_TIMEOUT_MS: Final = 5_000
_CONNECT_TIMEOUT_S: Final = 5  # for each address of the server's name
_ACCEPTED: Final = "DATABASE_URL takes an address such as sqlite:////var/lib/ltp/ltp.sqlite3 or postgresql+psycopg://user:password@host/ltp"


def open_engine(url: str, *, may_be_away: bool = False) -> Engine:
    """Connect and bring the schema to this version; several processes may do so at once.

    Args:
        url: a SQLAlchemy address of an SQLite file (its folder is created) or of PostgreSQL.
        may_be_away: be content with a database that is only away now: another process has brought its schema
            to this version.
    Raises:
        DatabaseError: the address is not accepted, the database cannot be used, or its schema is newer than
            this program.
    """
    engine = _made(url)
    try:
        if engine.dialect.name == "sqlite":
            _make_folder(engine.url)
        with translated("opened"):
            upgrade.to_head(engine)
    except DatabaseError as error:
        if error.permanent or not may_be_away:
            raise
        logger.warning("%s. It is asked again whenever it is needed.", error)
    return engine


def open_when_there(url: str, *, wait: Callable[[float], bool], process: str) -> Engine | None:
    """Open it, waiting for as long as it is away, and say so whenever the reason is another.

    Args:
        wait: waits so many seconds and tells whether to end; then None is returned.
        process: the word for it in the log.
    Raises:
        DatabaseError: waiting cannot help.
    """
    told = ""
    while True:
        try:
            engine = open_engine(url)
        except DatabaseError as error:
            if error.permanent:
                raise
            if str(error) != told:
                logger.warning("%s. The %s waits for it.", error, process)
            told = str(error)
        else:
            if told:
                logger.info("The database answers")
            return engine
        if wait(_RETRY_S):
            return None


def check(url: str) -> None:
    """Judge an address without connecting. Raises DatabaseError."""
    _made(url).dispose()


@contextmanager
def reading(engine: Engine, *, patience_ms: int = PATIENCE_MS) -> Iterator[Connection]:
    """Give a connection for reads.

    Args:
        patience_ms: bound on waiting for a locked SQLite file. SQLite waits inside C, where no other greenlet
            of the
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
        permanent = failure.is_permanent(error)
        hint = ". Correct DATABASE_URL, or the rights of its user" if permanent else ""
        raise DatabaseError(
            f"The database cannot be {done}: {failure.reason(error)}{hint}", permanent=permanent
        ) from error


def _made(url: str) -> Engine:
    parsed = _parsed(url)
    try:
        return _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    except ImportError as error:
        raise _refused(f"The database driver {error.name} is not installed") from None


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend, dialect = parsed.get_backend_name(), parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        # The address may carry a password, so it is not repeated.
        raise _refused("The database address cannot be understood") from None
    except ImportError as error:
        raise _refused(f"The database driver {error.name} is not installed") from None
    if backend not in _OPTIONS:
        raise _refused(f"A {backend} database is not supported")
    if dialect.is_async:
        raise _refused(f"The asynchronous driver {dialect.driver} is not supported")
    if backend == "sqlite" and (parsed.database or ":memory:").lower().startswith((":memory:", "file:")):
        raise _refused("SQLite in memory, or behind file:, cannot be shared between processes")
    if unknown := sorted(set(parsed.query) - _OPTIONS[backend]):
        # A piece of an unencoded password may stand where an option's name does.
        shown = f"the option {unknown[0]}" if re.fullmatch(r"[a-z_]+", unknown[0]) else "an option"
        allowed = (
            f"options are {', '.join(sorted(_OPTIONS[backend]))}"
            if _OPTIONS[backend]
            else "there are no options"
        )
        raise _refused(f"The database address has {shown} that is not accepted ({allowed})")
    return parsed


def _refused(sentence: str) -> DatabaseError:
    return DatabaseError(f"{sentence}; {_ACCEPTED}", permanent=True)


def _make_folder(url: URL) -> None:
    folder = Path(str(url.database)).absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(
            f"The database folder {folder} cannot be created: {error.strerror}", permanent=True
        ) from None


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, poolclass=NullPool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    # The driver's own transaction control leaves DDL outside transactions, and with it half a migration after
    # a crash.
    dbapi_connection.isolation_level = None
    dbapi_connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
    dbapi_connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {options.get('ltp_patience_ms', PATIENCE_MS)}")
    if not options.get("ltp_write"):
        connection.exec_driver_sql("BEGIN")
        return
    # It is a property of each connection, and matters to writers alone; it also ends a write-ahead log that
    # others left.
    connection.exec_driver_sql("PRAGMA journal_mode = TRUNCATE")
    # IMMEDIATE: two that read first and then both want to write would deadlock, and one fail without waiting.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql(url: URL) -> Engine:
    # Or the driver would wait for a minute or two where a firewall swallows what is sent.
    reach = {"connect_timeout": _CONNECT_TIMEOUT_S}
    engine = create_engine(
        url, connect_args=reach, pool_size=2, max_overflow=3, pool_timeout=2, pool_pre_ping=True
    )
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(dbapi_connection: Any, _record: object) -> None:
    # Outside a transaction, or the pool's first rollback would undo it.
    before, dbapi_connection.autocommit = dbapi_connection.autocommit, True
    with dbapi_connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {_STATEMENT_TIMEOUT_MS}")
        cursor.execute("SET timezone = 'UTC'")
    dbapi_connection.autocommit = before
