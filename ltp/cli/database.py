"""The database of a command that names instruments."""

from __future__ import annotations

from sqlalchemy import Engine

from ltp.batch import seed
from ltp.db.engine import open_engine
from ltp.settings import Settings


def open_seeded(settings: Settings) -> Engine:
    """Open the database and add the shipped instruments: symbols are known also before the worker has run.

    Raises:
        DatabaseError: it cannot be used.
    """
    engine = open_engine(settings.database)
    seed.ensure(engine)
    return engine
