"""The alerts of a worker without its process: a set clock, ticks by hand, a real database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import Engine, select

from ltp.core.alerts.book import RuleBook
from ltp.core.alerts.notice import Notice
from ltp.core.bars.bar import BROKER, Bar
from ltp.core.money import SCALE, Price
from ltp.core.ticks.tick import DayPrices, TickFields
from ltp.db.alerts.decisions import Decision, fetch
from ltp.db.alerts.tables import alert_firings, alerts
from ltp.db.engine import open_engine, reading, writing
from ltp.db.runs import fetch_keys
from ltp.errors import DatabaseError
from ltp.worker.alerts.decider import Decider, Surroundings
from ltp.worker.alerts.decision_log import DecisionLog
from ltp.worker.alerts.events import Events
from ltp.worker.alerts.inbox import AlertTap, Inbox
from ltp.worker.alerts.past import PastTouches
from ltp.worker.alerts.remembered import Remembered
from ltp.worker.alerts.thread import Alerts, Parts
from tests.db.alerts.conftest import row

OPEN: Final = 1_796_010_300  # 2026-11-30T09:15:00+05:30
KEY: Final = "NSE_EQ:1333"


class Desk:
    """A worker's alerts. `at`: seconds since the open, its clock."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = open_engine(url)
        self.at = 60.0
        self.lease, self.since = 1, 1
        self.phase, self.trouble = "continuous", ""
        self.delays: dict[str, float] = {}
        self.limits: dict[str, tuple[Price | None, Price | None]] = {}
        self.bars: dict[str, list[Bar]] = {}
        self.published: list[Notice] = []
        self.volume = 1_000
        self.open, self.high, self.low = 1600.0, 0.0, 0.0
        self.simulated = False
        self.last: list[TickFields] = []  # packets of instruments without an alert
        self.begin()

    def begin(self) -> None:
        """Start the alerts, as a worker process does."""
        self.book, self.inbox = RuleBook(Counter(), phase=lambda _segment, _at: self.phase), Inbox()
        self.seen, self.log = Remembered(), DecisionLog()
        around = Surroundings(
            phase=lambda _segment, _at: self.phase,
            symbol=lambda key: f"S{key.partition(':')[2]}",
            limits=lambda _keys: self.limits,
            delays=lambda: self.delays,
            publish=self.published.append,
            clock=self.now,
        )
        self.decider = Decider(self.engine, self.book, around, self.seen, self.log)
        events = Events(
            self.decider,
            self.seen,
            lambda run: fetch_keys(self.engine, run),
            lambda: self.trouble,
            around.symbol,
        )
        self.past = PastTouches(self._bars, self.seen, self.log)
        parts = Parts(self.decider, self.seen, self.log, self.past, events)
        self.thread = Alerts(
            self.engine, self.book, self.inbox, parts, lease=lambda: self.lease, simulated=self.simulated,
            last=self._last, clock=self.now, monotonic=lambda: self.at,
        )  # fmt: skip
        self.tap = AlertTap(self.book, self.inbox, lambda: self.since)

    def now(self) -> float:
        return OPEN + self.at

    @property
    def instant(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)

    @property
    def day(self) -> date:
        return self.instant.date()

    def next_day(self, open_: float) -> None:
        """Go on a day later, with its first price."""
        self.at += 86_400
        self.open, self.high, self.low = open_, 0.0, 0.0

    def _bars(self, key: str, first: int, until: int) -> Sequence[Bar]:
        return [bar for bar in self.bars.get(key, []) if first <= bar.start < until]

    def _last(self, keys: Sequence[str]) -> list[TickFields]:
        return [each for each in self.last if each[0] in keys]

    def add(self, rule: str, **changes: Any) -> int:
        values = row(**{"rule": rule, "created_at": self.instant, "changed_at": self.instant} | changes)
        with writing(self.engine) as connection:
            id_ = connection.execute(alerts.insert().values(values).returning(alerts.c.id)).scalar_one()
            self.count_change(connection)
        return int(id_)

    def count_change(self, connection: Any) -> None:
        connection.exec_driver_sql("UPDATE alert_changes SET number = number + 1")

    def change(self, alert_id: int, **values: Any) -> None:
        with writing(self.engine) as connection:
            connection.execute(alerts.update().where(alerts.c.id == alert_id).values(values))
            self.count_change(connection)

    def look(self, after_s: float = 1.0) -> None:
        """Let time pass, and the thread look."""
        self.at += after_s
        self.thread.step(0)

    def trade(
        self,
        price: float,
        after_s: float = 1.0,
        *,
        high: float = 0.0,
        low: float = 0.0,
        key: str = KEY,
        look: bool = True,
    ) -> None:
        """Send a packet with a new trade; `high`, `low`: the day's, by default as before or the price."""
        self.at += after_s
        self.volume += 10
        self.high = max(self.high, price, high)
        self.low = min(self.low or price, price, low or price)
        day = DayPrices(*(round(each * SCALE) for each in (self.open, self.high, self.low, 1590.0)))
        at = int(self.now())
        self.tap(
            [(key, round(price * SCALE), at, int(self.now() * 1e6), self.volume, day, None, "", 0, False)]
        )
        if look:
            self.thread.step(0)

    def disconnect(self) -> None:
        self.since = 0
        self.tap([])

    def connect(self) -> None:
        self.since = int(self.now() * 1e6)

    def stop(self) -> None:
        """End as a worker does at SIGTERM."""
        self.thread.stop()

    def fired(self) -> list[tuple[int, str, float | None]]:
        """Return alert, how and price of every stored firing, in order."""
        return [(each.alert_id, each.how, each.ltp and each.ltp / SCALE) for each in self.rows()]

    def rows(self) -> list[Any]:
        with reading(self.engine) as connection:
            return list(connection.execute(select(alert_firings).order_by(alert_firings.c.id)))

    def state_of(self, alert_id: int) -> tuple[str, str]:
        with reading(self.engine) as connection:
            found = connection.execute(select(alerts.c.state, alerts.c.reason).where(alerts.c.id == alert_id))
            state, reason = found.one()
            return state, reason

    def decisions(self, alert_id: int) -> list[Decision]:
        """Return an alert's stored decisions, oldest first."""
        self.log.flush(self.engine)
        return fetch(self.engine, alert_id)[::-1]


def bar(minute: int, high: float, low: float = 0.0, *, sources: int = BROKER) -> Bar:
    """Return the bar of a minute after the open, by its extremes."""
    top, bottom = round(high * SCALE), round((low or high) * SCALE)
    return Bar(OPEN + minute * 60, bottom, top, bottom, bottom, 100, sources=sources)


def away(*_: Any, **__: Any) -> Any:
    """Stands in for a function of SQL while the database is away."""
    raise DatabaseError("The database cannot be written: database is locked")
