"""Firings: each occasion of an alert is stored once, whichever workers notice it and however often.

One transaction stores the firing, the state of the alert on that instrument and the deliveries. It locks the
alert's row first, so that an edit comes before all of it or after.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, select, update

from ltp.core.alerts.alert import ENDED, ON
from ltp.core.money import Price
from ltp.db import on_conflict
from ltp.db.alerts import states
from ltp.db.alerts.leaders import leads
from ltp.db.alerts.states import State
from ltp.db.alerts.tables import (
    alert_changes,
    alert_channels,
    alert_deliveries,
    alert_firings,
    alerts,
)
from ltp.db.engine import writing

# Why nothing was stored. EDITED: the alert was changed, muted or deleted since. KNOWN: this occasion is stored
# already. DEPOSED: another worker leads.
EDITED, KNOWN, DEPOSED = "edited", "known", "deposed"
_LAST: Final = "it fired"


class NewFiring(NamedTuple):
    """`token` names the occasion. `key`: "" for none. `noticed_at`: by this worker; for the other fields see
    `core.alerts.alert.Firing`.
    """

    alert_id: int
    version: int
    token: str
    key: str
    symbol: str
    rule: str
    note: str
    at: datetime
    noticed_at: datetime
    ltp: Price | None
    how: str
    since: datetime | None = None
    until: datetime | None = None
    detail: str = ""


def store(
    engine: Engine,
    firing: NewFiring,
    *,
    fence: int,
    state: State,
    ends: bool = False,
    channels: tuple[int, ...] = (),
    busy_timeout_ms: int = 1_000,
) -> int | str:
    """Store a firing.

    Args:
        fence: of this worker, see `leaders`.
        state: of the alert on this instrument after the firing.
        ends: the alert never fires again.
        channels: ids; a delivery waits for each that exists and is on.
    Returns:
        Its id, or EDITED, KNOWN or DEPOSED.
    Raises:
        DatabaseError: nothing is stored.
    """
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        rule = (
            select(alerts.c.version, alerts.c.state).where(alerts.c.id == firing.alert_id).with_for_update()
        )
        found = connection.execute(rule).first()
        if not leads(connection, fence):
            return DEPOSED
        if found is None or (found.version, found.state) != (firing.version, ON):
            return EDITED
        id_ = _insert(connection, firing, fence)
        states.write(connection, [state])
        if ends:
            end(connection, firing.alert_id, ENDED, _LAST, firing.noticed_at)
        if id_ is None:
            return KNOWN
        _queue(connection, id_, channels, firing.noticed_at)
        return id_


def end(connection: Connection, alert_id: int, state: str, reason: str, at: datetime) -> None:
    """Set ENDED or INVALID with its reason, in the caller's transaction. The version stays: no person changed it."""
    ended = update(alerts).where(alerts.c.id == alert_id)
    connection.execute(ended.values(state=state, reason=reason, changed_at=at))
    connection.execute(update(alert_changes).values(number=alert_changes.c.number + 1))


def end_one(
    engine: Engine, alert_id: int, version: int, state: str, reason: str, at: datetime, *, fence: int
) -> bool:
    """As `end`, where the alert is still on in this version and this worker leads; return whether it was."""
    this = (alerts.c.id == alert_id) & (alerts.c.version == version) & (alerts.c.state == ON)
    with writing(engine) as connection:
        found = connection.execute(select(alerts.c.id).where(this).with_for_update()).first()
        if found is None or not leads(connection, fence):
            return False
        end(connection, alert_id, state, reason, at)
        return True


def _insert(connection: Connection, firing: NewFiring, fence: int) -> int | None:
    """Return the id, None where the occasion is stored."""
    values: dict[str, Any] = firing._asdict() | {"fence": fence}
    values["segment"], values["security_id"] = states.place_of(values.pop("key"))
    new = on_conflict.insert(connection, alert_firings).values(values)
    once = new.on_conflict_do_nothing(index_elements=["alert_id", "token"])
    id_ = connection.execute(once.returning(alert_firings.c.id)).scalar()
    return None if id_ is None else int(id_)


def _queue(connection: Connection, firing_id: int, channels: tuple[int, ...], now: datetime) -> None:
    if not channels:
        return
    on = select(alert_channels.c.id).where(alert_channels.c.id.in_(channels), alert_channels.c.is_on)
    rows = [
        {"firing_id": firing_id, "channel_id": id_, "state": "queued", "attempts": 0, "next_at": now, "outcome": ""}
        for id_ in connection.execute(on).scalars()
    ]  # fmt: skip
    if rows:
        connection.execute(alert_deliveries.insert(), rows)
