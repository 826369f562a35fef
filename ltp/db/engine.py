"""Opening a database, transactions, and driver errors as DatabaseError.

SQLite runs in rollback-journal mode (TRUNCATE): write-ahead logging in 3.7.0 to 3.51.2 can corrupt a file
that several processes write and checkpoint at once, as the worker and the web processes do here.
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
# Engine is exported so that no other layer imports SQLAlchemy.
__all__ = [
    "BUSY_TIMEOUT_MS",
    "Engine",
    "open_engine",
    "open_when_reachable",
    "reading",
    "translated",
    "writing",
]
_SERVER_OPTIONS: Final = ("host", "port", "service", "passfile", "application_name", "target_session_attrs")
_SECURITY_OPTIONS: Final = (
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslpassword",
    "sslcrl",
    "sslnegotiation",
    "require_auth",
)
# The options that an address may have after its "?": how to reach the server and how to trust it. Every other
# option is set in this module, the same for all addresses.
_OPTIONS: Final[dict[str, frozenset[str]]] = {
    "sqlite": frozenset(),
    "postgresql": frozenset({*_SERVER_OPTIONS, *_SECURITY_OPTIONS}),
}
BUSY_TIMEOUT_MS: Final = 5_000  # how long a statement waits for a locked SQLite file
_RETRY_S: Final = 2.0
_STATEMENT_TIMEOUT_MS: Final = 5_000
_CONNECT_TIMEOUT_S: Final = 5  # for each address of the server's name
_ACCEPTED: Final = (
    "DATABASE_URL takes an address such as sqlite:////var/lib/ltp/ltp.sqlite3 or "
    "postgresql+psycopg://user:password@host/ltp"
)


def open_engine(url: str, *, may_be_unreachable: bool = False) -> Engine:
    """Connect and upgrade the schema to this version; several processes may do so at once.

    Args:
        url: a SQLAlchemy address of an SQLite file (its folder is created) or of PostgreSQL.
        may_be_unreachable: return the engine even if the database cannot be reached now. For a process that
            starts after another one has upgraded the schema.
    Raises:
        DatabaseError: the address is not accepted, the database cannot be used, or its schema is newer than
            this program.
    """
    engine = _create(url)
    try:
        if engine.dialect.name == "sqlite":
            _make_folder(engine.url)
        with translated("opened"):
            upgrade.to_head(engine)
    except DatabaseError as error:
        if error.permanent or not may_be_unreachable:
            raise
        logger.warning("%s. Each request that needs it tries again.", error)
    return engine


def open_when_reachable(url: str, *, wait: Callable[[float], bool], process: str) -> Engine | None:
    """Open the database, retrying while it cannot be reached. Each new reason is logged once.

    Args:
        wait: sleeps for the given seconds and returns whether to stop; then None is returned.
        process: the name of this process in log lines.
    Raises:
        DatabaseError: waiting cannot help.
    """
    logged = ""
    while True:
        try:
            engine = open_engine(url)
        except DatabaseError as error:
            if error.permanent:
                raise
            if str(error) != logged:
                logger.warning("%s. The %s waits for it.", error, process)
            logged = str(error)
        else:
            if logged:
                logger.info("The database answers")
            return engine
        if wait(_RETRY_S):
            return None


def check(url: str) -> None:
    """Raise DatabaseError if the address is not accepted. Does not connect."""
    _create(url).dispose()


@contextmanager
def reading(engine: Engine, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Iterator[Connection]:
    """Yield a connection for reads.

    Args:
        busy_timeout_ms: how long to wait for a locked SQLite file. SQLite waits inside C and blocks every
            greenlet of the process, so web processes pass a short time.
    Raises:
        DatabaseError: also for driver errors inside the block.
    """
    options = {"ltp_busy_timeout_ms": busy_timeout_ms}
    with translated("read"), engine.execution_options(**options).begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Iterator[Connection]:
    """Yield a connection in one transaction: committed at the end of the block, rolled back after an error.

    Args:
        busy_timeout_ms: as of `reading`.
    Raises:
        DatabaseError: also for driver errors inside the block.
    """
    options = {"ltp_write": True, "ltp_busy_timeout_ms": busy_timeout_ms}
    with translated("written"), engine.execution_options(**options).begin() as connection:
        yield connection


@contextmanager
def translated(done: str) -> Iterator[None]:
    """Turn driver errors into DatabaseError, such as "The database cannot be read: database is locked".

    Args:
        done: the participle for the sentence: read, written, opened.
    """
    try:
        yield
    except SQLAlchemyError as error:
        permanent = failure.is_permanent(error)
        hint = ". Correct DATABASE_URL, or the rights of its user" if permanent else ""
        raise DatabaseError(
            f"The database cannot be {done}: {failure.reason(error)}{hint}", permanent=permanent
        ) from error


def _create(url: str) -> Engine:
    parsed = _parse(url)
    try:
        return _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    except ImportError as error:
        raise _refused(f"The database driver {error.name} is not installed") from None


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend, dialect = parsed.get_backend_name(), parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        # The address may contain a password, so the sentence does not quote it.
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
        # After an unencoded "?" in a password the rest of the password is parsed as an option's name.
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
    # Parameters are hidden: the traceback of a failed statement would show the targets of alert channels.
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    # The driver's own transaction control runs DDL outside transactions: half a migration after a crash.
    dbapi_connection.isolation_level = None
    dbapi_connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    dbapi_connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {options.get('ltp_busy_timeout_ms', BUSY_TIMEOUT_MS)}")
    if not options.get("ltp_write"):
        connection.exec_driver_sql("BEGIN")
        return
    # The journal mode belongs to the connection and matters to writers only. Setting it also ends write-ahead
    # logging that another program switched on.
    connection.exec_driver_sql("PRAGMA journal_mode = TRUNCATE")
    # IMMEDIATE: of two transactions that read first and write later, one would fail at once with a deadlock.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql(url: URL) -> Engine:
    # Without a timeout the driver waits a minute or two behind a firewall that drops packets.
    timeout = {"connect_timeout": _CONNECT_TIMEOUT_S}
    engine = create_engine(
        url,
        connect_args=timeout,
        pool_size=2,
        max_overflow=3,
        pool_timeout=2,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(dbapi_connection: Any, _record: object) -> None:
    # With autocommit, because the pool's first rollback would undo settings made inside a transaction.
    before, dbapi_connection.autocommit = dbapi_connection.autocommit, True
    with dbapi_connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {_STATEMENT_TIMEOUT_MS}")
        cursor.execute("SET timezone = 'UTC'")
    dbapi_connection.autocommit = before
