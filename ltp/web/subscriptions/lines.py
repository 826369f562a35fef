"""The rows of the page of subscriptions, as texts and addresses."""

from __future__ import annotations

from typing import Final, NamedTuple

from ltp.core.money import group_indian
from ltp.core.subscriptions.table import REASONS, Reason, Subscription, SubscriptionTable
from ltp.web.screens.catalogue import SCREENERS
from ltp.web.subscriptions.query import PATH
from ltp.web.subscriptions.select import NameOf

STATE_TITLES: Final = {
    "waiting": "waiting",
    "wanted": "wanted",
    "sent": "sent",
    "ticking": "ticking",
    "stale": "stale",
    "never_ticked": "never ticked",
}
_DASH: Final = "–"
_URLS: Final = {"alert": "/alerts"}


class Why(NamedTuple):
    """`url`: "" for none."""

    text: str
    url: str = ""


class Line(NamedTuple):
    key: str
    symbol: str
    name: str
    url: str
    pin_url: str
    pinned: bool
    place: str
    state: str
    state_title: str
    mode: str
    age: str
    rate: str
    viewers: str
    clients: str
    why: list[Why]


def line(table: SubscriptionTable, row: Subscription, name_of: NameOf, age_s: float) -> Line:
    """Return the texts of a row. `age_s`: of the table."""
    symbol, name = name_of(row.key)
    reasons = [table.reasons[number] for number in row.reasons]
    path = row.key.replace(":", "/")
    return Line(
        row.key,
        symbol,
        name,
        f"/instruments/{path}",
        f"{PATH}/{path}",
        any(reason.kind == "pinned" for reason in reasons),
        str(row.place) if row.place else _DASH,
        row.state,
        STATE_TITLES[row.state],
        row.mode or _DASH,
        age_text(last_age_s(table, row, age_s)),
        _DASH if row.per_min is None else whole(row.per_min),
        whole(row.viewers) if row.viewers else _DASH,
        whole(row.clients) if row.clients else _DASH,
        [why(reason) for reason in reasons],
    )


def last_age_s(table: SubscriptionTable, row: Subscription, age_s: float) -> float | None:
    """Return the age of an instrument's last packet, None if none ever came. `age_s`: of the table."""
    return max(0.0, (table.at_us - row.last_us) / 1e6 + age_s) if row.last_us else None


def why(reason: Reason) -> Why:
    """Return a reason as a text; that of a screen or a list leads to it, that of alerts to all of them."""
    if reason.kind == "screen":
        screener = SCREENERS.get(reason.name)
        return Why(screener.title if screener else reason.name, f"/screeners/{reason.name}")
    if reason.kind == "saved":
        return Why(reason.title or reason.name, f"/screeners/{reason.name}")
    if reason.kind == "watchlist":
        return Why(f"Watchlist {reason.title or reason.name}", f"/watchlists/{reason.name}")
    return Why(REASONS[reason.kind], _URLS.get(reason.kind, ""))


def age_text(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    if seconds < 10:
        return f"{seconds:.1f} s"
    for unit, length, below in (("s", 1, 120), ("min", 60, 7_200), ("h", 3_600, 172_800)):
        if seconds < below:
            return f"{seconds / length:.0f} {unit}"
    return f"{whole(int(seconds // 86_400))} days"


def whole(number: int) -> str:
    return group_indian(str(number))
