"""Trade times of packets moved by whole seconds, so that a captured day can be played as if it were today."""

from __future__ import annotations

import struct
from typing import Final

from ltp.dhan.clock import ltt_to_utc
from ltp.dhan.codes import FULL, QUOTE, TICKER
from ltp.dhan.packets import SIZES, skip

_LTT: Final = struct.Struct("<I")
_LTT_AT: Final = {
    TICKER: struct.calcsize("<BHBIf"),
    QUOTE: struct.calcsize("<BHBIfH"),
    FULL: struct.calcsize("<BHBIfH"),
}
_MOST: Final = 2**32 - 1


def retimed(message: bytes, seconds: int) -> bytes:
    """Return a message of packets with all trade times moved. Those that stand for no trade stay, and so do
    bytes that are no packet.
    """
    moved = bytearray(message)
    position, end = 0, len(message)
    while position < end:
        code = message[position]
        if position + SIZES.get(code, end + 1) > end:
            position, _ = skip(message, position)
            continue
        if code in _LTT_AT:
            at = position + _LTT_AT[code]
            (ltt,) = _LTT.unpack_from(moved, at)
            if ltt_to_utc(ltt) is not None:
                _LTT.pack_into(moved, at, min(max(0, ltt + seconds), _MOST))
        position += SIZES[code]
    return bytes(moved)
