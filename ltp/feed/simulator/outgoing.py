"""The packets of one subscription mode, made from a snapshot of the exchange.

Knows the fields of each mode and when the broker sends codes 5 and 6; knows no connection and no bytes.
"""

from __future__ import annotations

from typing import Final, Literal

from ltp.core.money import SCALE, rupees
from ltp.dhan.clock import utc_to_ltt
from ltp.dhan.codes import SEGMENT_NUMBERS, Mode
from ltp.dhan.packets import (
    DEPTH_LEVELS,
    Depth,
    FullPacket,
    OpenInterestPacket,
    Packet,
    PrevClosePacket,
    QuotePacket,
    TickerPacket,
)
from ltp.feed.simulator.book import BookSnapshot

PrevCloseFor = Literal["idx", "all", "none"]
DERIVATIVES: Final = frozenset({"NSE_FNO", "BSE_FNO", "NSE_CURRENCY", "BSE_CURRENCY", "MCX_COMM"})
_U32: Final = 2**32 - 1  # a field that overflows must not end the feed


def packets(snapshot: BookSnapshot, mode: Mode, *, in_session: bool) -> tuple[Packet, ...]:
    """Return the packets that a subscriber of `mode` gets for this snapshot.

    `in_session`: decides on `close`: the previous session's while the market is open, the day's afterwards.
    """
    instrument = snapshot.listing.instrument
    segment, security_id = SEGMENT_NUMBERS[instrument.segment], instrument.security_id
    ltp, ltt = rupees(snapshot.ltp), utc_to_ltt(snapshot.ltt)
    if mode == "ticker":
        return (TickerPacket(segment, security_id, ltp, ltt),)
    sell_qty, buy_qty = pending(snapshot)
    volume = min(snapshot.volume, _U32)
    prices = (
        rupees(snapshot.open),
        _close(snapshot, in_session=in_session),
        rupees(snapshot.high),
        rupees(snapshot.low),
    )
    if mode == "quote":
        quote = QuotePacket(
            segment, security_id, ltp, snapshot.ltq, ltt, snapshot.atp, volume, sell_qty, buy_qty, *prices
        )
        if instrument.segment in DERIVATIVES:
            return quote, OpenInterestPacket(segment, security_id, snapshot.oi)
        return (quote,)
    oi = (
        (snapshot.oi, snapshot.oi_high, snapshot.oi_low)
        if instrument.segment == "NSE_FNO"
        else (snapshot.oi, 0, 0)
    )
    levels = depth(snapshot)
    return (
        FullPacket(
            segment,
            security_id,
            ltp,
            snapshot.ltq,
            ltt,
            snapshot.atp,
            volume,
            sell_qty,
            buy_qty,
            *oi,
            *prices,
            levels,
        ),
    )


def prev_close(snapshot: BookSnapshot, policy: PrevCloseFor) -> tuple[Packet, ...]:
    """Return the code-6 packet that opens a subscription, where the policy sends one."""
    instrument = snapshot.listing.instrument
    if policy == "none" or (policy == "idx" and instrument.segment != "IDX_I"):
        return ()
    packet = PrevClosePacket(
        SEGMENT_NUMBERS[instrument.segment], instrument.security_id, rupees(snapshot.prev_close), snapshot.oi
    )
    return (packet,)


def depth(snapshot: BookSnapshot) -> tuple[Depth, ...]:
    """Return five levels around the last price, best first; all zeros for an index."""
    instrument = snapshot.listing.instrument
    if instrument.segment == "IDX_I":
        return (Depth(0, 0, 0, 0, 0.0, 0.0),) * DEPTH_LEVELS
    # The last trade was at the bid or at the ask, so one of the two is where the price is.
    up = snapshot.trades % 2
    tick = instrument.tick_size or 1
    return tuple(
        _level(snapshot, level, (level + 1 - up) * tick, (level + up) * tick) for level in range(DEPTH_LEVELS)
    )


def pending(snapshot: BookSnapshot) -> tuple[int, int]:
    """Return total sell and buy quantity."""
    if snapshot.listing.instrument.segment == "IDX_I":
        return 0, 0
    levels = depth(snapshot)
    return 40 * sum(level.ask_qty for level in levels), 40 * sum(level.bid_qty for level in levels)


def _level(snapshot: BookSnapshot, level: int, below: int, above: int) -> Depth:
    # Cheap arithmetic instead of a generator: depth must not cost more than the trade it accompanies.
    noise = (snapshot.trades * 2_654_435_761 + level * 40_503 + snapshot.ltp) % 997
    lot, bid = snapshot.listing.instrument.lot_size, max(0, snapshot.ltp - below)
    return Depth(
        lot * (1 + noise),
        lot * (1 + noise * 7 % 997),
        1 + noise % 23,
        1 + noise % 19,
        bid / SCALE,
        (snapshot.ltp + above) / SCALE,
    )


def _close(snapshot: BookSnapshot, *, in_session: bool) -> float:
    if snapshot.listing.instrument.segment == "IDX_I":
        return 0.0  # seen on the live feed: an index's previous close comes in code 6 or not at all
    return rupees(snapshot.prev_close if in_session else snapshot.ltp)
