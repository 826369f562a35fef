"""A tick: the values of one packet, or the newest known values of one instrument."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, Self

from ltp.core.money import Price
from ltp.core.trading_day import IST

State = Literal["live", "quiet", "stale", "closed", "unknown"]
Feed = Literal["live", "silent", "down", "off"]

FIRST_CONNECTION: Final = "0"  # name of the only broker connection there is today
LIVE_FOR_S: Final = 60.0  # a price traded longer ago than this is quiet
# The worker publishes a batch a second. After so long without one, no price on a page is live.
LINK_DEAD_AFTER_S: Final = 8.0


@dataclass(slots=True, unsafe_hash=True)
class DayPrices:
    """Open, high, low and previous close: the values of a tick that seldom change within a day.

    Prices are in 1/10,000 rupee. None: not known, or not in the packet.

    Consecutive ticks of an instrument share one object until a value changes, so it must never be changed.
    Sharing makes comparing cheap: of thousands of instruments, most days are recognised as equal because they
    are the same object, without loading its fields from memory.

    `encoded` is a slot for the encoder of `ltp.store`, which keeps the text of these values in it. Core
    neither reads nor compares it. A dictionary in the encoder, by key or by identity, would need no slot
    here, but its look-up makes a tick 4 to 12% more expensive to encode.
    """

    open: Price | None = None
    high: Price | None = None
    low: Price | None = None
    prev_close: Price | None = None
    encoded: str = field(default="", init=False, compare=False, repr=False)

    def filled(self, other: DayPrices) -> DayPrices:
        """Return these prices, with each missing one taken from `other`."""
        if None not in (self.open, self.high, self.low, self.prev_close):
            return self
        return DayPrices(
            other.open if self.open is None else self.open,
            other.high if self.high is None else self.high,
            other.low if self.low is None else self.low,
            other.prev_close if self.prev_close is None else self.prev_close,
        )


UNKNOWN_DAY: Final = DayPrices()
_OF_DAY: Final = ("open", "high", "low", "prev_close")
_NAMES: Final = ("key", "ltp", "ltt", "received_at", "volume", *_OF_DAY, "oi", "session", "traded_at", "rest")


# The fields of a Tick in their order, as a plain tuple. The feed makes its ticks in this form, because a Tick
# takes four times as long to make. `Tick._make` turns one into a Tick where names are needed.
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
    """The newest known values of one instrument, or the values of one packet.

    Prices are in 1/10,000 rupee. None: not known, or not in this packet. `ltt`: last trade, whole seconds
    since the epoch (true UTC). `traded_at`: microseconds; the age of the price is counted from here: `ltt`
    where it is believable, else the instant at which the price was first seen to change. `received_at`:
    microseconds since the epoch, arrival of the broker's last packet with a price of this instrument. `rest`:
    the price came by REST and is never shown as live. `session`: ISO date of the trading day that the price
    belongs to.

    Constructor, `_replace` and `_asdict` take and give single prices by name; the tuple holds four of them in
    `day`.
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
        unknown = open is high is low is prev_close is None
        day = UNKNOWN_DAY if unknown else DayPrices(open, high, low, prev_close)
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
        """Instant of the last trade: of its arrival where the exchange's time is missing or contradicted.

        None if the instant of the trade is not known, and for a number in the cache that makes no date.
        """
        seconds = self.traded_at / 1e6 if self.ltt is None else self.ltt
        try:
            return datetime.fromtimestamp(seconds, IST) if seconds else None
        except (ValueError, OverflowError, OSError):
            return None

    def filled(self, other: Tick) -> Self:
        """Return this tick, with a missing volume, open interest or price of the day taken from `other`."""
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
