"""The form that requests a job, parsed into a request; what was typed stays beside a refusal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

from ltp.core.bars.kept_days import KeptDays
from ltp.db.history.jobs import ACTIONS, DAILY, FETCH, REFILL, Request
from ltp.db.history.summary import EVERYTHING
from ltp.errors import InputError
from ltp.web import params

MOST_KEYS: Final = 50
MOST_DAYS: Final = 1_827  # the broker keeps one-minute bars of five years
NAMED: Final = "named"  # in place of a list: the instruments that are typed
_DEFAULT_DAYS: Final = 30
_MAX_TEXT: Final = 2_000


class Typed(NamedTuple):
    """The fields of the form as they were typed. `error`: why `field` is refused, "" where nothing is."""

    action: str = FETCH
    of: str = ""
    keys: str = ""
    first: str = ""
    last: str = ""
    error: str = ""
    field: str = ""


def empty(today: date, of: str = "") -> Typed:
    """Return the form before anything is typed: the last month."""
    return Typed(of=of, first=(today - timedelta(days=_DEFAULT_DAYS)).isoformat(), last=today.isoformat())


def typed(given: Mapping[str, str]) -> Typed:
    values = {
        name: given.get(name, "").strip()[:_MAX_TEXT] for name in ("action", "of", "keys", "first", "last")
    }
    return Typed(**values)


def parse(
    form: Typed,
    lists: Collection[str],
    key_of: Callable[[str], str | None],
    today: date,
    kept: KeptDays,
) -> Request:
    """Return the request of a form.

    Args:
        lists: the names of the universes.
        key_of: returns the key of a symbol or key, None for an unknown one.
        today: in India.
        kept: older days are refused, or fetched with a note beside the form.
    Raises:
        InputError: names the field.
    """
    if form.action not in ACTIONS:
        raise InputError("action", form.action, "it is one of " + ", ".join(ACTIONS))
    keys = _keys(form.keys, key_of) if form.of == NAMED else ()
    if form.of not in (*lists, EVERYTHING, NAMED):
        raise InputError("of", form.of, "it is a list of this page")
    if form.action == DAILY:
        if form.of in (EVERYTHING, NAMED):
            raise InputError("of", form.of, "daily candles are fetched of one list")
        return Request(DAILY, form.of)
    first, last = params.day(form.first, "first"), params.day(form.last, "last")
    if last > today:
        raise InputError("last", form.last, f"it is not after today, {today}")
    if first > last:
        raise InputError("first", form.first, f"it is not after {last}")
    if (today - first).days > MOST_DAYS:
        raise InputError("first", form.first, "the broker keeps one-minute bars of five years")
    if first < kept.fives:
        raise InputError("first", form.first, kept.refusal)
    if form.action == REFILL and last < kept.ones:
        raise InputError(
            "last",
            form.last,
            f"one-minute bars of days before {kept.ones} are not kept, see MINUTE_BARS_DAYS",
        )
    return Request(form.action, "" if form.of == NAMED else form.of, keys, first, last)


def _keys(text: str, key_of: Callable[[str], str | None]) -> tuple[str, ...]:
    names = list(dict.fromkeys(text.replace(",", " ").split()))
    if not 1 <= len(names) <= MOST_KEYS:
        raise InputError(
            "keys", text, f"it is 1 to {MOST_KEYS} symbols or keys, such as HDFCBANK NSE_EQ:11536"
        )
    found = []
    for name in names:
        key = key_of(name)
        if key is None:
            raise InputError("keys", name, "the instrument master has no such symbol or key")
        found.append(key)
    return tuple(dict.fromkeys(found))
