"""Driver errors: their reason in one line, and whether waiting can help."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import SQLAlchemyError

# SQLite result codes: PERM, READONLY, CORRUPT, CANTOPEN, AUTH, NOTADB.
_SQLITE_CODES: Final = frozenset({3, 8, 11, 14, 23, 26})
# PostgreSQL SQLSTATE prefixes: invalid authorization, no such database, no such schema, missing privilege.
_SQLSTATES: Final = ("28", "3D", "3F", "42501")
# Errors while a connection is opened have no SQLSTATE, only text.
_CONNECT_PHRASES: Final = (
    "authentication failed",
    "no password supplied",
    "pg_hba.conf",
    "does not exist",
    "is not permitted to log in",
    "permission denied",
    "does not support ssl",
    "certificate",
)


def reason(error: SQLAlchemyError) -> str:
    """Return the first line of the driver's message that is no heading.

    SQLAlchemy's own message would add the statement and its parameters.
    """
    lines = [
        line.strip(" -\t") for line in str(getattr(error, "orig", None) or error).splitlines() if line.strip()
    ]
    return next((line for line in lines if not line.endswith(":")), "".join(lines[:1]))


def is_permanent(error: SQLAlchemyError) -> bool:
    """Return whether only other settings or other privileges can help."""
    original = getattr(error, "orig", None)
    code = getattr(original, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_CODES
    state = getattr(original, "sqlstate", None) or getattr(original, "pgcode", None)
    if state is not None:
        return str(state).startswith(_SQLSTATES)
    message = str(original or "").lower()
    return "connection" in message and any(phrase in message for phrase in _CONNECT_PHRASES)
