"""The second at which a packet's last trade was made, by the exchange's clock."""

from __future__ import annotations

from typing import Final

AHEAD_S: Final = 5  # how far the exchange's clock may be ahead of ours; a later trade time is damage
LATE_S: Final = (
    1_800  # no broker queues prices for half an hour: an older trade time is of another day or clock
)
FROZEN_S: Final = 10  # a trade time that stands still for so long while the volume rises is no trade time


def is_timely(ltt: int | None, arrived: int, received: int) -> bool:
    """Return whether a trade time can be that of a packet.

    Args:
        arrived, received: second of its arrival by the exchange's clock as measured, and by ours. The measured
            one is behind while packets come late, and catches up with the first that does not.
    """
    return ltt is not None and arrived - LATE_S <= ltt <= max(arrived, received) + AHEAD_S


def traded_at(
    ltt: int | None, arrived: int, received: int, *, before: int | None, stood_s: int, rose: bool
) -> int | None:
    """Return the second of the trade, None for no trade.

    A risen volume proves a trade since the packet before. A trade time that contradicts it counts as the
    arrival.

    Args:
        arrived, received: see `is_timely`.
        before: trade time of the packet before.
        stood_s: for how long it has been the same.
        rose: the day's volume is higher than in the packet before.
    """
    if ltt is not None and is_timely(ltt, arrived, received):
        frozen = rose and ltt == before and stood_s > FROZEN_S
        if before is None or (ltt >= before and not frozen):
            return ltt
    return arrived if rose else None
