"""Which watches of an instrument a packet meets, and which are not met any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ltp.core.alerts.alert import GAP_AT_OPEN, TRADE, WHILE_DISCONNECTED
from ltp.core.alerts.entry import Entry, Watched
from ltp.core.alerts.evaluate import constant
from ltp.core.alerts.packet import Packet
from ltp.core.alerts.watch import Hit
from ltp.core.market.kinds import USUAL
from ltp.core.money import SCALE, Price

_US: Final = 1_000_000


def judge(entry: Entry, packet: Packet, phase: str) -> list[Hit]:
    """Return the hits of a packet; what is met waits for the way back, what is left may fire again.

    Args:
        phase: of the market when the price was traded. A watch of other phases stays as it is.
    """
    if packet.is_first:
        entry.baseline(packet.ltp)
    hits = [
        _hit(watched, packet, *packet.how(watched.level))
        for watched in _reached(entry, packet, phase)
        if watched.level is not None
    ]
    if not packet.is_late:
        _rearm(entry, packet.ltp)
    entry.find_band()
    return hits


def _reached(entry: Entry, packet: Packet, phase: str) -> list[Watched]:
    """Return the armed watches whose level was met, and let them wait for the way back."""
    found = [*_taken(entry.above, packet.top, phase), *_taken(entry.below, packet.bottom, phase)]
    for watched in found:
        watched.armed = False
        entry.place(watched)
    return found


def _taken(waiting: list[tuple[Price, int, Watched]], price: Price, phase: str) -> list[Watched]:
    """Take from `waiting` the armed watches that a price meets; the others in front of it stay."""
    found, kept = [], []
    while waiting and _awaits(waiting[-1][2], price):
        item = waiting.pop()
        watched = item[2]
        if watched.armed and phase in (watched.watch.phases or USUAL):
            found.append(watched)
        else:
            kept.append(item)
    waiting.extend(reversed(kept))
    return found


def _awaits(watched: Watched, price: Price) -> bool:
    """Has the price come to what a watch waits for?"""
    return price >= watched.awaited if watched.waits_above else price <= watched.awaited


def _rearm(entry: Entry, ltp: Price) -> None:
    for waiting in (entry.above, entry.below):
        kept = []
        while waiting and _awaits(waiting[-1][2], ltp):
            item = waiting.pop()
            if item[2].armed:
                kept.append(item)  # met, but not judged in this phase
            else:
                item[2].armed = True
                entry.place(item[2])
        waiting.extend(reversed(kept))


def judge_general(of: Iterable[Watched], packet: Packet, phase: str) -> Iterator[Hit]:
    """Yield the hits of rules without a level, each evaluated once for the packet."""
    for watched in of:
        met = watched.truth() if watched.truth is not None else None
        if met is None or phase not in (watched.watch.phases or USUAL):
            continue
        if not watched.judged:
            watched.armed, watched.judged = not met, True
        elif met and watched.armed:
            watched.armed = False
            how = GAP_AT_OPEN if packet.opens else WHILE_DISCONNECTED if packet.interrupted else TRADE
            yield _hit(watched, packet, how, packet.ltp)
        elif not met and not watched.armed:
            watched.armed = is_far(watched)


def is_far(watched: Watched) -> bool:
    """Is the left side of a comparison as far from the right one as the hysteresis asks for?"""
    if not watched.watch.hysteresis or watched.sides is None:
        return True
    value, bound = (side() for side in watched.sides)
    return value is None or bound is None or abs(value - bound) >= abs(bound) * watched.watch.hysteresis / 100


def _hit(watched: Watched, packet: Packet, how: str, price: Price) -> Hit:
    watch = watched.watch
    level = None if watched.level is None else watched.level.bound / SCALE
    if watched.of is not None and not watched.of.is_change:
        level = constant(watched.of.bound, watch.values)
    since, until = (0, 0) if how == TRADE else (packet.since, packet.received)
    return Hit(
        watch.alert_id,
        watch.version,
        watch.key,
        packet.at * _US,
        price,
        how,
        level,
        since,
        until,
        packet.volume,
    )
