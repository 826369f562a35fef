"""A tick, what is known of an instrument, and the state a price is shown in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, Self

from ltp.core.money import Price
from ltp.core.trading_day import IST

State = Literal["live", "quiet", "stale", "closed", "unknown"]
Feed = Literal["live", "silent", "down", "off"]

LIVE_FOR_S: Final = 60.0  # a price traded longer ago than this is quiet
LINK_DEAD_AFTER_S: Final = (
    8.0  # no batch from the worker (it sends one a second) for so long: nothing on the page is live
)


@dataclass(slots=True, unsafe_hash=True)
class DayPrices:
    """What of a price seldom changes within a day. Prices are in 1/10,000 rupee. None: not known, or not
    told.

    Shared by an instrument's ticks for as long as it stands, so it is never changed. Each object that is
    touched may have to come from memory, and of thousands of instruments most days are told apart by being
    the same object or not. `written`: its text, kept here by who writes ticks.
    """

    open: Price | None = None
    high: Price | None = None
    low: Price | None = None
    prev_close: Price | None = None
    written: str = field(default="", init=False, compare=False, repr=False)

    def filled(self, other: DayPrices) -> DayPrices:
        """Return it with each price that it lacks taken from `other`."""
        if None not in (self.open, self.high, self.low, self.prev_close):
            return self
        return DayPrices(
            other.open if self.open is None else self.open,
            other.high if self.high is None else self.high,
            other.low if self.low is None else self.low,
            other.prev_close if self.prev_close is None else self.prev_close,
        )


UNTOLD: Final = DayPrices()
_OF_DAY: Final = ("open", "high", "low", "prev_close")
_NAMES: Final = ("key", "ltp", "ltt", "received_at", "volume", *_OF_DAY, "oi", "session", "traded_at", "rest")


# What one packet says, or what is known: the fields of a Tick in their order, without names. Each tick of the
# feed is one, for a Tick takes four times as long to make; where names are wanted, `Tick._make` gives them.
TickFields = tuple[str, Price | None, int | None, int, int | None, DayPrices, int | None, str, int, bool]


class _Fields(NamedTuple):
    key: str
    ltp: Price | None
    ltt: int | None
    received_at: int
    volume: int | None
    day: DayPrices
    oi: int | None
    session: str
    traded_at: int
    rest: bool


class Tick(_Fields):
    """The newest known values of one instrument, or what one packet says of them.

    Prices are in 1/10,000 rupee. None: not known, or not in this packet. `ltt`: last trade, whole seconds
    since the epoch (true UTC). `traded_at`: microseconds, the instant `state` counts from: `ltt` where it is
    believable, else when the price was first seen to change. `received_at`: microseconds since the epoch at
    which the broker last spoke of this instrument. `rest`: the price came by REST and is never shown as live.
    `session`: ISO date of the trading day the price belongs to.

    Made, changed and read by the names of single fields; `day` holds four of them.
    """

    __slots__ = ()

    def __new__(
        cls,
        key: str,
        ltp: Price | None = None,
        ltt: int | None = None,
        received_at: int = 0,
        volume: int | None = None,
        open: Price | None = None,
        high: Price | None = None,
        low: Price | None = None,
        prev_close: Price | None = None,
        oi: int | None = None,
        session: str = "",
        traded_at: int = 0,
        rest: bool = False,
    ) -> Self:
        untold = open is high is low is prev_close is None
        day = UNTOLD if untold else DayPrices(open, high, low, prev_close)
        return tuple.__new__(cls, (key, ltp, ltt, received_at, volume, day, oi, session, traded_at, rest))

    @property
    def open(self) -> Price | None:
        return self.day.open

    @property
    def high(self) -> Price | None:
        return self.day.high

    @property
    def low(self) -> Price | None:
        return self.day.low

    @property
    def prev_close(self) -> Price | None:
        return self.day.prev_close

    @property
    def traded(self) -> datetime | None:
        """Instant of the last trade, that of its arrival where the exchange's time is missing or
        contradicted.

        None where nothing says when the price was traded, and for a number in the cache that is no instant of
        this era.
        """
        seconds = self.traded_at / 1e6 if self.ltt is None else self.ltt
        try:
            return datetime.fromtimestamp(seconds, IST) if seconds else None
        except (ValueError, OverflowError, OSError):
            return None

    def filled(self, other: Tick) -> Self:
        """Return it with its volume, day and open interest made whole by those of `other`."""
        return self._replace(
            volume=other.volume if self.volume is None else self.volume,
            day=self.day.filled(other.day),
            oi=other.oi if self.oi is None else self.oi,
        )

    def _replace(self, **changes: Any) -> Self:
        of_day = {name: changes.pop(name) for name in _OF_DAY if name in changes}
        if of_day:
            changes["day"] = replace(self.day, **of_day)
        return super()._replace(**changes)

    def _asdict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _NAMES}


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
