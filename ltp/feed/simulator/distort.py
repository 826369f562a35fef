"""Packets to WebSocket messages, distorted by the active faults.

Knows no socket. The order is fixed: values first (price, age), then bytes (length, tail), then insertions
between packets, last the number of packets in a message.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterable
from typing import Final

from ltp.dhan.codes import SEGMENT_NAMES
from ltp.dhan.packets import HEADER_SIZE, FullPacket, Packet, QuotePacket, TickerPacket, encode
from ltp.feed.simulator.faults import Faults

Message = bytes | str
_MAX_FLOAT32: Final = 3.4e38


class Distortion:
    """The distortion of one connection's packets; it keeps those that wait to share a message."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._waiting: list[bytes] = []

    def messages(self, packets: Iterable[Packet]) -> list[Message]:
        """Return one binary message a packet, unless an active fault changes that."""
        faults = self._faults
        if not faults.any and not self._waiting:
            return [encode(packet) for packet in packets]
        out: list[Message] = []
        for packet in packets:
            if faults.lasts("mute", SEGMENT_NAMES.get(packet.segment, "")):
                continue
            out.extend(_inserted(faults))
            self._waiting.append(_damaged(encode(_altered(packet, faults)), faults))
            out.extend(self._joined())
        return out

    def _joined(self) -> list[bytes]:
        packed = next((fault for fault in self._faults.active() if fault.kind == "packed"), None)
        if packed is not None and len(self._waiting) < packed.params["n"]:
            return []
        whole, self._waiting = self._waiting, []
        if packed is None:
            return whole
        self._faults.take("packed")
        return [b"".join(whole)]


def _altered(packet: Packet, faults: Faults) -> Packet:
    if not isinstance(packet, TickerPacket | QuotePacket | FullPacket):
        return packet
    price = faults.take("price", key=f"{SEGMENT_NAMES[packet.segment]}:{packet.security_id}")
    if price is not None:
        value = float(price.params["value"])
        # A finite number that float32 cannot hold would end the sender instead of reaching the reader.
        packet = packet._replace(
            ltp=max(-_MAX_FLOAT32, min(_MAX_FLOAT32, value)) if math.isfinite(value) else value
        )
    stale = faults.take("stale")
    if stale is not None:
        packet = packet._replace(ltt=min(2**32 - 1, max(0, packet.ltt - stale.params["age_s"])))
    return packet


def _damaged(data: bytes, faults: Faults) -> bytes:
    if wrong := faults.take("wrong_length"):
        data = data[:1] + struct.pack("<H", wrong.params["length"]) + data[3:]
    if truncated := faults.take("truncated"):
        data = data[: truncated.params["keep"]]
    return data


def _inserted(faults: Faults) -> Iterable[Message]:
    if garbage := faults.take("garbage"):
        yield os.urandom(garbage.params["size"])
    if text := faults.take("text"):
        yield str(text.params["text"])
    if unknown := faults.take("unknown_code"):
        yield struct.pack("<BHBII", unknown.params["code"] & 0xFF, HEADER_SIZE + 4, 1, 1, 0)
