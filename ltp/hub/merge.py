"""What a new tick leaves of the one before: fields it does not mention, and whether anybody could see the difference.

Step of the path: between a batch or cache read and the board. Knows ticks alone.
"""

from __future__ import annotations

from typing import Final

from ltp.core.tick import Tick

_CARRIED: Final = ("ltp", "ltt", "volume", "open", "high", "low", "prev_close", "oi")


def order(tick: Tick) -> tuple[int, int]:
    return tick.received_at, tick.traded_at


def completed(tick: Tick, held: Tick) -> Tick:
    """Carry over what `tick` does not mention, within one trading day; the price in any case."""
    names = _CARRIED if tick.session in ("", held.session) else ("ltp",)
    missing = {name: getattr(held, name) for name in names if getattr(tick, name) is None}
    return tick._replace(**missing) if missing else tick


def look_alike(tick: Tick | None, other: Tick | None) -> bool:
    """Tell whether two ticks show the same; that the broker repeated itself, or when, cannot be seen."""
    if tick is None or other is None:
        return tick is other
    return tick.ltp == other.ltp and tick[4:11] == other[4:11]
