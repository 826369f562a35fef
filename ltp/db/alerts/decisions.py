"""Decisions of the last days: what a rule saw of an instrument, and why it fired or did not.

Kept for a page that explains an alert, so a lost one costs nothing else: they are written in batches, and only the
last 7 days and 1,000 of an alert stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Engine, bindparam, delete, func, select, update

from ltp.db.alerts.states import key_of, place_of
from ltp.db.alerts.tables import alert_decisions as table
from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing

KEPT_D: Final = 7
KEPT: Final = 1_000  # of an alert
_CHUNK: Final = 500


class Decision(NamedTuple):
    """`key`: "" for none. `until`: equal decisions in a row are one. `outcome`: one of
    `core.alerts.alert.OUTCOMES`. `value`: the nearest to `bound` meanwhile.
    """

    alert_id: int
    key: str
    at: datetime
    until: datetime
    outcome: str
    value: float | None = None
    bound: float | None = None
    detail: str = ""


def insert(engine: Engine, decisions: Sequence[Decision]) -> list[int]:
    """Store decisions; return their ids in order."""
    ids: list[int] = []
    new = table.insert().returning(table.c.id, sort_by_parameter_order=True)
    for begin in range(0, len(decisions), _CHUNK):
        rows = [_row(each) for each in decisions[begin : begin + _CHUNK]]
        with writing(engine) as connection:
            ids += connection.execute(new, rows).scalars()
    return ids


def extend(engine: Engine, decisions: Sequence[tuple[int, Decision]]) -> None:
    """Give stored decisions, by id, a later end and a nearer value."""
    this = update(table).where(table.c.id == bindparam("this"))
    longer = this.values(until=bindparam("to"), value=bindparam("nearest"))
    for begin in range(0, len(decisions), _CHUNK):
        rows = [
            {"this": id_, "to": each.until, "nearest": each.value}
            for id_, each in decisions[begin : begin + _CHUNK]
        ]
        with writing(engine) as connection:
            connection.execute(longer, rows)


def fetch(
    engine: Engine, alert_id: int, *, most: int = KEPT, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> list[Decision]:
    """Return the newest decisions of an alert, newest first."""
    newest = (
        select(table).where(table.c.alert_id == alert_id).order_by(table.c.at.desc(), table.c.id.desc()).limit(most)
    )  # fmt: skip
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        rows = connection.execute(newest).all()
    return [
        Decision(
            row.alert_id, key_of(row.segment, row.security_id), row.at, row.until, row.outcome, row.value,
            row.bound, row.detail,
        )
        for row in rows
    ]  # fmt: skip


def prune(engine: Engine, now: datetime, *, most: int = 1_000) -> int:
    """Delete up to `most` decisions that are too old, or too many of their alert; return how many.

    After:
        Call it again where it returns `most`: no single transaction keeps other writers waiting.
    """
    old = select(table.c.id).where(table.c.until < now - timedelta(days=KEPT_D)).limit(most)
    with reading(engine) as connection:
        ids = list(connection.execute(old).scalars())
        crowded = select(table.c.alert_id).group_by(table.c.alert_id).having(func.count() > KEPT)
        for alert_id in connection.execute(crowded).scalars().all():
            if len(ids) >= most:
                break
            newest = select(table.c.id).where(table.c.alert_id == alert_id)
            beyond = newest.order_by(table.c.at.desc(), table.c.id.desc()).offset(KEPT).limit(most - len(ids))
            ids += connection.execute(beyond).scalars()
    for begin in range(0, len(ids), _CHUNK):
        with writing(engine) as connection:
            connection.execute(delete(table).where(table.c.id.in_(ids[begin : begin + _CHUNK])))
    return len(ids)


def _row(decision: Decision) -> dict[str, Any]:
    segment, security_id = place_of(decision.key)
    values = decision._asdict()
    values.pop("key")
    return values | {"segment": segment, "security_id": security_id}
