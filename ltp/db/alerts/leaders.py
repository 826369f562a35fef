"""Which worker may write firings and states: the last one that began to lead.

The lease in Redis decides who leads. A worker that lost it may not have noticed yet, as after a long pause of its
machine, and its transaction may come late. So each that begins to lead takes a number here, and a transaction of
any other number writes nothing. The number of the lease itself would not do: it begins anew with an emptied Redis.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, select, update

from ltp.db.alerts.tables import alert_changes as table
from ltp.db.engine import writing


def begin(engine: Engine) -> int:
    """Return the number of a worker that begins to lead; every earlier one is void from now on.

    Raises:
        DatabaseError: it is not taken.
    """
    taken = update(table).values(fence=table.c.fence + 1).returning(table.c.fence)
    with writing(engine) as connection:
        return int(connection.execute(taken).scalar_one())


def leads(connection: Connection, fence: int) -> bool:
    """Return whether a number is the last one taken, in the caller's transaction."""
    return bool(connection.execute(select(table.c.fence)).scalar() == fence)
