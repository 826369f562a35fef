"""Firings: each occasion of an alert is stored once, whichever workers notice it and however often.

One transaction stores the firing, the state of the alert on that instrument and the deliveries. It locks the
alert's row first, so that an edit comes before all of it or after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, select, update

from ltp.core.alerts.alert import ENDED, MUTED, ON
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


class Occasion(NamedTuple):
    """A firing to store. `state`: of the alert on this instrument after it. `ends`: the alert never fires again.
    `channels`: ids; a delivery waits for each that exists and is on.
    """

    firing: NewFiring
    state: State
    ends: bool = False
    channels: tuple[int, ...] = ()


def store(
    engine: Engine, occasions: Sequence[Occasion], *, fence: int, busy_timeout_ms: int = 1_000
) -> list[int | str]:
    """Store firings in one transaction: a price may meet a thousand rules at once.

    Args:
        fence: of this worker, see `leaders`.
    Returns:
        For each its id, or EDITED, KNOWN or DEPOSED.
    Raises:
        DatabaseError: nothing is stored.
    """
    ids = sorted({each.firing.alert_id for each in occasions})
    locked = select(alerts.c.id, alerts.c.version, alerts.c.state).where(alerts.c.id.in_(ids))
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        rows = connection.execute(locked.order_by(alerts.c.id).with_for_update()).all()
        if not leads(connection, fence):
            return [DEPOSED] * len(occasions)
        current = {row.id: row.version for row in rows if row.state == ON}
        results: list[int | str] = [EDITED] * len(occasions)
        valid = []
        for place, each in enumerate(occasions):
            if current.get(each.firing.alert_id) == each.firing.version:
                valid.append(place)
                if each.ends:
                    del current[each.firing.alert_id]
        stored = _store(connection, [occasions[place] for place in valid], fence)
    for place, result in zip(valid, stored, strict=True):
        results[place] = result
    return results


def _store(connection: Connection, occasions: Sequence[Occasion], fence: int) -> list[int | str]:
    if not occasions:
        return []
    ids = _insert(connection, [each.firing for each in occasions], fence)
    states.write(
        connection, {(each.state.alert_id, each.state.key): each.state for each in occasions}.values()
    )
    now = occasions[-1].firing.noticed_at
    ended = [each.firing.alert_id for each in occasions if each.ends]
    if ended:
        end(connection, ended, ENDED, _LAST, now)
    results: list[int | str] = []
    queued: dict[int, tuple[int, ...]] = {}
    for each in occasions:
        # Of two in one batch with the same token the first one is stored.
        id_ = ids.pop((each.firing.alert_id, each.firing.token), None)
        results.append(KNOWN if id_ is None else id_)
        if id_ is not None and each.channels:
            queued[id_] = each.channels
    _queue(connection, queued, now)
    return results


def end(connection: Connection, alert_ids: Sequence[int], state: str, reason: str, at: datetime) -> None:
    """Set ENDED or INVALID with its reason, in the caller's transaction. The version stays: no person changed it."""
    ended = update(alerts).where(alerts.c.id.in_(alert_ids))
    connection.execute(ended.values(state=state, reason=reason, changed_at=at))
    connection.execute(update(alert_changes).values(number=alert_changes.c.number + 1))


def end_one(
    engine: Engine, alert_id: int, version: int, state: str, reason: str, at: datetime, *, fence: int
) -> bool:
    """As `end`, where the alert still has this version, is on or muted, and this worker leads; return whether so."""
    this = (alerts.c.id == alert_id) & (alerts.c.version == version) & alerts.c.state.in_((ON, MUTED))
    with writing(engine) as connection:
        found = connection.execute(select(alerts.c.id).where(this).with_for_update()).first()
        if found is None or not leads(connection, fence):
            return False
        end(connection, [alert_id], state, reason, at)
        return True


def _insert(connection: Connection, firings: Sequence[NewFiring], fence: int) -> dict[tuple[int, str], int]:
    """Return the ids of those that are new, by alert and token."""
    rows = []
    for firing in firings:
        values: dict[str, Any] = firing._asdict() | {"fence": fence}
        values["segment"], values["security_id"] = states.place_of(values.pop("key"))
        rows.append(values)
    once = on_conflict.insert(connection, alert_firings).on_conflict_do_nothing(
        index_elements=["alert_id", "token"]
    )
    columns = (alert_firings.c.alert_id, alert_firings.c.token, alert_firings.c.id)
    return {
        (alert_id, token): int(id_)
        for alert_id, token, id_ in connection.execute(once.returning(*columns), rows)
    }


def _queue(connection: Connection, channels: Mapping[int, Sequence[int]], now: datetime) -> None:
    """Let deliveries wait; `channels`: by firing."""
    if not channels:
        return
    on = set(connection.execute(select(alert_channels.c.id).where(alert_channels.c.is_on)).scalars())
    rows = [
        {"firing_id": firing_id, "channel_id": id_, "state": "queued", "attempts": 0, "next_at": now, "outcome": ""}
        for firing_id, named in channels.items()
        for id_ in sorted(on & {*named})
    ]  # fmt: skip
    if rows:
        connection.execute(alert_deliveries.insert(), rows)
