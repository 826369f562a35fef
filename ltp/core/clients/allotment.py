"""The allotment of the feed's places to instruments, if the demand exceeds one connection.

Demand has a kind (an open page, a screen or a program) and a rank: the position of the instrument in its
client's list. The first instruments of each client come before the later ones of any client, so a long list
takes nothing from a short one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from ltp.core.clients.client_address import EXEMPT

LIMIT: Final = 5_000  # instruments of one connection
RESERVE: Final = LIMIT // 10  # places for pages only, so that a new page does not wait for a free place
PAGES_EACH: Final = 2_000  # instruments in a client's open pages
PROGRAMS_EACH: Final = 1_000  # instruments in a client's API calls
ROTATE_S: Final = 30
RULE: Final = (
    f"One connection carries {LIMIT:,} instruments. Open pages come first, then the results of screens and "
    f"watchlists, then calls of the API; {RESERVE:,} places are kept for pages. One client gets at most "
    f"{PAGES_EACH:,} for its pages and {PROGRAMS_EACH:,} for its API calls, and the first instruments of "
    "each client come before the later ones of any. Where not all of a kind fit, half of its places stay and "
    f"the other half go round among the rest every {ROTATE_S} s."
)


class Demand(NamedTuple):
    """`rank`: see `rank_of`; of several clients the lowest. `until`: seconds since the epoch."""

    rank: int
    until: float


class FeedPlaces(NamedTuple):
    """`wanted`: keys with a place, most important first; `waiting`: keys without. `taken`: places by kind."""

    wanted: list[str]
    waiting: list[str]
    taken: dict[str, int]


def rank_of(place: int) -> int:
    """Return the rank for the position of an instrument in its client's list, from 0 on.

    Ranks double in width, so that Redis stores few of them for each instrument.
    """
    return place.bit_length()


def client_limit(client: str, quota: int) -> int:
    """Return how many instruments a client may demand: `quota`, unless it is exempt."""
    return LIMIT if client == EXEMPT else quota


def allot(
    probes: Iterable[str],
    pages: Sequence[str],
    screens: Sequence[str],
    programs: Sequence[str],
    *,
    limit: int = LIMIT,
    turn: int = 0,
) -> FeedPlaces:
    """Allot the places.

    Args:
        probes: keys by which the feed's health is judged; always subscribed.
        pages, screens, programs: the keys of each kind, most important first.
        turn: rises by one every ROTATE_S while keys wait.
    """
    given = dict.fromkeys(probes)
    taken: dict[str, int] = {}
    waiting: dict[str, None] = {}
    reserve = limit * RESERVE // LIMIT
    for kind, keys in (("pages", pages), ("screens", screens), ("programs", programs)):
        kept = 0 if kind == "pages" else max(0, reserve - taken["pages"])
        new = [key for key in dict.fromkeys(keys) if key not in given]
        chosen = _chosen(new, max(0, limit - kept - len(given)), turn)
        taken[kind] = len(chosen)
        given.update(dict.fromkeys(chosen))
        waiting.update(dict.fromkeys(_without(new, chosen)))
    return FeedPlaces(list(given), [key for key in waiting if key not in given], taken)


def _chosen(keys: list[str], room: int, turn: int) -> list[str]:
    if len(keys) <= room:
        return keys
    fixed, round_ = keys[: room // 2], keys[room // 2 :]
    moving = room - room // 2
    start = turn * moving % len(round_)
    return fixed + (round_[start:] + round_[:start])[:moving]


def _without(keys: list[str], chosen: Collection[str]) -> list[str]:
    if len(keys) == len(chosen):
        return []
    served = set(chosen)
    return [key for key in keys if key not in served]
