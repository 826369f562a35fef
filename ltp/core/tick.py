"""A tick, what is known of an instrument, and the state a price is shown in."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Final, Literal, NamedTuple

from ltp.core.money import Price

State = Literal["live", "quiet", "stale", "closed", "unknown"]
Feed = Literal["live", "silent", "down", "off"]

IST: Final = timezone(timedelta(hours=5, minutes=30))
LIVE_FOR_S: Final = 60.0  # a price traded longer ago than this is quiet
LINK_DEAD_AFTER_S: Final = 8.0  # no batch from the worker (it sends one a second) for so long: nothing on the page is live


class Tick(NamedTuple):
    """The newest known values of one instrument, or what one packet says of them.

    Prices are in 1/10,000 rupee. None: not known, or not in this packet.
    `ltt`: last trade, whole seconds since the epoch (true UTC). `traded_at`: microseconds, the instant `state` counts from:
    `ltt` where it is believable, else when the price was first seen to change. `received_at`: microseconds since the epoch
    at which the broker last spoke of this instrument. `rest`: the price came by REST and is never shown as live.
    `session`: ISO date of the trading day the price belongs to.
    """

    key: str
    ltp: Price | None = None
    ltt: int | None = None
    received_at: int = 0
    volume: int | None = None
    open: Price | None = None
    high: Price | None = None
    low: Price | None = None
    prev_close: Price | None = None
    oi: int | None = None
    session: str = ""
    traded_at: int = 0
    rest: bool = False


def session_of(epoch_s: float) -> str:
    """Return the ISO date in India of an instant in seconds since the epoch."""
    return datetime.fromtimestamp(epoch_s, IST).date().isoformat()


def session_date(session: str) -> date | None:
    return date.fromisoformat(session) if session else None


def state(tick: Tick | None, *, now: float, feed: Feed, open_: bool, covered: bool) -> State:
    """Say how a price may be shown.

    Args:
        tick: what is known; None when nothing is.
        now: seconds since the epoch.
        feed: what the worker last said of the feed, "down" when its word is older than LINK_DEAD_AFTER_S.
        open_: the instrument's segment is in any phase but closed.
        covered: the instrument is subscribed on the present connection and the broker has spoken of it there.
    """
    if tick is None or tick.ltp is None:
        return "unknown"
    if not open_:
        return "closed"
    if feed != "live" or not covered:
        return "stale"
    if tick.rest or now - tick.traded_at / 1e6 > LIVE_FOR_S:
        return "quiet"
    return "live"
