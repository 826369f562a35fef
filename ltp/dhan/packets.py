"""Packets of the DhanHQ v2 feed, from and to bytes, with the values exactly as the wire carries them.

Little-endian, an 8-byte header (code, length with header, segment number, security id), then fields without
padding. Does not judge prices, does not know the wanted instruments, nor that LTT is an Indian clock:
`protocol` does. Source: DhanHQ v2 "Live Market Feed", corrected by recorded frames (sell quantity before buy,
open-close-high-low, unsigned).
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from ltp.dhan import codes

HEADER_SIZE: Final = 8
MAX_LTQ: Final = 65_535
DEPTH_LEVELS: Final = 5


class TickerPacket(NamedTuple):
    """`ltp` in rupees, `ltt` in seconds of the Indian clock written as if it were UTC."""

    segment: int
    security_id: int
    ltp: float
    ltt: int


class QuotePacket(NamedTuple):
    """`close` is the previous session's while the market is open. `volume` is cumulative over the day."""

    segment: int
    security_id: int
    ltp: float
    ltq: int
    ltt: int
    atp: float
    volume: int
    sell_qty: int
    buy_qty: int
    open: float
    close: float
    high: float
    low: float


class Depth(NamedTuple):
    """One level, best first; an empty one is all zeros."""

    bid_qty: int
    ask_qty: int
    bid_orders: int
    ask_orders: int
    bid_price: float
    ask_price: float


class FullPacket(NamedTuple):
    """A quote with open interest and five levels of depth. `oi_high`, `oi_low` are sent for NSE_FNO alone."""

    segment: int
    security_id: int
    ltp: float
    ltq: int
    ltt: int
    atp: float
    volume: int
    sell_qty: int
    buy_qty: int
    oi: int
    oi_high: int
    oi_low: int
    open: float
    close: float
    high: float
    low: float
    depth: tuple[Depth, ...]


class OpenInterestPacket(NamedTuple):
    segment: int
    security_id: int
    oi: int


class PrevClosePacket(NamedTuple):
    segment: int
    security_id: int
    prev_close: float
    prev_oi: int


class MarketStatusPacket(NamedTuple):
    """A header without payload: no source documents the status it stands for."""

    segment: int
    security_id: int


class DisconnectPacket(NamedTuple):
    """The broker is about to close; `reason` is a key of `codes.REASONS`, or an unlisted code."""

    segment: int
    security_id: int
    reason: int


Packet = (
    TickerPacket
    | QuotePacket
    | FullPacket
    | OpenInterestPacket
    | PrevClosePacket
    | MarketStatusPacket
    | DisconnectPacket
)


class BadBytes(NamedTuple):
    """Bytes that are no packet.

    `kind`: "truncated" (the message ends inside a packet), "unknown_code", "zero_frame" (code 0, which the
    live feed is known to send by the thousand), "wrong_length" (the header disagrees with the table; the
    packet was read all the same). `offset`: where in the message. `code`: the response code, 0 when there is
    none.
    """

    kind: str
    offset: int
    code: int


class _Layout(NamedTuple):
    packet: type[Packet]
    fields: struct.Struct


_DEPTH: Final = struct.Struct("<IIHHff")
_LAYOUTS: Final[dict[int, _Layout]] = {
    codes.TICKER: _Layout(TickerPacket, struct.Struct("<BHBIfI")),
    codes.QUOTE: _Layout(QuotePacket, struct.Struct("<BHBIfHIfIIIffff")),
    codes.OPEN_INTEREST: _Layout(OpenInterestPacket, struct.Struct("<BHBII")),
    codes.PREV_CLOSE: _Layout(PrevClosePacket, struct.Struct("<BHBIfI")),
    codes.MARKET_STATUS: _Layout(MarketStatusPacket, struct.Struct("<BHBI")),
    codes.FULL: _Layout(FullPacket, struct.Struct("<BHBIfHIfIIIIIIffff100s")),
    codes.DISCONNECT: _Layout(DisconnectPacket, struct.Struct("<BHBIH")),
}
_CODES: Final[dict[type[Packet], int]] = {layout.packet: code for code, layout in _LAYOUTS.items()}

SIZES: Final[dict[int, int]] = {code: layout.fields.size for code, layout in _LAYOUTS.items()}


def encode(packet: Packet) -> bytes:
    """Return the packet's bytes.

    LTQ is clamped to 65,535, because the wire has 16 bits for it; every other value must fit its field.
    """
    code = _CODES[type(packet)]
    size, pack = SIZES[code], _LAYOUTS[code].fields.pack
    if isinstance(packet, FullPacket):
        depth = b"".join(_DEPTH.pack(*level) for level in packet.depth)
        packet = packet._replace(ltq=min(packet.ltq, MAX_LTQ))
        return pack(code, size, *packet[:-1], depth)
    if isinstance(packet, QuotePacket):
        packet = packet._replace(ltq=min(packet.ltq, MAX_LTQ))
    return pack(code, size, *packet)


def decode(message: bytes | memoryview) -> tuple[list[Packet], list[BadBytes]]:
    """Read every packet of one WebSocket message. Never raises: bad bytes are returned."""
    packets: list[Packet] = []
    bad_bytes: list[BadBytes] = [] if message else [BadBytes("truncated", 0, 0)]
    offset, end = 0, len(message)
    while offset < end:
        layout = _LAYOUTS.get(message[offset])
        if layout is None or offset + layout.fields.size > end:
            offset, skipped = skip(message, offset)
            bad_bytes.append(skipped)
            continue
        code, length, *values = layout.fields.unpack_from(message, offset)
        if length != layout.fields.size:
            bad_bytes.append(BadBytes("wrong_length", offset, code))
        if code == codes.FULL:
            values[-1] = tuple(map(Depth._make, _DEPTH.iter_unpack(values[-1])))
        packets.append(layout.packet(*values))
        offset += layout.fields.size
    return packets, bad_bytes


def skip(message: bytes | memoryview, offset: int) -> tuple[int, BadBytes]:
    """Step over bytes that are no whole packet of a known code.

    Returns:
        The offset to go on from, the end when nothing behind can be trusted; and the kind of the bytes between.
    """
    code, rest = message[offset], len(message) - offset
    if rest < HEADER_SIZE or code in SIZES:
        return len(message), BadBytes("truncated", offset, code)
    # Of an undocumented packet only the length in its header is known; a senseless one leaves no way to find
    # the next packet.
    length = message[offset + 1] | message[offset + 2] << 8
    skipped = BadBytes("unknown_code" if code else "zero_frame", offset, code)
    return offset + (length if HEADER_SIZE <= length <= rest else rest), skipped
