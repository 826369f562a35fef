"""The newest full packet of each instrument whose depth is wanted, kept as bytes until somebody takes it.

Full packets come many times a second, the depth is shown a few times a second: so they are only copied here,
and decoded by `depth`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from ltp.dhan import codes, packets

SIZE: Final = packets.SIZES[codes.FULL]
_CODE_AND_SIZE: Final = codes.FULL | SIZE << 8


class FullPackets:
    """`wanted`: whether any instrument is."""

    def __init__(self) -> None:
        self.wanted = False
        self._keys: dict[int, str] = {}  # by the whole header of an intact packet
        self._newest: dict[str, tuple[int, bytes]] = {}

    def want(self, keys: Mapping[int, str]) -> None:
        """Keep the packets of these alone: keys by segment | security id << 8."""
        self._keys = {_CODE_AND_SIZE | address << 24: key for address, key in keys.items()}
        self.wanted = bool(keys)

    def keep(self, block: bytes | memoryview, gap: int, received_at_us: int) -> None:
        """Keep the packets of wanted keys in a block of full packets, each behind `gap` other bytes."""
        find = self._keys.get
        for number, (header,) in enumerate(_headers(gap)(block), 1):
            key = find(header)
            if key is not None:
                end = number * (gap + SIZE)
                self._newest[key] = received_at_us, bytes(block[end - SIZE : end])

    def take(self) -> list[tuple[str, int, bytes]]:
        """Return and forget the kept ones: key, arrival in microseconds, bytes.

        May be called from another thread: single operations on a dictionary need no lock.
        """
        taken = []
        while self._newest:
            try:
                key, (received_at_us, packet) = self._newest.popitem()
            except KeyError:  # another caller was faster
                break
            taken.append((key, received_at_us, packet))
        return taken


@cache
def _headers(gap: int) -> Callable[[bytes | memoryview], Iterator[tuple[Any, ...]]]:
    """Return the reader of the headers of a block."""
    return struct.Struct(f"<{gap}xQ{SIZE - packets.HEADER_SIZE}x").iter_unpack
