"""The newest full packet of each instrument whose depth is wanted, kept as bytes until somebody takes it.

Full packets come many times a second, the depth is shown a few times a second: so they are only copied here,
and decoded by `depth`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ltp.dhan import codes, packets

SIZE: Final = packets.SIZES[codes.FULL]


class FullPackets:
    """`keys`: the wanted ones by segment | security id << 8, the upper five bytes of a packet's header."""

    def __init__(self) -> None:
        self.keys: Mapping[int, str] = {}
        self._newest: dict[str, tuple[int, bytes]] = {}

    def keep(self, block: bytes | memoryview, gap: int, received_at_us: int) -> None:
        """Keep the packets of wanted keys in a block of full packets, each behind `gap` other bytes."""
        find, step = self.keys.get, gap + SIZE
        for end in range(step, len(block) + 1, step):
            start = end - SIZE
            key = find(int.from_bytes(block[start + 3 : start + packets.HEADER_SIZE], "little"))
            if key is not None:
                self._newest[key] = received_at_us, bytes(block[start:end])

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
