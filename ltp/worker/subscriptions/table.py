"""The table of subscriptions, made of what the parts of the worker know in one moment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from ltp.core.subscriptions.table import Reason, Subscription, state_of

_NAMED: Final = 24  # reasons of one instrument; it may be in hundreds of lists


class Known(NamedTuple):
    """`wanted`, `waiting`: keys with and without a place, most important first. `modes`, `seen`, `never_ticked`: of
    the present connection. `last_us`: by key, when its newest tick came. `per_min`: None while not measured.
    `viewers`, `clients`: as far as web processes have told.
    """

    now_us: int
    wanted: Sequence[str]
    waiting: Sequence[str]
    modes: Mapping[str, str]
    seen: Collection[str]
    never_ticked: Collection[str]
    last_us: Mapping[str, int]
    per_min: Mapping[str, int] | None
    viewers: Mapping[str, int]
    clients: Mapping[str, int]


def rows(known: Known, reasons: Sequence[tuple[Reason, Iterable[str]]]) -> list[Subscription]:
    """Return a row for each wanted instrument, those with a place first, in the order of their places."""
    why: dict[str, list[int]] = {}
    for number, (_, keys) in enumerate(reasons):
        for key in keys:
            why.setdefault(key, []).append(number)
    placed = [_row(known, key, place, why) for place, key in enumerate(known.wanted, 1)]
    return [*placed, *(_row(known, key, 0, why) for key in known.waiting)]


def _row(known: Known, key: str, place: int, why: Mapping[str, list[int]]) -> Subscription:
    mode, last_us = known.modes.get(key, ""), known.last_us.get(key, 0)
    state = state_of(
        place=place,
        sent=mode != "",
        seen=key in known.seen,
        never_ticked=key in known.never_ticked,
        last_us=last_us,
        now_us=known.now_us,
    )
    return Subscription(
        key,
        place,
        state,
        mode,
        last_us,
        None if known.per_min is None else known.per_min.get(key, 0),
        known.viewers.get(key, 0),
        known.clients.get(key, 0),
        tuple(why.get(key, ())[:_NAMED]),
    )
