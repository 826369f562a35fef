"""The table of subscriptions: each instrument on the feed or waiting for a place, why, and how it does."""

from __future__ import annotations

from typing import Final, NamedTuple

STALE_AFTER_S: Final = 60
MOST_ROWS: Final = 10_000
LONGEST_TITLE: Final = 200
# The states with their meaning, for people, in the order in which an instrument passes through them.
STATES: Final = {
    "waiting": "the feed is full: no place for it now",
    "wanted": "it has a place, and its subscription is not sent yet",
    "sent": "subscribed on this connection, and no packet of it has come yet",
    "ticking": f"a packet came within {STALE_AFTER_S} s",
    "stale": f"its last packet is older than {STALE_AFTER_S} s, as of an instrument that does not trade",
    "never_ticked": "subscribed twice on this connection, and no packet of it has come",
}
# The reasons why an instrument is on the feed, in the order in which they are served.
REASONS: Final = {
    "probe": "Probe of the feed",
    "pinned": "Pinned",
    "alert": "Alert",
    "page": "Open page",
    "screen": "Built-in screen",
    "saved": "Saved screen",
    "custom": "Custom screen",
    "watchlist": "Watchlist",
    "api": "API call",
}


class Reason(NamedTuple):
    """`kind`: one of REASONS. `name`: of a screen or watchlist in addresses, `title`: for people; else ""."""

    kind: str
    name: str = ""
    title: str = ""


class Subscription(NamedTuple):
    """One instrument.

    `place`: from 1 on in the order of importance, 0 without a place. `state`: one of STATES. `mode`: in which it
    was subscribed, "" if it was not. `last_us`: when its last packet came, microseconds since the epoch, 0 if
    none ever did. `per_min`: packets a minute, None while that is not measured. `viewers`, `clients`: open pages
    that show it and clients of the API that want it, as far as web processes have told. `reasons`: positions in
    `SubscriptionTable.reasons`.
    """

    key: str
    place: int
    state: str
    mode: str
    last_us: int
    per_min: int | None
    viewers: int
    clients: int
    reasons: tuple[int, ...]


class SubscriptionTable(NamedTuple):
    """`at_us`: when it was made, microseconds since the epoch. `source`: of the prices. `feed`: its state.
    `limit`: places of the one connection. `waiting`: instruments without a place, of which `rows` may lack some.
    """

    at_us: int
    source: str
    feed: str
    limit: int
    waiting: int
    reasons: list[Reason]
    rows: list[Subscription]


def state_of(*, place: int, sent: bool, seen: bool, never_ticked: bool, last_us: int, now_us: int) -> str:
    """Return the state of an instrument, one of STATES.

    Args:
        sent, seen, never_ticked: whether its subscription was sent, a packet came since, and none came after
            two subscriptions; all of the present connection.
    """
    if not place:
        return "waiting"
    if not sent:
        return "wanted"
    if never_ticked and not seen:
        return "never_ticked"
    if not seen:
        return "sent"
    return "ticking" if now_us - last_us <= STALE_AFTER_S * 1_000_000 else "stale"


def in_turn(*lists: list[str]) -> list[str]:
    """Return the keys of lists: the first of each, then the second of each, and so on; each key once."""
    longest = max(map(len, lists), default=0)
    return list(dict.fromkeys(each[place] for place in range(longest) for each in lists if place < len(each)))
