"""What a driver's error says, in one line, and whether waiting can help."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import SQLAlchemyError

# Of SQLite: PERM, READONLY, CORRUPT, CANTOPEN, AUTH, NOTADB.
_SQLITE: Final = frozenset({3, 8, 11, 14, 23, 26})
# Of PostgreSQL: who asks is not let in, there is no such database or schema, a right is missing.
_CLASSES: Final = ("28", "3D", "3F", "42501")
# While a connection is opened its driver passes on words alone.
_WORDS: Final = (
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
    """Return the driver's own first line that says something; SQLAlchemy would add the statement with
    everybody's parameters.
    """
    lines = [
        line.strip(" -\t") for line in str(getattr(error, "orig", None) or error).splitlines() if line.strip()
    ]
    return next((line for line in lines if not line.endswith(":")), "".join(lines[:1]))


def is_permanent(error: SQLAlchemyError) -> bool:
    """Tell whether only other settings or other rights can help."""
    original = getattr(error, "orig", None)
    code = getattr(original, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE
    state = getattr(original, "sqlstate", None) or getattr(original, "pgcode", None)
    if state is not None:
        return str(state).startswith(_CLASSES)
    said = str(original or "").lower()
    return "connection" in said and any(word in said for word in _WORDS)
