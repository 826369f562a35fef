"""What one packet proves about the prices of its instrument since the packet before."""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from ltp.core.alerts.alert import BETWEEN_PACKETS, GAP_AT_OPEN, TRADE, WHILE_DISCONNECTED
from ltp.core.alerts.entry import Entry
from ltp.core.alerts.level import Level
from ltp.core.bars.trade_time import AHEAD_S, is_timely, traded_at
from ltp.core.market.kinds import USUAL
from ltp.core.money import Price
from ltp.core.ticks.tick import DayPrices, TickFields
from ltp.core.trading_day import days_since_1970

_US: Final = 1_000_000
_FARTHEST: Final = 2  # times the traded price; a day's extreme beyond it is damage


class Packet(NamedTuple):
    """A trade. `at`, `since`: seconds and microseconds since the epoch, see Hit. `top`, `bottom`: the highest and
    lowest price that it proves. `opens`: it is the first of a session, and the one before was of an earlier one.
    `interrupted`: packets may be missing before it. `is_late`: a newer one overtook it. `is_first`: the first of
    its instrument that is ever compared.
    """

    ltp: Price
    at: int
    received: int
    since: int
    top: Price
    bottom: Price
    open: Price | None
    opens: bool
    interrupted: bool
    is_late: bool
    is_first: bool
    volume: int

    def how(self, level: Level) -> tuple[str, Price]:
        """Return how a level was met, and by which price."""
        open_ = self.open if self.open is not None or self.interrupted else self.ltp
        if self.opens and open_ is not None and level.is_met(open_):
            return GAP_AT_OPEN, self.ltp if level.is_met(self.ltp) else open_
        meets = level.is_met(self.ltp)
        price = self.ltp if meets else self.top if level.up else self.bottom
        if self.interrupted:
            return WHILE_DISCONNECTED, price
        return (TRADE if meets else BETWEEN_PACKETS), price


def read_packet(
    entry: Entry, fields: TickFields, connection: int, phase: str, counters: Counter[str]
) -> Packet | None:
    """Return what a packet proves, and note it in the entry; None where it is no trade of this session.

    Args:
        connection: of the packet, see `Entry.since`.
        phase: of the instrument's market when the packet came.
    """
    ltp, day = fields[1], fields[5]
    if day.prev_close is not None and day.prev_close != entry.prev_close:
        entry.prev_close = day.prev_close
        entry.sort()
    if ltp is None or fields[9]:
        return None
    if _is_outside(ltp, day):
        counters["alert_absurd"] += 1
        return None
    packet = _proof(entry, fields, connection, phase)
    if packet is None or not packet.is_late:
        _note(entry, fields, connection, packet, phase)
    return packet


def _proof(entry: Entry, fields: TickFields, connection: int, phase: str) -> Packet | None:
    _, ltp, ltt, received, volume, day = fields[:6]
    assert ltp is not None  # noqa: S101 (the caller looked)
    received_s = received // _US
    is_new = entry.since != connection
    if is_new:
        at = _first_trade(entry, ltp, ltt, received_s, volume)
    else:
        at = _next_trade(entry, ltp, ltt, received_s, volume)
    is_late = at is None and _is_overtaken(entry, ltt, received_s, volume) and not is_new
    if is_late:
        at = ltt
    if at is None:
        return None
    number = days_since_1970(at)
    if number < entry.day_number:
        return None
    is_same_day = number == entry.day_number
    top, bottom = _range(entry, ltp, day, is_same_day=is_same_day) if not is_late else (ltp, ltp)
    return Packet(
        ltp, at, received, entry.seen or entry.at, top, bottom, day.open,
        opens=phase in USUAL and entry.opened_on not in {0, number},
        interrupted=is_new and entry.at > 0,
        is_late=is_late,
        is_first=entry.at == 0,
        volume=volume or 0,
    )  # fmt: skip


def _first_trade(
    entry: Entry, ltp: Price, ltt: int | None, received_s: int, volume: int | None
) -> int | None:
    """Return the second of the trade in the first packet of a connection, None if it was known before.

    Such a packet repeats the newest values, whatever their age: one of an earlier day is no price of this one.
    """
    if ltt is None or ltt > received_s + AHEAD_S or days_since_1970(ltt) != days_since_1970(received_s):
        return None
    if ltt == entry.at // _US:
        # A second may have many trades: of these the last one that was judged had this price and volume.
        grew = volume is not None and entry.volume is not None and volume > entry.volume
        return ltt if grew or ltp != entry.ltp else None
    return None if ltt < entry.at // _US else ltt


def _next_trade(entry: Entry, ltp: Price, ltt: int | None, received_s: int, volume: int | None) -> int | None:
    if ltp == entry.ltp and volume == entry.volume and ltt == entry.ltt:
        return None
    known = entry.volume
    rose = volume is not None and known is not None and volume > known
    if volume is None and ltt is None:
        return received_s  # a price without anything beside it: its change is all there is
    return traded_at(ltt, received_s, received_s, before=entry.ltt, stood_s=0, rose=rose)


def _is_overtaken(entry: Entry, ltt: int | None, received_s: int, volume: int | None) -> bool:
    fell = volume is not None and entry.volume is not None and volume < entry.volume
    return fell and is_timely(ltt, received_s, received_s) and ltt is not None and ltt < (entry.ltt or 0)


def _range(entry: Entry, ltp: Price, day: DayPrices, *, is_same_day: bool) -> tuple[Price, Price]:
    """Return the highest and the lowest price since the packet before, as far as it is proved."""
    top = bottom = ltp
    high, low = day.high, day.low
    if high is None or low is None or high > ltp * _FARTHEST or low * _FARTHEST < ltp:
        return top, bottom
    if not is_same_day:
        # All of the new session lies after the packet before, if there was one.
        return (high, low) if entry.day_number else (top, bottom)
    if entry.top is not None and high > entry.top:
        top = high
    if entry.bottom is not None and low < entry.bottom:
        bottom = low
    return top, bottom


def _note(entry: Entry, fields: TickFields, connection: int, packet: Packet | None, phase: str) -> None:
    _, entry.ltp, entry.ltt, entry.seen, volume, day = fields[:6]
    if volume is not None:
        entry.volume = volume
    entry.since = connection
    if packet is not None:
        number = days_since_1970(packet.at)
        if number != entry.day_number:
            entry.top = entry.bottom = None
        entry.at, entry.day_number = max(packet.at * _US, entry.at), number
        if phase in USUAL:
            entry.opened_on = number
    if day.high is not None and entry.day_number == days_since_1970(entry.seen // _US):
        entry.top, entry.bottom = day.high, day.low
    elif day.high is None and packet is not None and entry.top is not None and entry.bottom is not None:
        # Packets of the ticker mode have no range: a later one with it must not prove this price once more.
        entry.top, entry.bottom = max(entry.top, packet.ltp), min(entry.bottom, packet.ltp)
    if day is not entry.day:
        entry.day = day
        entry.find_marks()


def _is_outside(ltp: Price, day: DayPrices) -> bool:
    return (day.high is not None and ltp > day.high) or (day.low is not None and ltp < day.low)
