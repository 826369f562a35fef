"""Readers of packets: from the bytes of one packet straight to one tick, without a packet object between.

Only the fields of a tick are unpacked from the buffer, the header as one integer that names the instrument:
`protocol` calls these readers for every packet of every instrument. Does not know the set of wanted
instruments, nor the bytes around a packet.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from ltp.core.instrument import CONTRACT_SEGMENTS
from ltp.core.money import is_currency, price_from_float32
from ltp.core.ticks.tick import UNKNOWN_DAY, DayPrices, Tick, TickFields
from ltp.dhan import codes, packets
from ltp.dhan.clock import ltt_to_utc

# The fields of a packet that seldom change: open, close, high, low; in a full one the open interest (with its
# high and low) before them.
_SIDE: Final = struct.Struct("<ffff")
_OI: Final = struct.Struct("<I8x")


class WantedInstrument:
    """A wanted instrument, and its open, high, low, close and open interest as last sent.

    Those are converted only when their bytes change, because converting them takes time. `newest`: the newest
    tick with a price, None before the first.
    """

    __slots__ = ("contract", "currency", "day", "key", "newest", "oi", "side_bytes")

    def __init__(self, key: str) -> None:
        self.key = key
        self.currency = is_currency(key)
        self.contract = key.partition(":")[0] in CONTRACT_SEGMENTS
        self.day = UNKNOWN_DAY
        self.oi: int | None = None
        self.side_bytes = b""
        self.newest: TickFields | None = None

    def take_side(self, side_bytes: bytes) -> None:
        prices = _SIDE.unpack_from(side_bytes, len(side_bytes) - _SIDE.size)
        open_, close, high, low = (price_from_float32(value, currency=self.currency) for value in prices)
        day = DayPrices(open_, high, low, close)
        if day != self.day:  # in a full packet often only the open interest has changed
            self.day = day
        oi = _OI.unpack_from(side_bytes)[0] if len(side_bytes) > _SIDE.size else None
        # The full packet of a share has 0 there, its quote packet has none; a page that is open must not make
        # the difference.
        self.oi = oi if oi or self.contract else None
        self.side_bytes = side_bytes


# The fields of one packet, header first -> the tick, None when nothing of it is usable.
_Read = Callable[[WantedInstrument, Any, int], Tick | None]


def _read_ticker(instrument: WantedInstrument, values: tuple[int, float, int], received_at: int) -> Tick:
    """Read a ticker packet. Without a usable price it still proves that the broker sends this instrument."""
    _, rupees, ltt = values
    ltp = price_from_float32(rupees, currency=instrument.currency)
    return Tick(instrument.key, ltp, None if ltp is None else ltt_to_utc(ltt), received_at)


def read_quote(
    instrument: WantedInstrument, values: tuple[int, float, int, int, bytes], received_at: int
) -> Tick:
    """Read a quote or a full packet. In both an untraded instrument has a price of 0 and a previous close."""
    _, rupees, ltt, volume, side_bytes = values
    ltp = price_from_float32(rupees, currency=instrument.currency)
    if side_bytes != instrument.side_bytes:
        instrument.take_side(side_bytes)
    traded_at = None if ltp is None else ltt_to_utc(ltt)
    fields = (
        instrument.key,
        ltp,
        traded_at,
        received_at,
        volume,
        instrument.day,
        instrument.oi,
        "",
        0,
        False,
    )
    return Tick._make(fields)


def _read_open_interest(instrument: WantedInstrument, values: tuple[int, int], received_at: int) -> Tick:
    return Tick(instrument.key, received_at=received_at, oi=values[1])


def _read_prev_close(
    instrument: WantedInstrument, values: tuple[int, float], received_at: int
) -> Tick | None:
    prev_close = price_from_float32(values[1], currency=instrument.currency)
    return (
        None if prev_close is None else Tick(instrument.key, received_at=received_at, prev_close=prev_close)
    )


READS_LTP: Final = frozenset({_read_ticker, read_quote})


def _layout(
    code: int, fields: str, read: _Read | None
) -> tuple[int, int, Callable[..., tuple[Any, ...]], _Read | None]:
    """Return size, the low three bytes of an intact header (code and length), the unpacker and the reader."""
    layout = struct.Struct(fields)
    if layout.size != packets.SIZES[code]:
        raise AssertionError(f"code {code}: {layout.size} bytes here, {packets.SIZES[code]} in the codec")
    return layout.size, code | layout.size << 8, layout.unpack_from, read


# Q is the whole header: code, length << 8, segment << 24, security id << 32. x: bytes that no tick needs.
QUOTED: Final = {codes.QUOTE: "Qf2xI4xI8x16s", codes.FULL: "Qf2xI4xI8x28s100x"}
LAYOUTS: Final = {
    codes.TICKER: _layout(codes.TICKER, "<QfI", _read_ticker),
    codes.QUOTE: _layout(codes.QUOTE, f"<{QUOTED[codes.QUOTE]}", read_quote),
    codes.FULL: _layout(codes.FULL, f"<{QUOTED[codes.FULL]}", read_quote),
    codes.OPEN_INTEREST: _layout(codes.OPEN_INTEREST, "<QI", _read_open_interest),
    codes.PREV_CLOSE: _layout(codes.PREV_CLOSE, "<Qf4x", _read_prev_close),
    codes.MARKET_STATUS: _layout(codes.MARKET_STATUS, "<Q", None),
    codes.DISCONNECT: _layout(codes.DISCONNECT, "<QH", None),
}
PRICED: Final = {packets.SIZES[code]: fields for code, fields in QUOTED.items()}  # by the size of the packet


@cache
def unpack_priced(gap: int, size: int) -> Callable[[bytes], Iterator[tuple[Any, ...]]]:
    """Return the unpacker of a block of quotes: messages of `size` bytes, each behind `gap` other bytes."""
    return struct.Struct(f"<{gap}x{PRICED[size]}").iter_unpack
