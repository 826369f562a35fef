"""Which instruments get a place on the feed, when more are wanted than one connection takes.

Pure. A wish has a kind (an open page or a program) and a rank: its place among the wishes of its client, so
that each client's first wishes come before anyone's later ones, and a long list takes nothing from a short
one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from ltp.core.clients.client_address import EXEMPT

LIMIT: Final = 5_000  # instruments a connection takes
RESERVE: Final = (
    LIMIT // 10
)  # places that only open pages may take, so that a page need not wait for another's to be freed
PAGES_EACH: Final = 2_000  # instruments in a client's open pages
PROGRAMS_EACH: Final = 1_000  # instruments in a client's API calls
ROTATE_S: Final = 30
RULE: Final = (
    f"One connection carries {LIMIT:,} instruments. Open pages come first, then the results of screens and "
    f"watchlists, "
    f"then calls of the API; {RESERVE:,} places are kept for pages. One client gets at most {PAGES_EACH:,} "
    f"for its pages "
    f"and {PROGRAMS_EACH:,} for its API calls, and the first wishes of each client come before the later "
    f"ones of any. "
    f"Where not all of a kind fit, half of its places stay and the other half go round among the rest every "
    f"{ROTATE_S} s."
)


class Demand(NamedTuple):
    """`rank`: see `rank_of`; of several clients that want the same, the lowest. `until`: seconds since the
    epoch.
    """

    rank: int
    until: float


class FeedPlaces(NamedTuple):
    """`wanted`: what has a place, most important first; `waiting`: what has none. `taken`: places by kind."""

    wanted: list[str]
    waiting: list[str]
    taken: dict[str, int]


def rank_of(place: int) -> int:
    """Return the rank of a client's wish number `place`, from 0 on: doubling steps, so few are stored for
    each instrument.
    """
    return place.bit_length()


def client_limit(client: str, quota: int) -> int:
    """Return how many instruments a client may want."""
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
    """Give out the places.

    Args:
        probes: what the feed's health is judged by; always subscribed.
        pages, screens, programs: the keys of each kind, the first to be served first.
        turn: rises by one every ROTATE_S while something waits.
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
