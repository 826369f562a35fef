"""The order of two packets of one instrument, and the instant of the trade, by the evidence in the packets.

A cumulative volume that rose since the packet before, on the same connection, proves a trade between the two
and outweighs any trade time. Packets of one trading date are ordered by volume, then by trade time; without a
volume (ticker mode) by trade time, then by arrival. Pure: instants come with the ticks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from ltp.core.ticks.tick import Tick
from ltp.core.trading_day import session_of

# A trade time further behind than this, although the volume rose, contradicts the volume.
PUNCTUAL_S: Final = 10.0
# No broker queues prices for half an hour: a trade time so far behind is of another clock.
CLOCK_APART_S: Final = 1_800.0
CORRECTION_PACKETS: Final = 3
CORRECTION_US: Final = 2_000_000
_US: Final = 1_000_000


class _Older(NamedTuple):
    """A run of packets that look older than the known one, each at least as new as the packet before it.

    `known_at`: arrival of the known one. Once a newer one is known the run is void.
    """

    known_at: int
    packets: int
    began_at: int
    began: tuple[int, int]  # volume and trade time of the first
    volume: int
    ltt: int


class Evidence:
    """Judges the packets of all instruments. One connection at a time.

    `counters`: out_of_order, ltt_distrusted, corrected. `delay_s`: by segment, how late the prices of most
    moving instruments come; a segment for which that is unknown is absent.
    """

    def __init__(self, counters: Counter[str]) -> None:
        self.counters = counters
        self.since = 0
        self.delay_s: Mapping[str, float] = {}
        self._mistimed: dict[str, int] = {}  # key -> its last untrusted trade time
        self._older: dict[str, _Older] = {}

    @property
    def mistimed(self) -> list[str]:
        """The keys with untrusted trade times, in the order in which that began."""
        return list(self._mistimed)

    def rose(self, tick: Tick, old: Tick) -> bool:
        """Return whether the volume rose since `old`, the packet before on this connection."""
        confirmed = 0 < self.since <= old.received_at and not old.rest
        return confirmed and tick.volume is not None and old.volume is not None and tick.volume > old.volume

    def timed(self, tick: Tick, old: Tick) -> Tick:
        """Return `tick`, without its trade time if that cannot be trusted."""
        if tick.ltt is None or tick.rest:
            return tick
        mistimed = (
            self._contradicts(tick, old, tick.ltt)
            if self.rose(tick, old)
            else self._still_mistimed(tick, tick.ltt)
        )
        if not mistimed:
            self._mistimed.pop(tick.key, None)
            return tick
        self._mistimed[tick.key] = tick.ltt
        self.counters["ltt_distrusted"] += 1
        return tick._replace(ltt=None)

    def newer(self, tick: Tick, old: Tick, *, earlier_session: bool) -> Tick | None:
        """Return `tick`, None if it was sent before `old` and so changes nothing.

        A tick that corrects `old` is returned without a trade time that would contradict it.
        """
        behind = earlier_session or _behind(tick, old)
        if not behind or _repeats(tick, old):
            return tick._replace(volume=None) if behind else tick
        if not self._corrects(tick, old):
            self.counters["out_of_order"] += 1
            return None
        self.counters["corrected"] += 1
        if (
            not tick.volume
            or tick.ltt is None
            or (old.ltt is not None and tick.ltt >= old.ltt)
            or _punctual(tick, tick.ltt)
        ):
            return tick
        self._mistimed[tick.key] = tick.ltt
        return tick._replace(ltt=None)

    def later_by_rest(self, tick: Tick, old: Tick) -> bool:
        """Return whether a REST answer is of a later trade than `old`, which came by the feed."""
        if tick.ltt is None:
            return False
        if _comparable(tick, old) and tick.volume != old.volume:
            return not _behind(tick, old)
        return tick.ltt > (old.traded_at // _US if old.ltt is None else old.ltt)

    def forget(self, key: str) -> None:
        """Forget a key that now means another instrument."""
        self._mistimed.pop(key, None)
        self._older.pop(key, None)

    def traded_at(self, tick: Tick, old: Tick) -> int:
        """Return the microseconds at which the price of `tick`, which follows `old`, was traded; 0 if not
        known.
        """
        if tick.ltt is not None:
            return tick.ltt * _US
        if self.rose(tick, old):
            return tick.received_at
        return old.traded_at if tick.ltp == old.ltp and not _moved(tick, old) else 0

    def _contradicts(self, tick: Tick, old: Tick, ltt: int) -> bool:
        """Return whether the trade time cannot be that of the trade by which the volume rose after `old`."""
        back = old.ltt is not None and ltt < old.ltt
        if not back and ltt * _US + PUNCTUAL_S * _US >= old.received_at:
            return False
        before = self._mistimed.get(tick.key, old.ltt)
        if back or (before is not None and ltt <= before):
            return True
        delay_s = self.delay_s.get(tick.key.partition(":")[0])
        if delay_s is None:
            return tick.key in self._mistimed or tick.received_at / _US - ltt >= CLOCK_APART_S
        # If most instruments of the segment are late too, the broker delays them, and the trade time is
        # right.
        return delay_s <= PUNCTUAL_S

    def _still_mistimed(self, tick: Tick, ltt: int) -> bool:
        return tick.key in self._mistimed and not _punctual(tick, ltt)

    def _corrects(self, tick: Tick, old: Tick) -> bool:
        """Return whether the broker corrected a volume or a trade time downwards: a few packets in a row show
        it, and none contradicts it.
        """
        volume, ltt = tick.volume or 0, tick.ltt or 0
        run = self._older.get(tick.key)
        if run is None or run.known_at != old.received_at or volume < run.volume or ltt < run.ltt:
            run = _Older(old.received_at, 0, tick.received_at, (volume, ltt), volume, ltt)
        run = self._older[tick.key] = run._replace(packets=run.packets + 1, volume=volume, ltt=ltt)
        trades = volume > run.began[0] or (not volume and not old.volume and ltt > run.began[1])
        time_goes_on = tick.ltt is not None and old.ltt is not None and tick.ltt >= old.ltt
        # An old snapshot may be sent several times too, but neither its volume nor its trade time moves.
        if (
            run.packets < CORRECTION_PACKETS
            or tick.received_at - run.began_at < CORRECTION_US
            or not (trades or time_goes_on)
        ):
            return False
        del self._older[tick.key]
        return True


def _punctual(tick: Tick, ltt: int) -> bool:
    return tick.received_at / _US - ltt <= PUNCTUAL_S


def _repeats(tick: Tick, old: Tick) -> bool:
    """Return whether a packet is of the trade already known, like a snapshot before the day's first trade."""
    return tick.ltt is not None and tick.ltt == old.ltt and tick.ltp == old.ltp


def _behind(tick: Tick, old: Tick) -> bool:
    if _comparable(tick, old) and tick.volume != old.volume:
        return (tick.volume or 0) < (old.volume or 0)
    return tick.ltt is not None and tick.ltt < (old.ltt or 0)


def _comparable(tick: Tick, old: Tick) -> bool:
    """Return whether both have a volume, of one trading date: the broker clears volumes before the first
    trade of a new date.
    """
    if tick.volume is None or old.volume is None:
        return False
    return session_of(tick.received_at / _US) == session_of(old.received_at / _US)


def _moved(tick: Tick, old: Tick) -> bool:
    return tick.volume is not None and old.volume is not None and tick.volume != old.volume
