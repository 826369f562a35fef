"""The exchange's clock against ours, as far as packets of new trades prove it."""

from __future__ import annotations

from collections import deque
from typing import Final

from ltp.core.bars.trade_time import AHEAD_S

_US: Final = 1_000_000
_KEPT: Final = 60  # looks, one a second
_WITNESSES: Final = 3  # instruments whose trade times are ahead of our clock, before ours counts as slow
_NONE: Final = -(10**18)


class ExchangeClock:
    """`lead_us`: the exchange's clock minus ours, less the delay of the fastest packet of the last minute.

    `newest_us`: the largest lead of a packet since the last `look`; the builder raises it. A packet that comes
    late proves nothing, so the lead falls only after a minute without a faster one.
    """

    __slots__ = ("_ahead", "_largest", "lead_us", "newest_us")

    def __init__(self) -> None:
        self._largest: deque[int] = deque(maxlen=_KEPT)
        self._ahead: dict[str, int] = {}
        self.lead_us, self.newest_us = 0, _NONE

    def note(self, key: str, ltt: int, received_at: int) -> None:
        """Note a packet of a new trade. One that is ahead of our clock may be damaged, so three must be."""
        lead_us = ltt * _US - received_at
        if lead_us <= max(0, self.lead_us) + AHEAD_S * _US:
            self.newest_us = max(self.newest_us, lead_us)
            return
        self._ahead[key] = lead_us
        if len(self._ahead) >= _WITNESSES:
            self.newest_us = max(self.newest_us, sorted(self._ahead.values())[len(self._ahead) // 2])
            self.look()

    def look(self) -> None:
        """Measure anew; called about once a second."""
        if self.newest_us > _NONE:
            self._largest.append(self.newest_us)
            self.lead_us, self.newest_us = max(self._largest), _NONE
        self._ahead.clear()
