"""The allotment of the feed's places to instruments, if the demand exceeds one connection.

Demand has a kind (such as an open page, a screen or a program) and a rank: the position of the instrument in its
client's list. The first instruments of each client come before the later ones of any client, so a long list
takes nothing from a short one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from ltp.core.clients.client_address import EXEMPT

LIMIT: Final = 5_000  # instruments of one connection
CONNECTIONS: Final = 5  # that the broker accepts of an account; this program opens one
RESERVE: Final = LIMIT // 10  # places for pages only, so that a new page does not wait for a free place
PAGES_EACH: Final = 2_000  # instruments in a client's open pages
PROGRAMS_EACH: Final = 1_000  # instruments in a client's API calls
ROTATE_S: Final = 30
# The kinds of wishes in the order in which they are served, the probes of the feed before them all.
KINDS: Final = ("pinned", "alerts", "pages", "screens", "programs")
RULE: Final = (
    f"One connection carries {LIMIT:,} instruments. The two probes of the feed come first, then pinned "
    "instruments, those of alerts, open pages, the results of screens and the members of watchlists, and last "
    f"calls of the API; {RESERVE:,} places are kept for pages. One client gets at most "
    f"{PAGES_EACH:,} for its pages and {PROGRAMS_EACH:,} for its API calls, and the first instruments of "
    "each client come before the later ones of any, as do the first of each watchlist. Where not all of a kind "
    f"fit, half of its places stay and the other half go round among the rest every {ROTATE_S} s. So the "
    "instruments with the last places lose theirs first."
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
    wishes: Mapping[str, Sequence[str]],
    *,
    limit: int = LIMIT,
    turn: int = 0,
) -> FeedPlaces:
    """Allot the places.

    Args:
        probes: keys by which the feed's health is judged; always subscribed.
        wishes: the keys of each of KINDS, most important first; a kind without any may be left out.
        turn: rises by one every ROTATE_S while keys wait.
    """
    given = dict.fromkeys(probes)
    taken = dict.fromkeys(KINDS, 0)
    waiting: dict[str, None] = {}
    reserve = limit * RESERVE // LIMIT
    for kind in KINDS:
        kept = 0 if kind == "pages" else max(0, reserve - taken["pages"])
        new = [key for key in dict.fromkeys(wishes.get(kind, ())) if key not in given]
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
